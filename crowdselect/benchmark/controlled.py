"""Win rates with the effect of length or style taken out, by logistic regression."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from crowdselect.benchmark.statistics import Interval, jackknife, unseen
from crowdselect.values import FloatArray

STYLE = ("length", "headings", "lists", "bold")
"""Columns of :func:`style_features`."""

_CODE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_MARKS = (
    re.compile(r"^#{1,6}\s", re.MULTILINE),
    re.compile(r"^\s*(?:[-*+]|\d+[.)])\s", re.MULTILINE),
    re.compile(r"\*\*[^*\n]+\*\*|__[^_\n]+__"),
)


def style_features(answer: str, anchor: str) -> tuple[float, float, float, float]:
    """How the answer differs from the anchor's in style: :data:`STYLE`, each within [-1, 1].

    Arena-Hard's features: (a - b) / (a + b) of the lengths in words, and (a - b) / (a + b + 1) of
    headings, list items and bold passages per word; what stands in code blocks is no markdown.
    """
    (words, *marks), (others, *other_marks) = _counts(answer), _counts(anchor)
    length = (words - others) / (words + others) if words + others else 0.0
    pairs = [(a / (words + 1), b / (others + 1)) for a, b in zip(marks, other_marks, strict=True)]
    first, second, third = ((a - b) / (a + b + 1) for a, b in pairs)
    return length, first, second, third


def _counts(text: str) -> tuple[int, ...]:
    prose = _CODE.sub("", text)
    return len(text.split()), *(len(mark.findall(prose)) for mark in _MARKS)


def controlled_interval(
    won: FloatArray, features: FloatArray, weights: FloatArray, questions: Sequence[str]
) -> Interval:
    """:func:`controlled_rate` with an interval, all in [0, 1].

    The jackknife leaves out one whole question at a time, on the scale of the logits, so that the
    ends stay within [0, 1]. Where all outcomes are alike there is nothing to fit. ``weights`` and
    ``questions``: one per row.
    """
    names, places = np.unique(np.array(questions), return_inverse=True)
    if won.min() == won.max():
        return unseen(float(won[0]), len(names), (0.0, 1.0))
    fits = np.concatenate([np.zeros((1, len(names))), np.eye(len(names))])
    kept = (1 - fits[:, places]) * weights
    logits = _logit(controlled_rate(won, features, kept))
    found = jackknife(float(logits[0]), logits[1:], used=1 + features.shape[1])
    return Interval(*(1 / (1 + math.exp(-x)) for x in (found.value, found.low, found.high)))


def _logit(rate: FloatArray) -> FloatArray:
    inside = np.clip(rate, 1e-15, 1 - 1e-15)
    logits: FloatArray = np.log(inside / (1 - inside))
    return logits


def controlled_rate(won: FloatArray, features: FloatArray, weights: FloatArray) -> FloatArray:
    """Win rate where every feature is 0: logistic regression with an intercept, read at 0.

    Exact maximum likelihood by Newton's method, for many sets of weights at once.

    Parameters
    ----------
    won
        Shape (n,): outcome in [0, 1].
    features
        Shape (n, k): differences from the anchor, 0 where both are alike.
    weights
        Shape (r, n): how often each row counts, one row per fit.

    Returns
    -------
    ndarray
        Shape (r,), in [0, 1].
    """
    spread = features.std(axis=0)
    scaled = features / np.where(spread > 0, spread, 1.0)
    design = np.column_stack([np.ones(len(won)), scaled])
    squares = design[:, :, None] * design[:, None, :]
    ridge = 1e-6  # keeps a fit in which all won, or nothing differs, from running away
    beta = np.zeros((len(weights), design.shape[1]))
    for _ in range(50):
        chance = 1 / (1 + np.exp(-np.clip(beta @ design.T, -35, 35)))
        gradient = (weights * (won - chance)) @ design
        gradient[:, 1:] -= ridge * beta[:, 1:]
        bend = np.tensordot(weights * chance * (1 - chance), squares, axes=1)
        bend += ridge * np.eye(design.shape[1])
        steps = np.clip(np.linalg.solve(bend, gradient[..., None])[..., 0], -4, 4)
        beta = beta + steps
        if np.abs(steps).max() < 1e-10:
            break
    rates: FloatArray = 1 / (1 + np.exp(-np.clip(beta[:, 0], -35, 35)))
    return rates
