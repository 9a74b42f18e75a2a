"""A base model's likelihoods as rewards: which of the crowd's answers it finds likeliest.

GRAPE (arXiv 2502.04194) trains on the answer with the highest likelihood under the model to be
tuned. The reward is the mean log-probability per token of the answer after its question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from crowdselect.errors import InputError
from crowdselect.lm.language_model import LanguageModel, ModelSpec
from crowdselect.lm.messages import user
from crowdselect.lm.passes import Columns, Pass, Sample, Worker
from crowdselect.lm.template import render

QUESTION = "{question}"
FORMS = {"plain": QUESTION + "\n", "chat": ""}
"""Names of forms, and the text before the answer; empty: the model's chat form."""


def form_of(text: str) -> str:
    """The text before the answer, with ``{question}`` in it; empty: the chat form.

    Raises InputError for a text that does not say where the question goes.
    """
    form = FORMS.get(text, text)
    if text != "chat" and QUESTION not in form:
        raise InputError(
            f"The form {text!r} does not say where the question goes.",
            f"Write plain, chat, or a text with {QUESTION} in it.",
        )
    return form


@dataclass(frozen=True)
class LikelihoodPass(Pass):
    """One language model reads every answer after its question."""

    version: ClassVar[int] = 1

    spec: dict[str, Any]
    form: str
    max_length: int

    @property
    def label(self) -> str:
        """The pass in a few words."""
        return f"likelihoods by {self.spec['model']}"

    def worker(self, keep: Path) -> Worker:
        """Load the model; it is loaded once per process."""
        return _Reader(self)


class _Reader:
    def __init__(self, work: LikelihoodPass) -> None:
        self._lm = LanguageModel(ModelSpec.parse(work.spec, "the model's options"))
        self._limit = min(work.max_length, self._lm.longest)
        self._form = work.form
        if not self._lm.tokenizer.is_fast:
            raise InputError(
                f"The tokenizer of {work.spec['model']} cannot say where a token starts.",
                "Use a model with a fast tokenizer (tokenizer.json).",
            )

    def __call__(self, samples: Sequence[Sample]) -> Columns:
        rows = [self._encode(sample) for sample in samples]
        fitting = [i for i, (ids, _) in enumerate(rows) if len(ids) <= self._limit]
        found = np.full(len(rows), np.nan)
        if fitting:
            losses = self._lm.losses([rows[i][0] for i in fitting], [rows[i][1] for i in fitting])
            found[fitting] = -losses.mean
        long = f"longer than {self._limit} tokens"
        reasons = [long if len(ids) > self._limit else None for ids, _ in rows]
        return {"grade": [None if np.isnan(v) else float(v) for v in found], "reason": reasons}

    def _encode(self, sample: Sample) -> tuple[list[int], int]:
        """Token ids, and the place of the answer's first token, found by its characters."""
        tokenizer = self._lm.tokenizer
        if self._form:
            before = self._form.replace(QUESTION, sample.question)
        else:
            before = render(tokenizer, sample.prompt or (user(sample.instruction),))
        coded = tokenizer(
            before + sample.response,
            return_offsets_mapping=True,
            add_special_tokens=bool(self._form),
        )
        ends = [end for _, end in coded["offset_mapping"]]
        start = next((i for i, end in enumerate(ends) if end > len(before)), len(ends))
        return coded["input_ids"], start
