"""Ranks of the answers to one instruction, which compare judges on unlike scales."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from crowdselect.values import BoolArray, FloatArray, IdArray, IntArray

SAMPLE_ROWS = 20_000


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

    Rows with fewer than two values are NaN throughout.
    """
    ranks = pd.DataFrame(values).rank(axis=1).to_numpy(dtype=np.float64)
    count = (~np.isnan(values)).sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled: FloatArray = np.where(count > 1, (ranks - 1) / (count - 1), np.nan)
    return scaled


@dataclass(frozen=True)
class Ranked:
    """One judge's values with the ranks within each row, made once for many comparisons."""

    values: FloatArray
    ranks: FloatArray
    missing: BoolArray

    @classmethod
    def of(cls, values: FloatArray) -> Ranked:
        """Rank ``values``, shape (n, m)."""
        return cls(values, row_ranks(values), np.isnan(values))


def common_ranks(a: Ranked, b: Ranked) -> tuple[FloatArray, FloatArray]:
    """Ranks within each row by ``a`` and by ``b``, among the cells that both have; else NaN."""
    apart = (a.missing != b.missing).any(axis=1)  # elsewhere each one's own ranks are those
    if not apart.any():
        return a.ranks, b.ranks
    common = ~(a.missing | b.missing)[apart]
    sides = []
    for side in (a, b):
        ranks = side.ranks.copy()
        ranks[apart] = row_ranks(np.where(common, side.values[apart], np.nan))
        sides.append(ranks)
    return sides[0], sides[1]


def row_correlation(a: Ranked, b: Ranked) -> FloatArray:
    """Spearman's rho of each row of ``a`` with the same row of ``b`` over their common cells.

    NaN where fewer than three cells are common or one side is constant.
    """
    count = (~(a.missing | b.missing)).sum(axis=1)
    centred = []
    for ranks in common_ranks(a, b):
        there = np.nan_to_num(ranks)
        mean = there.sum(axis=1, keepdims=True) / np.maximum(count, 1)[:, None]
        centred.append(np.where(np.isnan(ranks), 0.0, there - mean))
    x, y = centred
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.einsum("ij,ij->i", x, x) * np.einsum("ij,ij->i", y, y)
        rho: FloatArray = np.einsum("ij,ij->i", x, y) / np.sqrt(spread)
    rho[count < 3] = np.nan
    return rho
