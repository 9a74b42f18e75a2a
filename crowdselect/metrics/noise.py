"""Values that are equal but for the rounding of floating-point sums are made equal.

The mean of 0.1 and 0.2 and that of 0.3 and 0.0 are the same number, yet their doubles differ in the
last place; ranked as they are, rounding noise would decide who is selected.
"""

from __future__ import annotations

import numpy as np

from crowdselect.metrics.base import blocks
from crowdselect.values import BoolArray, FloatArray, IntArray, RewardMatrix

_STEPS = 8
"""Roundings besides one per addition: the rewards' own, a shift, a division, a square root."""
_WIDEST = 4.0
"""A block of equal values spans at most this many times its noise, however dense the values."""


def rounding(terms: int) -> float:
    """Return how far rounding can move the mean of ``terms`` numbers of size 1.

    The worst case of summing one by one (Higham, Accuracy and Stability of Numerical Algorithms,
    section 4.2): the machine epsilon once per number.
    """
    return float(np.finfo(np.float64).eps) * (terms + _STEPS)


def reward_noise(rewards: RewardMatrix, shift: FloatArray | None = None) -> FloatArray:
    """Return how far rounding can move a mean or a standard deviation of each row, shape (n,).

    In proportion to the row's largest reward, whose unit it has. ``shift`` (m,) is what is
    subtracted from the columns first.
    """
    largest = np.empty(len(rewards.values))
    for rows, block in blocks(rewards.values):
        largest[rows] = np.fmax.reduce(np.abs(block), axis=0, initial=0.0)
    if shift is not None:
        largest += np.fmax.reduce(np.abs(shift), initial=0.0)
    largest *= rounding(len(rewards.models))
    return largest


def equalise(values: FloatArray, noise: FloatArray | float) -> FloatArray:
    """Return ``values`` (n,) with one value for all that are equal up to their ``noise``.

    Neighbours in order whose distance is within the sum of their ``noise`` (n,) are one block and
    become its middle member. The result depends on no row order; NaN stays NaN.
    """
    if isinstance(noise, float) and not _near(np.sort(values), noise).any():
        return values  # far quicker than the order, and with one noise for all the usual case
    order = np.argsort(values)
    ordered = values[order]
    margin = np.broadcast_to(np.asarray(noise, dtype=np.float64), values.shape)[order]
    near = _near(ordered, margin)
    if not near.any():
        return values
    starts = np.flatnonzero(np.r_[True, ~(near | (ordered[1:] == ordered[:-1]))])
    starts = _cut(ordered, starts, _WIDEST * np.maximum.reduceat(margin, starts))
    lengths = np.diff(starts, append=len(ordered))
    result = np.empty_like(values)
    result[order] = np.repeat(ordered[starts + (lengths - 1) // 2], lengths)
    return result


def _near(ordered: FloatArray, margin: FloatArray | float) -> BoolArray:
    """Which neighbours differ (n - 1,), but within their noise; comparisons with NaN are false."""
    gaps = np.diff(ordered)
    both = 2.0 * margin if isinstance(margin, float) else margin[1:] + margin[:-1]
    near: BoolArray = (gaps > 0) & (gaps <= both)
    return near


def _cut(ordered: FloatArray, starts: IntArray, widest: FloatArray) -> IntArray:
    """Cut blocks that chain beyond ``widest`` into steps of that width; return all starts."""
    lengths = np.diff(starts, append=len(ordered))
    from_start = ordered - np.repeat(ordered[starts], lengths)
    limit = np.repeat(widest, lengths)
    if not (from_start > limit).any():
        return starts
    step = np.floor_divide(from_start, limit, out=np.zeros_like(limit), where=limit > 0)
    return np.union1d(starts, np.flatnonzero(np.diff(step) != 0) + 1)
