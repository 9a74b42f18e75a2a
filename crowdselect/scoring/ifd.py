"""IFD (arXiv 2308.12032): how little an instruction helps a model to predict the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from crowdselect.errors import InputError
from crowdselect.lm.language_model import LanguageModel, ModelSpec, model_spec
from crowdselect.lm.passes import Columns, Pass, Sample, Worker
from crowdselect.registry import option
from crowdselect.scoring.base import Column, Found, Scorer
from crowdselect.scoring.difficulty_ratio import Ratio, ifd

QUESTION = "Instruction: {instruction}\n\n"
ANSWER = "Response: "
"""Stays before the answer in the unconditioned pass too, as in the Cherry code."""
RATIOS: tuple[Ratio, ...] = ("loss", "perplexity")


@dataclass(frozen=True)
class AnswerLossPass(Pass):
    """One model reads every answer with and without its instruction."""

    spec: dict[str, Any]
    max_tokens: int

    @property
    def label(self) -> str:
        """The pass in a few words."""
        return f"answer losses by {self.spec['model']}"

    def worker(self, keep: Path) -> Worker:
        """Load the model."""
        return _LossReader(self)


class _LossReader:
    def __init__(self, work: AnswerLossPass) -> None:
        self._lm = LanguageModel(ModelSpec.parse(work.spec, "the model's options"))
        self._limit = min(work.max_tokens, self._lm.longest)
        if not self._lm.tokenizer.is_fast:
            raise InputError(
                f"The tokenizer of {work.spec['model']} cannot say where a token starts.",
                "Use a model with a fast tokenizer (tokenizer.json).",
            )

    def __call__(self, samples: Sequence[Sample]) -> Columns:
        asked = [self._encode(QUESTION.format(instruction=s.question), s) for s in samples]
        alone = [self._encode("", s) for s in samples]
        reasons = [self._reason(s, full) for s, full in zip(samples, asked, strict=True)]
        good = [i for i, reason in enumerate(reasons) if reason is None]
        columns: dict[str, Any] = {"reason": reasons}
        for name, rows in (("conditioned", asked), ("alone", alone)):
            values = np.full(len(samples), np.nan)
            if good:
                found = self._lm.losses([rows[i][0] for i in good], [rows[i][1] for i in good])
                values[good] = found.mean
            columns[name] = [None if np.isnan(v) else float(v) for v in values]
        return columns

    def _encode(self, question: str, sample: Sample) -> tuple[list[int], int]:
        """Token ids and the place of the answer's first token, found by its characters."""
        before = question + ANSWER
        coded = self._lm.tokenizer(before + sample.response, return_offsets_mapping=True)
        ends = [end for _, end in coded["offset_mapping"]]
        start = next((i for i, end in enumerate(ends) if end > len(before)), len(ends))
        return coded["input_ids"], start

    def _reason(self, sample: Sample, full: tuple[list[int], int]) -> str | None:
        if not sample.response.strip():
            return "empty response"
        if len(full[0]) > self._limit:
            return f"longer than {self._limit} tokens"
        return None


@dataclass(frozen=True)
class IFD(Scorer):
    """Instruction-following difficulty by one model."""

    name: ClassVar[str] = "ifd"
    title: ClassVar[str] = "Instruction-following difficulty"
    source: ClassVar[str] = "From Quantity to Quality, arXiv 2308.12032; Superfiltering 2402.00530"
    packaged: ClassVar[bool] = True

    models: tuple[dict[str, Any], ...] = field(default=())
    """Exactly one ``ModelSpec`` dict."""
    max_tokens: int = option(2048, "Longer samples get no score", low=16, high=1_000_000)

    pre_experienced: int = option(
        0,
        "Diverse samples that the model is first trained on, for one epoch; 1000 in the paper",
        low=0,
        high=1_000_000,
    )

    keep_harmful: bool = option(
        False, "Keep ratios of 1 or more, where the instruction hurts; the paper drops such rows"
    )

    @property
    def prefix(self) -> str:
        """``ifd``, or ``ifd_pre`` with the pre-experienced step: both can stand side by side."""
        return f"{self.name}_pre" if self.pre_experienced else self.name

    def passes(self) -> tuple[AnswerLossPass, ...]:
        """One."""
        if len(self.models) != 1:
            raise InputError(
                f"IFD is measured by one model, {len(self.models)} were given.",
                "Give --model once.",
            )
        spec = model_spec(self.models[0])
        return (AnswerLossPass(spec, self.max_tokens),)

    def columns(self, samples: Sequence[Sample], found: Found) -> dict[str, Column]:
        """``ifd`` (ratio of losses), ``ifd_ppl`` (ratio of perplexities) and both losses."""
        got = found[self.passes()[0].key]
        conditioned = np.array(got["conditioned"], dtype=np.float64)
        alone = np.array(got["alone"], dtype=np.float64)
        direction = "higher = the instruction helps less"
        ratios = {name: ifd(conditioned, alone, name) for name in RATIOS}
        hurts = ratios["loss"] >= 1
        reasons = [
            reason or (f"the instruction hurts (ratio {value:.4g})" if bad else None)
            for reason, value, bad in zip(got["reason"], ratios["loss"], hurts, strict=True)
        ]
        loss, perplexity = (
            values if self.keep_harmful else np.where(hurts, np.nan, values)
            for values in ratios.values()
        )
        return {
            "ifd": Column(loss, reasons, "IFD, ratio of losses", direction),
            "ifd_ppl": Column(perplexity, reasons, "IFD, ratio of perplexities", direction),
            "ifd_loss": Column(
                conditioned,
                reasons,
                "Answer loss given the instruction",
                "higher = less expected",
                "nats per token",
            ),
        }

    def report(
        self, samples: Sequence[Sample], found: Found, columns: Mapping[str, Column]
    ) -> dict[str, Any]:
        """How many samples the instruction hurts."""
        got = found[self.passes()[0].key]
        conditioned = np.array(got["conditioned"], dtype=np.float64)
        alone = np.array(got["alone"], dtype=np.float64)
        return {"the_instruction_hurts": int((ifd(conditioned, alone) >= 1).sum())}
