"""Ranks of the answers to one instruction, which compare judges on unlike scales.

A row is sorted once; pandas' ranks of rows take five times as long.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crowdselect.values import FloatArray, IdArray, IntArray

SAMPLE_ROWS = 20_000

CELLS = 200_000
"""Cells of one judge at a time: what is done with them stays in the processor's cache."""


def sample_rows(ids: IdArray, seed: int = 0, size: int = SAMPLE_ROWS) -> IntArray:
    """All row numbers, or ``size`` of them drawn without replacement, ascending.

    Drawn by place among the ``ids`` (n,), so that the order of the rows decides nothing.
    """
    n = len(ids)
    if n <= size:
        return np.arange(n)
    drawn = np.random.default_rng(seed).choice(n, size, replace=False)
    return np.sort(np.argsort(ids, kind="stable")[drawn])


def row_ranks(values: FloatArray) -> FloatArray:
    """Average rank within each row scaled to [0, 1], 1 = highest; NaN stays NaN.

    Rows with fewer than two values are NaN throughout. Shape (n, m), float64.
    """
    scaled = np.full(values.shape, np.nan)
    step = max(1, CELLS // max(values.shape[1], 1))
    for begin in range(0, len(values), step):
        part = values[begin : begin + step]
        there = ~np.isnan(part)
        count = there.sum(axis=1, keepdims=True)
        places = (Ordered.of(part).twice() / 2.0 - 1.0) / np.maximum(count - 1, 1)
        scaled[begin : begin + step] = np.where(there & (count > 1), places, np.nan)
    return scaled


@dataclass(frozen=True)
class Ordered:
    """One judge's rows in ascending order; NaN last, and equal to nothing."""

    order: IntArray
    """The cell at each place of its row."""
    low: IntArray
    """How many cells of the row are lower than this one, per cell."""
    high: IntArray
    """How many are lower or equal."""

    @classmethod
    def of(cls, values: FloatArray) -> Ordered:
        """Order ``values``, shape (rows, m)."""
        rows, m = values.shape
        values = np.where(np.isnan(values), np.inf, values)  # NaN takes four times the sorting
        order = np.argsort(values, axis=1)
        flat = (order + np.arange(rows)[:, None] * m).ravel()
        ascending = values.take(flat, mode="clip").reshape(rows, m)
        begins = np.ones(values.shape, bool)
        np.not_equal(ascending[:, 1:], ascending[:, :-1], out=begins[:, 1:])
        begins |= ascending == np.inf
        places = np.broadcast_to(np.arange(m), values.shape)
        low = _put(flat, places)
        if begins.all():
            return cls(order, low, low + 1)
        first = np.maximum.accumulate(np.where(begins, places, 0), axis=1)
        ends = np.where(np.roll(begins, -1, axis=1), places, m)
        last = np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
        return cls(order, _put(flat, first), _put(flat, last) + 1)

    def twice(self) -> IntArray:
        """Twice the average rank of each cell, from 2; of NaN no rank."""
        return self.low + self.high + 1

    def by_model(self) -> Ordered:
        """The same with models first, and cells counted through the whole array."""
        rows = np.arange(len(self.order))
        parts = (np.ascontiguousarray(p.T) for p in (self.order, self.low, self.high))
        return Ordered(*(part * len(rows) + rows for part in parts))


def _put(places: IntArray, values: IntArray) -> IntArray:
    """``values`` put at ``places`` of a whole array."""
    out = np.empty(values.shape, np.intp)
    out.ravel()[places] = values.ravel()
    return out
