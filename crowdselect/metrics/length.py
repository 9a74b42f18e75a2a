"""Length of an instruction, of its responses, or of both."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from crowdselect.metrics.base import MetricInputs, Need, places_above, rewards_of, texts_of
from crowdselect.registry import option
from crowdselect.values import FloatArray

Field = Literal["instruction", "response", "both"]
Unit = Literal["chars", "words", "tokens"]
Across = Literal["mean", "longest", "shortest", "best"]


@dataclass(frozen=True)
class Length:
    """Length of the instruction (default), of its responses, or the sum of the two."""

    name: ClassVar[str] = "length"
    title: ClassVar[str] = "Length"
    direction: ClassVar[str] = "higher = longer"
    ends: ClassVar[tuple[str, str]] = ("shortest", "longest")
    range: ClassVar[tuple[float, float]] = (0.0, float("inf"))
    unit: ClassVar[str] = "characters, words or tokens"
    source: ClassVar[str] = "CrowdSelect's length baseline; Long is More (arXiv 2402.04833)"
    needs: ClassVar[frozenset[Need]] = frozenset({"texts"})

    field: Field = option(
        "instruction", "whose length", choices=("instruction", "response", "both")
    )
    count: Unit = option("chars", "counted in", choices=("chars", "words", "tokens"))
    across: Across = option(
        "mean",
        "which of the models' responses; best: the highest reward, the mean of equals",
        choices=("mean", "longest", "shortest", "best"),
    )

    def __call__(self, inputs: MetricInputs) -> FloatArray:
        """Return the length, shape (n,); NaN where there is no response to measure."""
        texts = texts_of(inputs, self.name)
        total = np.zeros(0)
        if self.field in ("instruction", "both"):
            total = texts.instruction_lengths(self.count).astype(np.float64)
        if self.field in ("response", "both"):
            response = self._response(texts.response_lengths(self.count), inputs)
            total = response if self.field == "response" else total + response
        return total

    def _response(self, lengths: FloatArray, inputs: MetricInputs) -> FloatArray:
        if self.across == "best":
            rewards = rewards_of(inputs, "length:best").values
            scored = np.where(np.isnan(lengths) | np.isnan(rewards), -np.inf, rewards)
            top = scored.max(axis=1, keepdims=True, initial=-np.inf)
            tied = (scored == top) & ~np.isneginf(top)
            total, count = np.where(tied, lengths, 0.0).sum(axis=1), tied.sum(axis=1)
            found = np.full(len(lengths), np.nan)
            np.divide(total, count, out=found, where=count > 0)
            return found
        reduce: Any = {"mean": np.nanmean, "longest": np.nanmax, "shortest": np.nanmin}
        with warnings.catch_warnings():
            # A row without any response is NaN on purpose.
            warnings.simplefilter("ignore", RuntimeWarning)
            return np.asarray(reduce[self.across](lengths, axis=1), dtype=np.float64)

    def why(self, value: float, percentile: float) -> str:
        """Say what ``value`` means."""
        what = {"instruction": "The instruction", "response": "The response"}.get(
            self.field, "Instruction and response together"
        )
        return f"Longer than {places_above(percentile)}. {what}: {value:,.0f} {self.count}."
