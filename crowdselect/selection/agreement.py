"""Agreement: a judge that needs no model. An answer is as good as many models gave the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from crowdselect.equal_texts import normal_text
from crowdselect.values import FloatArray

Answers = Sequence[str | None]
"""One instruction's answers, one per model; None or blank: it gave none."""
Encode = Callable[[Sequence[str]], npt.NDArray[np.float32]]
"""Texts -> unit vectors, shape (k, d)."""


def same_answer(text: str) -> str:
    """``text`` as answers are compared: case, white space and a last full stop do not count."""
    return normal_text(text).rstrip(".").rstrip()


def agreement(rows: Sequence[Answers], models: int) -> FloatArray:
    """Share of the models that answered which gave the same answer, shape (n, models).

    The answer's own model is counted; NaN where there is no answer. Answers are the same as
    :func:`same_answer` says.
    """
    shares = np.full((len(rows), models), np.nan)
    for i, answers in enumerate(rows):
        said = {j: same_answer(t) for j, t in enumerate(answers) if t and t.strip()}
        counts = Counter(said.values())
        for j, text in said.items():
            shares[i, j] = counts[text] / len(said)
    return shares


def alike(rows: Sequence[Answers], models: int, encode: Encode, least: float) -> FloatArray:
    """As :func:`agreement`; answers are also the same where their vectors' cosine is ``least``."""
    shares = np.full((len(rows), models), np.nan)
    for i, answers in enumerate(rows):
        said = {j: same_answer(t) for j, t in enumerate(answers) if t and t.strip()}
        texts = list(dict.fromkeys(said.values()))
        if not texts:
            continue
        counts = np.array([Counter(said.values())[text] for text in texts], dtype=np.float64)
        vectors = encode(texts)
        near = (vectors @ vectors.T >= least) | np.eye(len(texts), dtype=bool)
        share = dict(zip(texts, near @ counts / len(said), strict=True))
        for j, text in said.items():
            shares[i, j] = share[text]
    return shares


def consensus(rows: Sequence[Answers], models: int) -> FloatArray:
    """Order answers by how common they are, shape (n, models): more is better, NaN: no answer.

    First by :func:`agreement`, then by how many models gave the very same text; where no two
    answers agree, by how central each is: its words' mean Jaccard index with the others'. Answers
    that are equal in all have the same number.
    """
    found = agreement(rows, models)
    for i, answers in enumerate(rows):
        there = np.flatnonzero(~np.isnan(found[i]))
        if not len(there):
            continue
        texts = [str(answers[j]).strip() for j in there.tolist()]
        exact = Counter(texts)
        second = [float(exact[t]) for t in texts]
        if len(there) > 1 and found[i, there].max() * len(there) < 2:
            second = _central([set(same_answer(t).split()) for t in texts])
        keys = list(zip(found[i, there].tolist(), second, strict=True))
        order = {key: place for place, key in enumerate(sorted(set(keys)))}
        found[i, there] = [float(order[key]) for key in keys]
    return found


def _central(words: Sequence[set[str]]) -> list[float]:
    """Mean Jaccard index of each set with the others, rounded so that sums' order says nothing."""
    shared = np.array([[len(a & b) / (len(a | b) or 1) for b in words] for a in words])
    return [round(float(x), 9) for x in (shared.sum(axis=1) - np.diag(shared)) / (len(words) - 1)]
