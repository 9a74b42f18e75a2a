"""Preferences and win rates of AlpacaEval, the length-controlled one by our own fit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from crowdselect.benchmark.base import Item, Score
from crowdselect.benchmark.statistics import LEVEL, Interval, cluster_bootstrap, resamples
from crowdselect.values import FloatArray

LENGTH_CONTROLLED = "length-controlled win rate % (own)"


def preference_of_logprobs(logprobs: Mapping[str, float]) -> float | None:
    """1 + p(M) / (p(m) + p(M)) in [1, 2]: how much the second answer is preferred; None: neither.

    As alpaca_eval's ``logprob_parser``: a letter that is not among the candidates has p = 0.
    """
    first, second = (math.exp(logprobs.get(k, -math.inf)) for k in ("m", "M"))
    return 1 + second / (first + second) if first + second > 0 else None


def preference_of_letter(text: str) -> float | None:
    """1 for ``m``, 2 for ``M``; None for anything else (a final full stop is forgiven)."""
    return {"m": 1.0, "M": 2.0}.get(text.strip().strip(".`*\"'"))


def outcome(preference: float) -> float:
    """Preference minus 1, in [0, 1]; 0 means a tie, as alpaca_eval has it."""
    return 0.5 if preference == 0 else preference - 1


def discrete(share: float) -> float:
    """Win, tie or loss: 1, 0.5 or 0."""
    return 0.5 if share == 0.5 else float(share > 0.5)


def length_feature(delta: FloatArray) -> FloatArray:
    """Hyperbolic tangent of the anchor's length minus the model's, in standard deviations."""
    spread = float(np.std(delta, ddof=1)) if len(delta) > 1 else 0.0
    feature: FloatArray = np.tanh(delta / spread) if spread else np.zeros(len(delta))
    return feature


def length_controlled(won: FloatArray, feature: FloatArray, weights: FloatArray) -> FloatArray:
    """Win rate at equal lengths: logistic regression on the length feature, read at 0.

    The ``length_controlled_minimal`` form of alpaca_eval (Dubois et al. 2024) without its
    cross-validated penalty: exact maximum likelihood by Newton's method.

    Parameters
    ----------
    won, feature
        Shape (n,): outcome in [0, 1] and :func:`length_feature`.
    weights
        Shape (r, n): how often each question counts, one row per resample.

    Returns
    -------
    ndarray
        Shape (r,), in [0, 1].
    """
    slope, start = np.zeros(len(weights)), np.zeros(len(weights))
    ridge = 1e-6  # keeps a resample in which all won, or lengths are equal, from running away
    for _ in range(50):
        odds = start[:, None] + slope[:, None] * feature
        chance = 1 / (1 + np.exp(-np.clip(odds, -35, 35)))
        rest, bend = weights * (won - chance), weights * chance * (1 - chance)
        gradient = np.stack([rest.sum(1), (rest * feature).sum(1) - ridge * slope], axis=1)
        cross = (bend * feature).sum(1)
        first, last = bend.sum(1) + ridge, (bend * feature**2).sum(1) + ridge
        determinant = first * last - cross**2
        steps = np.stack(
            [
                (last * gradient[:, 0] - cross * gradient[:, 1]) / determinant,
                (first * gradient[:, 1] - cross * gradient[:, 0]) / determinant,
            ],
            axis=1,
        )
        steps = np.clip(steps, -4, 4)
        start, slope = start + steps[:, 0], slope + steps[:, 1]
        if np.abs(steps).max() < 1e-10:
            break
    rates: FloatArray = 1 / (1 + np.exp(-np.clip(start, -35, 35)))
    return rates


def alpaca_scores(found: list[Score], items: Sequence[Item], seed: int) -> list[Score]:
    """Add the discrete and the length-controlled win rate, in percent."""
    headline = found[0]
    valid = [i for i in items if i.value is not None]
    if not valid:
        return found
    won = np.array([(i.value or 0.0) / 100 for i in valid])
    plain = cluster_bootstrap(
        [100 * discrete(float(w)) for w in won], [i.question for i in valid], seed=seed
    )
    feature = length_feature(np.array([float(i.details["delta_length"]) for i in valid]))
    value = length_controlled(won, feature, np.ones((1, len(won))))[0]
    draws = np.concatenate(
        [length_controlled(won, feature, d.astype(float)) for d in resamples(len(won), seed)]
    )
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    controlled = Interval(100 * float(value), 100 * float(low), 100 * float(high))
    return [
        headline,
        replace(headline, metric=LENGTH_CONTROLLED, interval=controlled),
        replace(headline, metric="discrete win rate %", interval=plain),
        *found[1:],
    ]
