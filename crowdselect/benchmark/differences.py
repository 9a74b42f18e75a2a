"""Paired differences: questions and training seeds as crossed random effects."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from crowdselect.benchmark.statistics import (
    LEVEL,
    Bounds,
    Interval,
    Sums,
    interval_of_sums,
    no_spread,
    spread,
    unseen,
    within,
)
from crowdselect.values import FloatArray

MIN_QUESTIONS = 5
"""Below so many shared questions no difference is called one."""
ENOUGH_QUESTIONS = 20
"""From so many on, seeds' noise is taken out of the questions' variance, not counted twice."""
_SMALLEST = 1e-50
"""Smaller p-values are given as this one: quantiles so far out are no longer numbers."""
Scope = Literal["strategies", "models"]


@dataclass(frozen=True)
class Difference:
    """A paired difference (first minus second) of two models on the same questions."""

    first: str
    second: str
    interval: Interval
    p_value: float
    """Two-sided p-value of "no difference"; 1 below :data:`MIN_QUESTIONS` questions."""
    adjusted_p: float
    """After Holm's correction over all differences reported together."""
    questions: int
    """Questions that both answered without a failure."""
    seeds: tuple[int, int]
    """Runs (training seeds) on either side."""
    higher_is_better: bool = True
    scope: Scope = "models"
    """What it is about: the strategies that made the models (the spread between training seeds is
    in the interval), or these trained models only (one seed on either side)."""

    def distinguishable(self, level: float = LEVEL) -> bool:
        """Whether the difference survives the correction at this confidence level."""
        return self.adjusted_p < 1 - level

    def size(self) -> str:
        """The difference with its interval, such as ``+0.0178 (+0.00787 to +0.0278)``."""
        low, high = self.interval.low, self.interval.high
        ends = "" if math.isnan(low) else f" ({_signed(low)} to {_signed(high)})"
        return f"{_signed(self.interval.value)}{ends}"

    def sentence(self, level: float = LEVEL) -> str:
        """The outcome in plain words."""
        value = self.interval.value
        if math.isnan(value):
            return f"{self.first} and {self.second} share no question."
        if self.questions < MIN_QUESTIONS:
            return (
                f"{self.first} and {self.second} cannot be told apart by {self.questions} "
                f"questions ({_signed(value)}): at least {MIN_QUESTIONS} are needed."
            )
        corrected = " after Holm's correction" if self.adjusted_p > self.p_value else ""
        seeds = "" if max(self.seeds) == 1 else f", {self.seeds[0]} and {self.seeds[1]} seeds"
        p = f"p = {self.adjusted_p:.2g}" if self.adjusted_p >= 1e-4 else "p < 0.0001"
        span = f"{self.size()}, {self.questions:,} questions{seeds}, {p}{corrected}"
        if not self.distinguishable(level):
            return f"{self.first} and {self.second} are not distinguishable at {level:.0%}: {span}."
        word = "better" if (value > 0) == self.higher_is_better else "worse"
        said = f"{self.first} is {word} than {self.second}: {span}."
        if self.scope == "models":
            said += " This holds for these trained models, not for the strategies that made them."
        return said


def _signed(value: float) -> str:
    """Three digits with the sign; what is nothing but rounding is +0."""
    return f"{round(value, 12) + 0.0:+.3g}"


@dataclass(frozen=True)
class Side:
    """One side of a comparison."""

    runs: Sequence[Sums]
    """One per training seed; the side's mean is the mean over them."""
    fixed: bool = False
    """A model that no training of ours made (a base, say): it has no seeds that could vary."""


@dataclass(frozen=True)
class Estimate:
    """A mean over runs, or a difference of two, with what makes it uncertain."""

    value: float
    by_question: float
    """Variance that comes from the questions, what varies by seed as well taken out."""
    question_freedom: float
    by_seed: float
    """Variance that comes from the training seeds, their questions' noise included."""
    seed_freedom: int
    """0: one seed on every side, so that nothing tells how seeds vary."""

    @property
    def error(self) -> float:
        """Standard error."""
        return math.sqrt(self.by_question + self.by_seed)

    def quantile(self, p: float) -> float:
        """The critical value at two-sided probability ``p``: each part's own t, weighted by its
        variance (Cochran and Cox 1957, for two samples of unequal variance).

        Never too small, unlike effective degrees of freedom where two seeds happen to agree.
        """
        found = self.by_question * float(-special.stdtrit(self.question_freedom, p / 2))
        if self.seed_freedom:
            found += self.by_seed * float(-special.stdtrit(self.seed_freedom, p / 2))
        return found / (self.by_question + self.by_seed)

    def p_value(self) -> float:
        """Two-sided p-value of a true value of 0; continuous."""
        from scipy.optimize import brentq  # not for every start of the command line

        reached = abs(self.value) / self.error
        if reached >= self.quantile(_SMALLEST):
            return _SMALLEST
        least = math.log(_SMALLEST)
        return math.exp(brentq(lambda x: self.quantile(math.exp(x)) - reached, least, 0.0))

    def interval(self, level: float = LEVEL) -> Interval:
        """The value with its confidence interval."""
        reach = self.error * self.quantile(1 - level)
        return Interval(self.value, self.value - reach, self.value + reach)


def estimate(sides: Sequence[Side], shared: Sequence[str]) -> Estimate:
    """Mean of the first side, minus that of the second where there is one.

    Runs (training seeds) and questions are crossed random effects: every run answers the same
    questions. With u the linearised share of each question in each run's mean,

    - Q = variance of the sides' difference of mean u over the questions,
    - S = variance of the runs' means within their sides, pooled over the sides (seeds of both are
      taken to vary alike), times the sum of 1/runs over the sides that have seeds,
    - E = the same of the residuals u - (side's mean u), which is in Q and in S.

    The variance is max(0, Q - E) + S. Of one side alone, where E is small beside the questions'
    own spread, and below :data:`ENOUGH_QUESTIONS`, where it is known badly, it is Q + S. A side
    with one run takes S from the other.

    Parameters
    ----------
    sides
        One or two, runs on the same questions.
    shared
        The questions to use, at least two.
    """
    tables = [np.array([[run[q] for q in shared] for run in side.runs]) for side in sides]
    weights = np.mean([t[1] for t in map(_shares, np.concatenate(tables))], axis=0)
    shares = [np.array([_shares(run)[0] for run in table]) for table in tables]
    means = [table.sum(axis=1)[:, 0] / table.sum(axis=1)[:, 1] for table in tables]
    signs = (1, -1)[: len(sides)]
    value = float(sum(sign * m.mean() for sign, m in zip(signs, means, strict=True)))
    per_question = sum(sign * u.mean(axis=0) for sign, u in zip(signs, shares, strict=True))
    between, freedom = spread(np.asarray(per_question), weights)
    seeded = [k for k, side in enumerate(sides) if not side.fixed]
    seed_freedom = sum(len(means[k]) - 1 for k in seeded)
    if not seed_freedom:
        return Estimate(value, between, freedom, 0.0, 0)
    parts = sum(1 / len(means[k]) for k in seeded) / seed_freedom
    by_seed = parts * float(sum(((means[k] - means[k].mean()) ** 2).sum() for k in seeded))
    residuals = np.concatenate([shares[k] - shares[k].mean(axis=0) for k in seeded])
    noise = parts * sum(spread(row, weights)[0] for row in residuals)
    if len(sides) == 1 or len(shared) < ENOUGH_QUESTIONS:
        noise = 0.0
    return Estimate(value, max(0.0, between - noise), freedom, by_seed, seed_freedom)


def _shares(run: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Linearised residual of each question as a share of the run's mean, and its weight: (n,)."""
    total, mass = run.sum(axis=0)
    return (run[:, 0] - total / mass * run[:, 1]) / mass, run[:, 1] / mass


def side_interval(
    side: Side, shared: Sequence[str], bounds: Bounds | None = None, level: float = LEVEL
) -> Interval:
    """A side's mean over its runs, with the spread between questions and, from two runs on,
    between seeds; NaN ends for one question.
    """
    tables = np.array([[run[q] for q in shared] for run in side.runs])
    if len(tables) == 1:
        return interval_of_sums(tables[0], bounds, level)
    if len(shared) == 1:
        return Interval(float((tables[:, 0, 0] / tables[:, 0, 1]).mean()), math.nan, math.nan)
    found = estimate([side], shared)
    if no_spread(found.by_question + found.by_seed, found.value):
        return unseen(found.value, len(shared), bounds, level)
    return within(found.interval(level), bounds)


def paired_difference(
    first: Side, second: Side, *, bounds: Bounds | None = None, level: float = LEVEL
) -> tuple[Interval, float, int, Scope]:
    """Difference of the sides' means over the questions that all runs share.

    Returns
    -------
    tuple
        The interval of mean(first) - mean(second), its two-sided p-value, the number of shared
        questions, and what it is about. Below :data:`MIN_QUESTIONS` questions the interval has
        no ends and the p-value is 1.
    """
    runs = [*first.runs, *second.runs]
    shared = sorted(set.intersection(*(set(run) for run in runs)))
    scope: Scope = "models" if len(runs) == 2 else "strategies"
    if not shared:
        return Interval(math.nan, math.nan, math.nan), 1.0, 0, scope
    if len(shared) < MIN_QUESTIONS:
        first_mean, second_mean = (side_interval(side, shared).value for side in (first, second))
        value = first_mean - second_mean
        return Interval(value, math.nan, math.nan), 1.0, len(shared), scope
    limits = None if bounds is None else (bounds[0] - bounds[1], bounds[1] - bounds[0])
    values = [_values(side, shared) for side in (first, second)]
    scale = float(np.abs(values).max())
    found = estimate([first, second], shared)
    floor = _sign_test(values[0] - values[1]) if scope == "models" else 0.0
    if no_spread(found.by_question + found.by_seed, scale):
        if no_spread(found.value**2, scale):
            return unseen(0.0, len(shared), limits, level), 1.0, len(shared), scope
        found = _with_p(found, 2.0 ** (1 - len(shared)))
    elif found.p_value() < floor:
        found = _with_p(found, floor)
    return within(found.interval(level), limits), found.p_value(), len(shared), scope


def _values(side: Side, shared: Sequence[str]) -> FloatArray:
    """Mean over the runs of each question's value, shape (n,)."""
    table = np.array([[run[q] for q in shared] for run in side.runs])
    values: FloatArray = (table[..., 0] / table[..., 1]).mean(axis=0)
    return values


def _sign_test(differences: FloatArray) -> float:
    """The smallest p-value that differences of one size can have; 0 where sizes differ.

    Of m questions that differ, all in one direction, it is 2^(1 - m), as in the exact test of
    McNemar; a t test of so few discrete values promises more.
    """
    sizes = np.abs(differences[differences != 0])
    if not len(sizes) or not np.allclose(sizes, sizes[0], rtol=1e-9, atol=0):
        return 0.0
    return float(2.0 ** (1 - len(sizes)))


def _with_p(found: Estimate, p: float) -> Estimate:
    """The same value with the standard error that gives this p-value: both then agree."""
    plain = Estimate(found.value, 1.0, found.question_freedom, 0.0, 0)
    error = abs(found.value) / max(plain.quantile(p), 1e-9)
    return Estimate(found.value, error**2, found.question_freedom, 0.0, 0)
