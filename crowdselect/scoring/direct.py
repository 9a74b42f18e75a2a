"""Direct score (AlpaGasus, arXiv 2307.08701): a judge model grades each sample from 0 to 5."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from crowdselect.registry import option
from crowdselect.scoring.base import Column, Found, Sample, Scorer
from crowdselect.scoring.chat import AskPass, Message, server_of
from crowdselect.servers import read_grade

BEST = 5.0
_SYSTEM = "You grade the answers of an assistant, strictly and without regard to their length."
_USER = (
    "Instruction:\n{instruction}\n\nResponse:\n{response}\n\n"
    "Grade the {dimension} of the response on a scale from 0 (none) to {best} (could not be "
    "better). Write the grade, a number, alone on the first line, and then one sentence that "
    "gives the reason."
)


@dataclass(frozen=True)
class GradePass(AskPass):
    """A chat model's grade of every sample on one dimension."""

    version: ClassVar[int] = 2

    dimension: str = "accuracy"
    best: float = BEST

    @property
    def label(self) -> str:
        """The pass in a few words."""
        return f"grading by {self.server['model']}"

    @property
    def empty(self) -> Mapping[str, Any]:
        """No grade."""
        return {"grade": None}

    def messages(self, sample: Sample) -> tuple[Message, ...]:
        """The question for a grade; braces in the texts stay as they are."""
        asked = _USER.replace("{dimension}", self.dimension).replace("{best}", f"{self.best:g}")
        before, between, after = re.split(r"\{instruction\}|\{response\}", asked)
        text = f"{before}{sample.instruction}{between}{sample.response}{after}"
        return ({"role": "system", "content": _SYSTEM}, {"role": "user", "content": text})

    def read(self, text: str) -> Mapping[str, Any]:
        """The grade that stands as the verdict, on the scale that was asked for."""
        found = read_grade(text, 0.0, self.best)
        return {"reason": found.problem} if found.value is None else {"grade": found.value}


@dataclass(frozen=True)
class Direct(Scorer):
    """A judge model's grade from 0 to 5, and how many samples share each grade."""

    name: ClassVar[str] = "direct"
    title: ClassVar[str] = "Direct score by a judge model"
    source: ClassVar[str] = "AlpaGasus, arXiv 2307.08701; the prompt is ours"
    uses: ClassVar = "chat server"

    models: tuple[dict[str, Any], ...] = field(default=())
    """Exactly one ``ServerConfig`` dict."""
    dimension: str = option("accuracy", "What is graded, such as accuracy or helpfulness")
    max_tokens: int = option(256, "Longest answer of the judge", low=8, high=100_000)

    def passes(self) -> tuple[GradePass, ...]:
        """One."""
        return (GradePass(server_of(self.name, self.models), self.max_tokens, self.dimension),)

    def columns(self, samples: Sequence[Sample], found: Found) -> dict[str, Column]:
        """``direct``; NaN with a reason where the judge gave no grade."""
        got = found[self.passes()[0].key]
        values = np.array(got["grade"], dtype=np.float64)
        title = f"Direct score, {self.dimension}"
        return {"direct": Column(values, got["reason"], title, "higher = better", "0 to 5")}

    def report(
        self, samples: Sequence[Sample], found: Found, columns: Mapping[str, Column]
    ) -> dict[str, Any]:
        """Samples per grade: with few grades, the cut of a selection falls among equals."""
        return {"ties": ties(columns["direct"].values)}


def ties(values: np.ndarray) -> dict[str, Any]:
    """How many values share each level, best first, and the share of the largest such group."""
    levels, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    groups = {f"{level:g}": int(n) for level, n in zip(levels[::-1], counts[::-1], strict=True)}
    return {
        "levels": dict(list(groups.items())[:20]),
        "distinct": len(groups),
        "largest_share": float(counts.max() / counts.sum()) if len(counts) else 0.0,
    }
