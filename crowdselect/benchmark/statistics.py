"""Intervals that hold at small numbers: t with effective degrees of freedom, exact rates, Holm."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from crowdselect.values import FloatArray

LEVEL = 0.95
Bounds = tuple[float, float]
"""Least and greatest possible value of an item."""
_NOTHING = 1e-24
"""A variance below this share of the squared scale is rounding, no spread."""


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence interval; NaN where nothing could be estimated."""

    value: float
    low: float
    high: float


Sums = Mapping[str, tuple[float, float]]
"""Question -> weighted sum of its values and sum of its weights."""


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


def mean_interval(
    values: Sequence[float],
    groups: Sequence[str],
    *,
    weights: Sequence[float] | None = None,
    bounds: Bounds | None = None,
    level: float = LEVEL,
) -> Interval:
    """Weighted mean with an interval over whole groups (questions).

    Judgements of one question (two turns, two games) are not independent: they count as one.

    - A plain rate (every question once, at one end of ``bounds``): Clopper and Pearson 1934.
    - All questions alike: the chance of what was never seen, :func:`unseen`; without bounds there
      is nothing to go by, and no interval.
    - Else the linearised ratio (Cochran 1977, 6.12) with :func:`spread`'s variance and degrees of
      freedom, kept within ``bounds``; equal weights give Student's t interval.

    Parameters
    ----------
    values, groups, weights
        Same length; any order. An empty input gives NaN three times, a single group no interval.
    bounds
        Least and greatest possible value; None: unbounded.
    """
    found = sums_by_group(values, groups, weights)
    if not found:
        return Interval(math.nan, math.nan, math.nan)
    return interval_of_sums(np.array([found[name] for name in sorted(found)]), bounds, level)


def interval_of_sums(
    table: FloatArray, bounds: Bounds | None = None, level: float = LEVEL
) -> Interval:
    """:func:`mean_interval` of weighted sums and weights per question, shape (n, 2)."""
    total, mass = table.sum(axis=0)
    mean = float(total / mass)
    if len(table) == 1:
        return Interval(mean, math.nan, math.nan)
    if bounds is not None and _plain_rate(table, bounds):
        return exact_rate(mean, len(table), bounds, level)
    variance, freedom = spread((table[:, 0] - mean * table[:, 1]) / mass, table[:, 1] / mass)
    if no_spread(variance, mean):
        return unseen(mean, len(table), bounds, level)
    reach = math.sqrt(variance) * t_quantile(freedom, level)
    return within(Interval(mean, mean - reach, mean + reach), bounds)


def no_spread(variance: float, scale: float) -> bool:
    """Whether a variance is nothing but rounding beside values of this size."""
    return variance <= _NOTHING * max(1.0, scale * scale)


def t_quantile(freedom: float, level: float) -> float:
    """The two-sided critical value of Student's t."""
    return float(-special.stdtrit(freedom, (1 - level) / 2))


def spread(shares: FloatArray, weights: FloatArray) -> tuple[float, float]:
    """Variance of a weighted mean and its degrees of freedom (Bell and McCaffrey 2002).

    Each squared residual is divided by what weighting takes from it, so that the variance is
    unbiased for values of one spread; the degrees of freedom are those of the chi-squared
    distribution with the same first two moments. Equal weights give s² / n and n - 1; a few heavy
    questions leave few degrees of freedom, however many questions there are.

    Parameters
    ----------
    shares
        Shape (n,): each question's weighted residual as a share of the mean; they sum to 0.
    weights
        Shape (n,): the questions' weights, summing to 1.
    """
    h, c = weights, float(weights @ weights)
    kept = np.maximum(1 - 2 * h + c, np.finfo(np.float64).tiny)
    variance = float((shares**2 / kept).sum())
    a = h**2 / kept
    a0, a1, a2 = (float((a * h**k).sum()) for k in range(3))
    every = c * c * a0 * a0 + 2 * a0 * a2 + 2 * a1 * a1 - 4 * c * a0 * a1
    alone = float((a**2 * (kept**2 - (c - 2 * h) ** 2)).sum())
    return variance, max(1.0, c * c / (every + alone))


def _plain_rate(table: FloatArray, bounds: Bounds) -> bool:
    """Whether every question counts the same and lies at one of the bounds."""
    weights = table[:, 1]
    if not np.allclose(weights, weights[0], rtol=1e-9, atol=0):
        return False
    return bool(np.isin(table[:, 0] / weights, bounds).all())


def exact_rate(mean: float, n: int, bounds: Bounds, level: float = LEVEL) -> Interval:
    """Clopper and Pearson's (1934) interval of a rate over ``n`` questions, in ``bounds``' unit.

    It holds the truth at least as often as it says: 0 of 10 right is 0 to 31 %, never 0 to 0.
    """
    low, high = bounds
    hits = round((mean - low) / (high - low) * n)
    tail = (1 - level) / 2
    ends = (
        float(special.betaincinv(hits, n - hits + 1, tail)) if hits else 0.0,
        float(special.betaincinv(hits + 1, n - hits, 1 - tail)) if hits < n else 1.0,
    )
    return Interval(mean, *(low + (high - low) * end for end in ends))


def unseen(mean: float, n: int, bounds: Bounds | None, level: float = LEVEL) -> Interval:
    """The interval where all ``n`` questions came out alike.

    Another outcome may have a probability of 1 - ((1 - level) / 2)^(1/n) and still not have been
    seen, and lie at either bound; at a bound this is Clopper and Pearson's interval.
    """
    if bounds is None:
        return Interval(mean, math.nan, math.nan)
    chance = 1 - ((1 - level) / 2) ** (1 / n)
    low, high = bounds
    return Interval(mean, mean - chance * (mean - low), mean + chance * (high - mean))


def within(interval: Interval, bounds: Bounds | None) -> Interval:
    """The interval cut at what is possible."""
    if bounds is None:
        return interval
    return Interval(interval.value, max(interval.low, bounds[0]), min(interval.high, bounds[1]))


def jackknife(
    value: float, without: FloatArray, level: float = LEVEL, *, used: int = 1
) -> Interval:
    """Interval of a smooth statistic from leaving out one question at a time (Miller 1974).

    Parameters
    ----------
    value
        The statistic of all questions.
    without
        Shape (n,): the statistic without each of them.
    used
        Numbers that were fitted; they leave n - used degrees of freedom. Too few questions, or
        no spread between them: no interval.
    """
    n = len(without)
    variance = (n - 1) / n * float(((without - without.mean()) ** 2).sum()) if n else 0.0
    if n <= used or no_spread(variance, value):
        return Interval(value, math.nan, math.nan)
    reach = math.sqrt(variance) * t_quantile(n - used, level)
    return Interval(value, value - reach, value + reach)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p-values, in the input's order (Holm 1979)."""
    order = np.argsort(np.asarray(p_values, dtype=np.float64), kind="stable")
    adjusted = [1.0] * len(p_values)
    running = 0.0
    for rank, place in enumerate(order):
        running = max(running, (len(p_values) - rank) * p_values[place])
        adjusted[place] = min(1.0, running)
    return adjusted
