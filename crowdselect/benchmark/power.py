"""What a comparison can show before it is made: the smallest difference that it would find."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from crowdselect.benchmark.differences import Estimate, Side
from crowdselect.benchmark.statistics import LEVEL
from crowdselect.values import FloatArray

POWER = 0.8
"""How often a true difference of the size that is said would be found."""


@dataclass(frozen=True)
class Spread:
    """What makes scores of models differ though nothing was done differently (standard deviations
    in the benchmark's unit).
    """

    by_question: float
    """How far the true difference of two strategies varies between questions."""
    by_seed: float
    """How far the mean of a strategy's models varies between training seeds."""
    noise: float
    """What is left of one answer of one model."""
    source: str = "assumed"
    """Where the three numbers come from."""


def assumed(rate: float = 0.33) -> Spread:
    """What right or wrong answers of small fine-tuned models did, at a rate of right ones.

    Fitted to 1,809 runs on the demo: half widths of paired intervals of 0.025 (600 questions, five
    seeds), 0.018 (600, ten) and 0.011 (2,400, ten) at a rate of 0.33. The noise grows with the
    spread of a coin of that rate.
    """
    noise = 0.9 * math.sqrt(rate * (1 - rate))
    return Spread(0.06, 0.009, noise, f"assumed, at a rate of {rate:g}")


def measured(sides: Sequence[Side], shared: Sequence[str], source: str) -> Spread | None:
    """The spread that finished models show, by the method of moments; None: too few of them, or
    all answered alike.

    Parameters
    ----------
    sides
        At least two strategies with at least two seeds each, on the same questions.
    shared
        The questions to use, at least two.
    """
    if len(shared) < 2:
        return None
    tables = [t for t in (_table(side, shared) for side in sides) if len(t) > 1]
    if len(tables) < 2:
        return None
    n = len(shared)
    noise = float(np.mean([_residual(table) for table in tables]))
    if noise <= 0:
        return None
    between = [float(table.mean(axis=1).var(ddof=1)) - noise / n for table in tables]
    mean, *others = [table.mean(axis=0) for table in tables]
    parts = [noise / len(table) for table in tables]
    apart = [
        float((other - mean).var(ddof=1)) - parts[0] - part
        for other, part in zip(others, parts[1:], strict=True)
    ]
    return Spread(
        math.sqrt(max(0.0, float(np.median(apart)))),
        math.sqrt(max(0.0, float(np.mean(between)))),
        math.sqrt(noise),
        source,
    )


def detectable(
    spread: Spread, seeds: int, questions: int, comparisons: int = 1, level: float = LEVEL
) -> float:
    """The true difference of two strategies that is found :data:`POWER` of the time.

    "Found": its p-value stays below 1 - ``level`` after being multiplied by ``comparisons``, the
    first step of Holm's correction. With one seed it is a difference of two models, whose seeds'
    spread nobody sees. The test is that of :func:`~crowdselect.benchmark.differences.estimate`.
    """
    by_question = spread.by_question**2 / questions
    noise = 2 * spread.noise**2 / (questions * seeds)
    if seeds == 1:
        found = Estimate(0.0, by_question + noise, questions - 1, 0.0, 0)
    else:
        by_seed = 2 * spread.by_seed**2 / seeds + noise
        found = Estimate(0.0, by_question, questions - 1, by_seed, 2 * (seeds - 1))
    critical = found.quantile((1 - level) / comparisons)
    return found.error * (critical + found.quantile(2 * (1 - POWER)))


def _table(side: Side, shared: Sequence[str]) -> FloatArray:
    """Values by run and question, shape (runs, n)."""
    sums = np.array([[run[q] for q in shared] for run in side.runs])
    values: FloatArray = sums[..., 0] / sums[..., 1]
    return values


def _residual(table: FloatArray) -> float:
    """Variance of one answer beyond its question and its run."""
    left = table - table.mean(axis=0) - table.mean(axis=1, keepdims=True) + table.mean()
    runs, n = table.shape
    return float((left**2).sum() / ((runs - 1) * (n - 1)))
