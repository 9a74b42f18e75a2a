"""Intervals and comparisons: bootstrap over questions, paired differences, Holm's correction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crowdselect.values import FloatArray

RESAMPLES = 2000
LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """An estimate with its percentile bootstrap interval; NaN where nothing could be estimated."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """A paired difference (first minus second) of two models on the same questions."""

    first: str
    second: str
    interval: Interval
    p_value: float
    """Two-sided bootstrap p-value of "no difference"."""
    adjusted_p: float
    """After Holm's correction over all differences reported together."""
    questions: int
    """Questions that both answered without a failure."""
    seeds: tuple[int, int]
    """Runs (training seeds) on either side."""

    def distinguishable(self, level: float = LEVEL) -> bool:
        """Whether the difference survives the correction at this confidence level."""
        return self.adjusted_p < 1 - level

    def sentence(self, level: float = LEVEL) -> str:
        """The outcome in plain words."""
        value, low, high = self.interval.value, self.interval.low, self.interval.high
        span = f"{value:+.3g} ({low:+.3g} to {high:+.3g}), {self.questions} questions"
        if np.isnan(value):
            return f"{self.first} and {self.second} share no question."
        if not self.distinguishable(level):
            return f"{self.first} and {self.second} are not distinguishable at {level:.0%}: {span}."
        word = "higher" if value > 0 else "lower"
        return f"{self.first} scores {word} than {self.second}: {span}."


def resamples(groups: int, seed: int, count: int = RESAMPLES) -> npt.NDArray[np.int64]:
    """How often each of ``groups`` is drawn in each resample: shape (count, groups), int64."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(groups, np.full(groups, 1 / groups), size=count).astype(np.int64)


def cluster_bootstrap(
    values: Sequence[float],
    groups: Sequence[str],
    *,
    weights: Sequence[float] | None = None,
    seed: int = 42,
    level: float = LEVEL,
) -> Interval:
    """Weighted mean with a percentile interval that resamples whole groups (questions).

    Judgements of one question (two turns, two games) are not independent; resampling them
    one by one would make the interval too narrow (Efron and Tibshirani 1993, chapter 8).

    Parameters
    ----------
    values, groups, weights
        Same length; any order. An empty input gives NaN three times.
    """
    if not len(values):
        return Interval(float("nan"), float("nan"), float("nan"))
    sums, counts = _by_group(values, groups, weights)
    draws = resamples(len(sums), seed)
    means = (draws @ sums) / np.maximum(draws @ counts, np.finfo(float).tiny)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(sums.sum() / counts.sum()), float(low), float(high))


def _by_group(
    values: Sequence[float], groups: Sequence[str], weights: Sequence[float] | None
) -> tuple[FloatArray, FloatArray]:
    names, place = np.unique(np.asarray(groups, dtype=object).astype(str), return_inverse=True)
    weight = np.ones(len(values)) if weights is None else np.asarray(weights, dtype=np.float64)
    sums = np.bincount(place, weights=weight * np.asarray(values, dtype=np.float64))
    counts = np.bincount(place, weights=weight)
    del names
    return sums.astype(np.float64), counts.astype(np.float64)


def paired_bootstrap(
    first: Sequence[Mapping[str, float]],
    second: Sequence[Mapping[str, float]],
    *,
    seed: int = 42,
    level: float = LEVEL,
) -> tuple[Interval, float, int]:
    """Mean difference over the questions both sides share, resampling questions and seeds.

    Parameters
    ----------
    first, second
        One mapping question -> value per run (training seed) of either side.

    Returns
    -------
    tuple
        The interval of mean(first) - mean(second), the two-sided p-value and the number of shared
        questions. With one run on a side only questions vary there, so the interval leaves the
        spread between training seeds out; the caller says so.
    """
    shared = sorted(set.intersection(*(set(run) for run in [*first, *second])))
    if not shared:
        nan = float("nan")
        return Interval(nan, nan, nan), 1.0, 0
    a = np.array([[run[q] for q in shared] for run in first])
    b = np.array([[run[q] for q in shared] for run in second])
    draws = resamples(len(shared), seed) / len(shared)
    picks_a = resamples(len(a), seed + 1) / len(a)
    picks_b = resamples(len(b), seed + 2) / len(b)
    means_a = np.einsum("rs,rs->r", picks_a, draws @ a.T)
    means_b = np.einsum("rs,rs->r", picks_b, draws @ b.T)
    deltas = means_a - means_b
    low, high = np.quantile(deltas, [(1 - level) / 2, (1 + level) / 2])
    value = float(a.mean() - b.mean())
    return Interval(value, float(low), float(high)), _p_value(deltas), len(shared)


def _p_value(deltas: FloatArray) -> float:
    """Twice the share of resamples on the other side of zero, at least 2 / (B + 1)."""
    count = len(deltas)
    below, above = int((deltas <= 0).sum()), int((deltas >= 0).sum())
    return float(min(1.0, 2 * (min(below, above) + 1) / (count + 1)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p-values, in the input's order (Holm 1979)."""
    order = np.argsort(np.asarray(p_values, dtype=np.float64), kind="stable")
    adjusted = [1.0] * len(p_values)
    running = 0.0
    for rank, place in enumerate(order):
        running = max(running, (len(p_values) - rank) * p_values[place])
        adjusted[place] = min(1.0, running)
    return adjusted
