"""Exact mid-ranks, and the best of rewards: numbers in, places and tops out."""

from __future__ import annotations

import numpy as np

from crowdselect.files import forget
from crowdselect.values import FloatArray

DECIMALS = 12
"""Correlations and scores are rounded to this many decimals: less is no difference."""


def normalise(values: FloatArray) -> FloatArray:
    """Return the exact mid-rank place in [0, 1]: ``(average rank - 1) / (n - 1)``.

    This is the uniform limit of the paper's chain (CrowdSelect section 3.3: standardise, min-max,
    quantile transform), without its random subsample and its grid: the first two stages are
    increasing affine maps and change no rank. ``n`` counts the values that are not NaN. A constant
    column or a single value gives 0.5, so that it moves nothing; NaN stays NaN. Shape (n,),
    float64.
    """
    from scipy.stats import rankdata

    there = ~np.isnan(values)
    places = np.full(len(values), np.nan)
    n = int(np.count_nonzero(there))
    places[there] = (rankdata(values[there]) - 1.0) / (n - 1) if n > 1 else 0.5
    return places


def best_of(values: FloatArray) -> FloatArray:
    """Return the best value of every row, shape (n,); NaN: it has none."""
    best: FloatArray = np.fmax.reduce(values, axis=1, initial=np.nan)
    forget(values)
    return best


def full_reward(rewards: FloatArray) -> float | None:
    """The highest reward there is, where answers to two and to 1 % of the instructions reach it.

    None: the judge's rewards have no top that answers reach, as a reward model's.
    """
    best = best_of(rewards)
    there = best[~np.isnan(best)]
    if not len(there):
        return None
    top = float(there.max())
    return top if np.count_nonzero(there == top) >= max(2, 0.01 * len(there)) else None
