"""Best, second best and worst reward per instruction, in column passes."""

from __future__ import annotations

import numpy as np

from crowdselect.metrics.base import blocks
from crowdselect.values import FloatArray


def best_and_second(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the highest and the second highest reward of each row; NaN where there is none."""
    best = np.full(len(values), -np.inf)
    second = np.full(len(values), -np.inf)
    for rows, block in blocks(values):
        top, next_ = best[rows], second[rows]
        for column in block:
            x = np.where(np.isnan(column), -np.inf, column)
            np.maximum(next_, np.minimum(top, x), out=next_)
            np.maximum(top, x, out=top)
    best[np.isneginf(best)] = np.nan
    second[np.isneginf(second)] = np.nan
    return best, second


def worst(values: FloatArray) -> FloatArray:
    """Return the lowest reward of each row; NaN where there is none."""
    return 0.0 - best_and_second(0.0 - values)[0]
