"""Equal or weighted shares for clusters of unequal size: water-filling."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from crowdselect.errors import InputError
from crowdselect.values import BoolArray, FloatArray, IntArray

_DECIMALS = 9


@dataclass(frozen=True)
class Shares:
    """What clusters get beside an equal share, by label."""

    weights: Mapping[int, float]
    """1 where a label is not here."""
    caps: Mapping[int, int]
    """Rows taken at most, pins included; no limit where a label is not here."""

    def of(self, labels: IntArray) -> tuple[FloatArray, IntArray]:
        """Weights and caps of ``labels`` (k,), in their order."""
        weights = [self.weights.get(int(label), 1.0) for label in labels]
        caps = [self.caps.get(int(label), np.iinfo(np.int64).max) for label in labels]
        return np.array(weights, dtype=np.float64), np.array(caps, dtype=np.int64)


@dataclass(frozen=True)
class WaterLevel:
    """How far equal shares go before the odd units."""

    quotas: IntArray
    """Shape (k,): ``clip(level, lower, capacity)``."""
    spare: int
    """Units left, fewer than there are open clusters."""
    open: BoolArray
    """Shape (k,): clusters that could take one more unit at this level."""


def water_level(capacity: IntArray, budget: int, lower: IntArray | None = None) -> WaterLevel:
    """Find the highest whole level at which ``clip(level, lower, capacity)`` fits the budget.

    Small clusters are exhausted and what they leave is shared equally again. ``lower`` holds units
    that are taken already (pins). All arrays have shape (k,).
    """
    capacity = np.asarray(capacity, dtype=np.int64)
    lower = np.zeros_like(capacity) if lower is None else np.asarray(lower, dtype=np.int64)
    if budget >= int(capacity.sum()):
        return WaterLevel(capacity.copy(), 0, np.zeros(len(capacity), dtype=bool))
    low, high = 0, int(capacity.max(initial=0))
    while low < high:
        middle = (low + high + 1) // 2
        if int(np.clip(middle, lower, capacity).sum()) <= budget:
            low = middle
        else:
            high = middle - 1
    quotas = np.clip(low, lower, capacity)
    return WaterLevel(quotas, budget - int(quotas.sum()), (lower <= low) & (capacity > low))


def weighted_level(
    capacity: IntArray, budget: int, lower: IntArray, weights: FloatArray
) -> WaterLevel:
    """Shares in proportion to ``weights`` (k,): the highest level at which they fit the budget.

    A cluster holds ``clip(floor(level * weight), lower, capacity)``, a weight of 0 only ``lower``;
    with equal weights that is :func:`water_level`. Open are those whose next unit comes first.
    """
    able = np.where(weights > 0, capacity, lower)
    if budget >= int(able.sum()):
        return WaterLevel(able, 0, np.zeros(len(able), dtype=bool))
    units = np.maximum(able - lower, 0)
    owner = np.repeat(np.arange(len(able)), units)
    number = np.arange(len(owner)) - np.repeat(np.cumsum(units) - units, units)
    # The level at which each unit comes: the n-th of a cluster at n / weight. Rounded, so that
    # units that come at once by any arithmetic come at once here.
    comes = np.round((lower[owner] + number + 1) / weights[owner], _DECIMALS)
    left = budget - int(lower.sum())
    level = np.partition(comes, left)[left]
    quotas = lower + np.bincount(owner[comes < level], minlength=len(able))
    open_ = np.bincount(owner[comes == level], minlength=len(able)) > 0
    return WaterLevel(quotas, budget - int(quotas.sum()), open_)


def best_open(level: WaterLevel, scores: FloatArray) -> IntArray:
    """Return the ``spare`` open clusters with the best next ``scores`` (k,); tie: the lower."""
    candidates = np.flatnonzero(level.open)
    order = np.argsort(-scores[candidates], kind="stable")
    return candidates[order[: level.spare]]


def resolve_budget(budget: int | float, eligible: int) -> int:
    """Turn a budget into a count: a share is rounded down, but never to 0.

    Raises InputError for a negative budget or a share outside (0, 1).
    """
    if isinstance(budget, int | np.integer) and budget >= 0:
        return int(budget)
    if isinstance(budget, float) and 0.0 < budget < 1.0:
        # 0.29 * 100 is 28.999...96 in floating point: round before rounding down.
        return max(1, math.floor(round(budget * eligible, 9)))
    raise InputError(
        f"The budget is {budget!r}.",
        "Give a whole number >= 0, or a share of the eligible instructions between 0 and 1.",
    )
