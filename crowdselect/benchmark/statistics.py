"""Intervals and comparisons: bootstrap over questions, paired differences, Holm's correction."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
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
    higher_is_better: bool = True

    def distinguishable(self, level: float = LEVEL) -> bool:
        """Whether the difference survives the correction at this confidence level."""
        return self.adjusted_p < 1 - level

    def sentence(self, level: float = LEVEL) -> str:
        """The outcome in plain words."""
        value, low, high = self.interval.value, self.interval.low, self.interval.high
        if math.isnan(value):
            return f"{self.first} and {self.second} share no question."
        corrected = " after Holm's correction" if self.adjusted_p > self.p_value else ""
        span = (
            f"{value:+.3g} ({low:+.3g} to {high:+.3g}), {self.questions:,} questions, "
            f"p = {self.adjusted_p:.2g}{corrected}"
        )
        if not self.distinguishable(level):
            return f"{self.first} and {self.second} are not distinguishable at {level:.0%}: {span}."
        word = "better" if (value > 0) == self.higher_is_better else "worse"
        return f"{self.first} is {word} than {self.second}: {span}."


Sums = Mapping[str, tuple[float, float]]
"""Question -> weighted sum of its values and sum of its weights."""


def resamples(
    groups: int, seed: int, count: int = RESAMPLES, *, cells: int = 4_000_000
) -> Iterator[npt.NDArray[np.int64]]:
    """How often each of ``groups`` is drawn, in blocks of resamples of shape (rows, groups).

    ``count`` rows altogether; a block holds at most about ``cells`` numbers.
    """
    rng = np.random.default_rng(seed)
    rows = max(1, cells // max(1, groups))
    for start in range(0, count, rows):
        size = min(rows, count - start)
        yield rng.multinomial(groups, np.full(groups, 1 / groups), size=size).astype(np.int64)


def cluster_bootstrap(
    values: Sequence[float],
    groups: Sequence[str],
    *,
    weights: Sequence[float] | None = None,
    bounds: tuple[float, float] | None = None,
    seed: int = 42,
    level: float = LEVEL,
) -> Interval:
    """Weighted mean with a percentile interval that resamples whole groups (questions).

    Judgements of one question (two turns, two games) are not independent; resampling them
    one by one would make the interval too narrow (Efron and Tibshirani 1993, chapter 8).

    Parameters
    ----------
    values, groups, weights
        Same length; any order. An empty input gives NaN three times, a single group no interval.
    bounds
        Least and greatest possible value. Where all questions lie on one of them, resampling
        shows no spread at all; the far end is then Clopper and Pearson's (1934) for so many
        questions: 0 of 10 right is 0 to 31 %, not 0 to 0.
    """
    found = sums_by_group(values, groups, weights)
    if not found:
        return Interval(math.nan, math.nan, math.nan)
    table = np.array([found[name] for name in sorted(found)])
    total = table.sum(axis=0)
    mean = float(total[0] / total[1])
    if len(table) == 1:
        return Interval(mean, math.nan, math.nan)
    if bounds is not None and np.isin(mean, bounds):
        reach = (bounds[1] - bounds[0]) * (1 - ((1 - level) / 2) ** (1 / len(table)))
        low_end, high_end = (mean, mean + reach) if mean == bounds[0] else (mean - reach, mean)
        return Interval(mean, low_end, high_end)
    means = np.concatenate([_ratio(draws @ table) for draws in resamples(len(table), seed)])
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(mean, float(low), float(high))


def sums_by_group(
    values: Sequence[float], groups: Sequence[str], weights: Sequence[float] | None = None
) -> dict[str, tuple[float, float]]:
    """Weighted sum and sum of weights of each group."""
    found: dict[str, tuple[float, float]] = {}
    for place, (value, group) in enumerate(zip(values, groups, strict=True)):
        weight = 1.0 if weights is None else weights[place]
        total, mass = found.get(group, (0.0, 0.0))
        found[group] = (total + weight * value, mass + weight)
    return found


def _ratio(sums: FloatArray) -> FloatArray:
    """Weighted means from sums of shape (..., 2)."""
    means: FloatArray = sums[..., 0] / np.maximum(sums[..., 1], np.finfo(np.float64).tiny)
    return means


def paired_bootstrap(
    first: Sequence[Sums],
    second: Sequence[Sums],
    *,
    seed: int = 42,
    level: float = LEVEL,
) -> tuple[Interval, float, int]:
    """Difference of weighted means over the questions all runs share, resampling both levels.

    Questions are resampled in pairs: one draw serves every run. Runs (training seeds) are
    resampled within each side.

    Parameters
    ----------
    first, second
        One mapping per run of either side; a side's mean is the mean over its runs.

    Returns
    -------
    tuple
        The interval of mean(first) - mean(second), the two-sided p-value and the number of shared
        questions. With one run on a side only questions vary there, so the interval leaves the
        spread between training seeds out; the caller says so.
    """
    shared = sorted(set.intersection(*(set(run) for run in [*first, *second])))
    if not shared:
        return Interval(math.nan, math.nan, math.nan), 1.0, 0
    sides = [np.array([[run[q] for q in shared] for run in side]) for side in (first, second)]
    blocks = [[_run_means(draws, side) for side in sides] for draws in resamples(len(shared), seed)]
    means = [np.concatenate([block[k] for block in blocks]) for k in (0, 1)]
    picks = [
        np.concatenate(list(resamples(len(side), seed + 1 + k))) / len(side)
        for k, side in enumerate(sides)
    ]
    deltas = (picks[0] * means[0]).sum(axis=1) - (picks[1] * means[1]).sum(axis=1)
    low, high = np.quantile(deltas, [(1 - level) / 2, (1 + level) / 2])
    value = float(np.subtract(*(_ratio(side.sum(axis=1)).mean() for side in sides)))
    return Interval(value, float(low), float(high)), p_value(deltas), len(shared)


def _run_means(draws: npt.NDArray[np.int64], side: FloatArray) -> FloatArray:
    """Weighted mean of each run in each resample: (resamples, runs) from (runs, questions, 2)."""
    return np.stack([_ratio(draws @ run) for run in side], axis=1)


def p_value(deltas: FloatArray) -> float:
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
