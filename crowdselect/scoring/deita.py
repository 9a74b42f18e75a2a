"""DEITA (arXiv 2312.15685): complexity and quality, each by a model trained to score it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from crowdselect.errors import InputError
from crowdselect.lm.language_model import LanguageModel, ModelSpec, model_spec
from crowdselect.lm.passes import Columns, Pass, Sample, Worker
from crowdselect.registry import option
from crowdselect.scoring.base import Column, Found, Scorer
from crowdselect.scoring.digits import digit_tokens
from crowdselect.scoring.ratings import digit_shares, token_scores

LEVELS = 6
_START = "You are a helpful assistant. Please identify the "
QUESTIONS = {
    "complexity": _START
    + "complexity score of the following user query. \n##Query: {instruction}  \n##Complexity: ",
    "quality": _START + "quality score of the Response corresponding to the Question. \n "
    "#Question#:\n{instruction}\n#Response#:\n{response} \n##Quality: ",
}
"""Fixed by the scorer models: their training asked exactly this."""


@dataclass(frozen=True)
class LevelPass(Pass):
    """One scorer model's probabilities of the levels 1 to 6."""

    spec: dict[str, Any]
    what: str
    """``complexity`` or ``quality``."""
    max_tokens: int

    @property
    def label(self) -> str:
        """The pass in a few words."""
        return f"{self.what} by {self.spec['model']}"

    def worker(self, keep: Path) -> Worker:
        """Load the model and resolve its digits."""
        return _LevelReader(self)


class _LevelReader:
    def __init__(self, work: LevelPass) -> None:
        self._lm = LanguageModel(ModelSpec.parse(work.spec, "the model's options"))
        self._limit = min(work.max_tokens, self._lm.longest)
        self._question = QUESTIONS[work.what]
        example = Sample("", "Say hello.", "Hello.")
        try:
            self._digits = digit_tokens(self._lm, self._text(example), LEVELS)
        except InputError:
            # A tokenizer that joins a blank with the digit after it: the text must not end in one.
            self._question = self._question.rstrip(" ")
            self._digits = digit_tokens(self._lm, self._text(example), LEVELS, joined=" ")

    def __call__(self, samples: Sequence[Sample]) -> Columns:
        rows = [self._lm.ids(self._text(sample)) for sample in samples]
        fitting = [i for i, ids in enumerate(rows) if len(ids) <= self._limit]
        raw = np.full((len(rows), LEVELS), np.nan)
        if fitting:
            found = self._lm.next_token_probabilities([rows[i] for i in fitting], self._digits)
            raw[fitting] = found
        long = f"longer than {self._limit} tokens"
        reasons = [None if len(ids) <= self._limit else long for ids in rows]
        return {"probabilities": raw.tolist(), "reason": reasons}

    def _text(self, sample: Sample) -> str:
        before, _, rest = self._question.partition("{instruction}")
        between, mark, after = rest.partition("{response}")
        return f"{before}{sample.question}{between}{sample.response if mark else ''}{after}"


@dataclass(frozen=True)
class Deita(Scorer):
    """Expected level of complexity and quality, and their product."""

    name: ClassVar[str] = "deita"
    title: ClassVar[str] = "DEITA complexity and quality"
    source: ClassVar[str] = "DEITA, arXiv 2312.15685, section 3"

    models: tuple[dict[str, Any], ...] = field(default=())
    """``ModelSpec`` dicts of the scorers of ``parts``, in order."""
    parts: str = option(
        "both", "Which scores; both needs two models", choices=("both", "complexity", "quality")
    )
    max_tokens: int = option(2048, "Longer samples get no score", low=16, high=1_000_000)

    def _parts(self) -> tuple[str, ...]:
        return ("complexity", "quality") if self.parts == "both" else (self.parts,)

    def passes(self) -> tuple[LevelPass, ...]:
        """One per part."""
        parts = self._parts()
        if len(self.models) != len(parts):
            raise InputError(
                f"DEITA needs a scorer model for {' and one for '.join(parts)}, "
                f"{len(self.models)} were given.",
                "Give --model COMPLEXITY --model QUALITY, or one of them with -o parts=NAME.",
            )
        specs = [model_spec(m) for m in self.models]
        return tuple(
            LevelPass(spec, what, self.max_tokens) for spec, what in zip(specs, parts, strict=True)
        )

    def columns(self, samples: Sequence[Sample], found: Found) -> dict[str, Column]:
        """``deita_complexity``, ``deita_quality`` and ``deita``, their product."""
        columns: dict[str, Column] = {}
        for work in self.passes():
            raw = np.array(found[work.key]["probabilities"], dtype=np.float64)
            values = token_scores(digit_shares(raw), "expected_rating")
            reasons = [
                reason or ("no probability on any level" if np.isnan(value) else None)
                for reason, value in zip(found[work.key]["reason"], values, strict=True)
            ]
            title = f"DEITA {work.what}"
            direction = f"higher = {'harder' if work.what == 'complexity' else 'better'}"
            columns[f"deita_{work.what}"] = Column(values, reasons, title, direction, "1 to 6")
        if len(columns) == 2:
            first, second = columns.values()
            both = [a or b for a, b in zip(first.reasons, second.reasons, strict=True)]
            product = first.values * second.values
            columns["deita"] = Column(product, both, "DEITA score", "higher = harder and better")
        return columns
