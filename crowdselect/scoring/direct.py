"""Direct score (AlpaGasus, arXiv 2307.08701): a judge model grades each sample from 0 to 5."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from crowdselect.lm.passes import Sample
from crowdselect.registry import option
from crowdselect.scoring.base import Column, Found, Scorer
from crowdselect.servers import GradePass, server_of


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
