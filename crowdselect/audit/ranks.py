"""Ranks of the answers to one instruction, which compare judges on unlike scales."""

from __future__ import annotations

import numpy as np
import pandas as pd

from crowdselect.values import FloatArray, IdArray, IntArray

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


def row_correlation(a: FloatArray, b: FloatArray) -> FloatArray:
    """Spearman's rho of each row of ``a`` with the same row of ``b`` over their common cells.

    NaN where fewer than three cells are common or one side is constant.
    """
    common = ~(np.isnan(a) | np.isnan(b))
    ranks = []
    for side in (a, b):
        r = row_ranks(np.where(common, side, np.nan))
        with np.errstate(invalid="ignore"):
            r = r - np.nansum(r, axis=1, keepdims=True) / np.maximum(
                common.sum(axis=1, keepdims=True), 1
            )
        ranks.append(np.nan_to_num(r))
    x, y = ranks
    with np.errstate(invalid="ignore", divide="ignore"):
        rho: FloatArray = (x * y).sum(axis=1) / np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    rho[common.sum(axis=1) < 3] = np.nan
    return rho
