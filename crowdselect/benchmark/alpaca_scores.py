"""Preferences and win rates of AlpacaEval, the length-controlled one by our own fit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from crowdselect.benchmark.base import Item, Score
from crowdselect.benchmark.controlled import controlled_interval
from crowdselect.benchmark.statistics import Interval, mean_interval
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


def alpaca_scores(found: list[Score], items: Sequence[Item]) -> list[Score]:
    """Add the discrete and the length-controlled win rate, in percent.

    The latter is alpaca_eval's ``length_controlled_minimal`` form (Dubois et al. 2024) without its
    cross-validated penalty.
    """
    headline = found[0]
    valid = [i for i in items if i.value is not None]
    if not valid:
        return found
    won = np.array([(i.value or 0.0) / 100 for i in valid])
    names = [i.question for i in valid]
    plain = mean_interval([100 * discrete(float(w)) for w in won], names, bounds=(0.0, 100.0))
    feature = length_feature(np.array([float(i.details["delta_length"]) for i in valid]))
    rate = controlled_interval(won, feature[:, None], np.ones(len(won)), names)
    controlled = Interval(100 * rate.value, 100 * rate.low, 100 * rate.high)
    return [
        headline,
        replace(headline, metric=LENGTH_CONTROLLED, interval=controlled),
        replace(headline, metric="discrete win rate %", interval=plain),
        *found[1:],
    ]
