"""SelectIT (arXiv 2402.16705): a sample's quality by the models' own uncertainty about a rating."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from crowdselect.errors import InputError
from crowdselect.lm.language_model import LanguageModel, ModelSpec, model_spec
from crowdselect.lm.packaged import SMOLLM2
from crowdselect.lm.passes import Columns, Pass, Sample, Worker
from crowdselect.registry import option
from crowdselect.scoring.base import Column, Found, Scorer
from crowdselect.scoring.digits import digit_tokens
from crowdselect.scoring.prompts import (
    PROMPT_FIRST,
    SAMPLE_FIRST,
    rating_prompts,
    rating_text,
)
from crowdselect.scoring.ratings import (
    MIN_DIGIT_MASS,
    digit_shares,
    model_scores,
    model_weights,
    sentence_scores,
    token_scores,
)

DIRECTION = "higher = better and more certainly so"


@dataclass(frozen=True)
class RatingPass(Pass):
    """One model reads every sample under every rating prompt; the digits' probabilities."""

    spec: dict[str, Any]
    """A ``ModelSpec`` as a dict."""
    prompts: tuple[str, ...]
    n_levels: int
    max_tokens: int
    order: str = PROMPT_FIRST

    @property
    def label(self) -> str:
        """The pass in a few words."""
        return f"rating by {self.spec['model']}"

    def worker(self, keep: Path) -> Worker:
        """Load the model and resolve its digits."""
        return _Rater(self)


class _Rater:
    def __init__(self, work: RatingPass) -> None:
        self._work = work
        self._lm = LanguageModel(ModelSpec.parse(work.spec, "the model's options"))
        self._limit = min(work.max_tokens, self._lm.longest)
        text = self._text(work.prompts[0], Sample("", "Say hello.", ""), "Hello.")
        self._digits = digit_tokens(self._lm, text, work.n_levels)

    def __call__(self, samples: Sequence[Sample]) -> Columns:
        prompts = self._work.prompts
        fitted = [[self._fit(prompt, sample) for prompt in prompts] for sample in samples]
        raw = np.full((len(samples), len(prompts), self._work.n_levels), np.nan)
        for group in self._groups(len(samples)):
            valid = [place for place in group if fitted[place[0]][place[1]][0]]
            if valid:
                rows = [fitted[i][j][0] for i, j in valid]
                found = self._lm.next_token_probabilities(rows, self._digits)
                raw[tuple(np.array(valid).T)] = found
        complete = [all(ids for ids, _ in each) for each in fitted]
        return {
            "probabilities": raw.reshape(len(samples), -1).tolist(),
            "truncated": [any(cut for _, cut in each) for each in fitted],
            "reason": [None if whole else "instruction too long" for whole in complete],
            "size_b": [self._lm.size_b] * len(samples),
        }

    def _groups(self, n: int) -> Iterator[list[tuple[int, int]]]:
        """(sample, prompt) in groups whose texts begin alike, so that it is read once."""
        k = len(self._work.prompts)
        if self._work.order == SAMPLE_FIRST:
            yield from ([(i, j) for j in range(k)] for i in range(n))
        else:
            yield from ([(i, j) for i in range(n)] for j in range(k))

    def _text(self, prompt: str, sample: Sample, response: str) -> str:
        return rating_text(prompt, sample.question, response, self._work.order)

    def _fit(self, prompt: str, sample: Sample) -> tuple[list[int], bool]:
        """Token ids within the limit; the middle of a long response is left out."""
        ids = self._lm.ids(self._text(prompt, sample, sample.response))
        if len(ids) <= self._limit:
            return ids, False
        tokenizer = self._lm.tokenizer
        response = tokenizer(sample.response, add_special_tokens=False)["input_ids"]
        keep = len(response) - (len(ids) - self._limit) - 8
        while keep >= 2:
            head, tail = response[: keep - keep // 2], response[-(keep // 2) :]
            short = f"{tokenizer.decode(head)} ... {tokenizer.decode(tail)}"
            ids = self._lm.ids(self._text(prompt, sample, short))
            if len(ids) <= self._limit:
                return ids, True
            keep -= len(ids) - self._limit + 4
        return [], True


@dataclass(frozen=True)
class SelectIT(Scorer):
    """Token-R, Sentence-R and Model-R over one or more models."""

    name: ClassVar[str] = "selectit"
    title: ClassVar[str] = "SelectIT"
    source: ClassVar[str] = "SelectIT, arXiv 2402.16705, section 3"
    packaged: ClassVar[bool] = True
    levels: ClassVar = ("selectit_token", "selectit_sentence", "selectit")

    models: tuple[dict[str, Any], ...] = field(default=())
    """``ModelSpec`` dicts, smallest first."""
    n_levels: int = option(5, "Rating levels", low=2, high=9)
    n_prompts: int = option(5, "Rating prompts", low=1, high=50)
    alpha: float = option(0.2, "How much the prompts' disagreement counts", low=0, high=10)
    profile: str = option(
        "paper", "reference = as the published code", choices=("paper", "reference")
    )
    variant: str = option(
        "uncertainty", "How a token score is made", choices=("uncertainty", "expected_rating")
    )
    max_tokens: int = option(2048, "Longest text that is read", low=32, high=1_000_000)
    prompts_file: str = option("", "Text file of rating prompts, one per line", opens="file")
    order: str = option(
        PROMPT_FIRST,
        "sample_first reads a sample once for all prompts; other scores than the paper's order",
        choices=(PROMPT_FIRST, SAMPLE_FIRST),
    )

    def passes(self) -> tuple[RatingPass, ...]:
        """One per model."""
        if not self.models:
            raise InputError(
                "SelectIT needs a model to rate with.",
                f"Give --model FOLDER_OR_ID, or: {SMOLLM2.install}",
            )
        prompts = rating_prompts(self.n_prompts, self.n_levels, self.prompts_file)
        return tuple(
            RatingPass(model_spec(m), prompts, self.n_levels, self.max_tokens, self.order)
            for m in self.models
        )

    def columns(self, samples: Sequence[Sample], found: Found) -> dict[str, Column]:
        """``selectit`` (the final score), its levels, and the digit mass."""
        works = self.passes()
        raws = [self._raw(found[work.key], len(samples)) for work in works]
        tokens = [token_scores(digit_shares(r, self._profile), self._variant) for r in raws]
        sentences = np.stack([sentence_scores(t, self.alpha) for t in tokens])
        sizes = [float(found[work.key]["size_b"][0]) for work in works]
        weights = model_weights(sizes, "reference" if self._reference(works) else "paper")
        final = model_scores(sentences, weights)
        mass = np.stack([r.sum(axis=-1).min(axis=-1) for r in raws]).min(axis=0)
        reasons = self._reasons(works, found, final, mass)
        largest = int(np.argmax(sizes))
        score = Column(final, reasons, "SelectIT", DIRECTION, "rating levels")
        return {
            "selectit": score,
            "selectit_token": Column(
                tokens[largest][:, 0], reasons, "SelectIT Token-R", DIRECTION, "rating levels"
            ),
            "selectit_sentence": Column(
                sentences[largest], reasons, "SelectIT Sentence-R", DIRECTION, "rating levels"
            ),
            "selectit_digit_mass": Column(
                mass, reasons, "Probability of any rating digit", "higher = the model plays along"
            ),
        }

    @property
    def _profile(self) -> Any:
        return self.profile

    @property
    def _variant(self) -> Any:
        return self.variant

    def _reference(self, works: Sequence[RatingPass]) -> bool:
        return self.profile == "reference" and len(works) == 3

    def _raw(self, found: Mapping[str, Sequence[Any]], n: int) -> np.ndarray:
        flat = np.array(found["probabilities"], dtype=np.float64)
        return flat.reshape(n, self.n_prompts, self.n_levels)

    def _reasons(
        self,
        works: Sequence[RatingPass],
        found: Found,
        final: np.ndarray,
        mass: np.ndarray,
    ) -> list[str | None]:
        reasons: list[str | None] = []
        for row, value in enumerate(final):
            own = next((r for w in works if (r := found[w.key]["reason"][row])), None)
            cut = any(found[w.key]["truncated"][row] for w in works)
            if np.isnan(value) and own is None and not mass[row] >= MIN_DIGIT_MASS:
                own = "the model gives the rating digits no probability"
            reasons.append(own or ("truncated: the middle of the response" if cut else None))
        return reasons
