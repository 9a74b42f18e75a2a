"""Equal shares for clusters of unequal size: water-filling."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from crowdselect.errors import InputError
from crowdselect.values import BoolArray, FloatArray, IntArray


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
