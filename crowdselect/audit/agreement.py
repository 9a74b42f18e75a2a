"""How far judges agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from crowdselect.audit.pairs import LEAST, mean_correlation
from crowdselect.audit.ranks import row_ranks, sample_rows
from crowdselect.ranks import DECIMALS
from crowdselect.values import FloatArray, RewardMatrix


def judge_agreement(matrices: Mapping[str, RewardMatrix], *, seed: int = 0) -> pd.DataFrame:
    """Mean over instructions of Spearman's rho between two judges' rewards, judges by judges.

    The question answered: do they order the answers to the same instruction alike? Computed on
    the models both judged, on at most 20,000 instructions (seeded). NaN: never comparable.
    """
    names = list(matrices)
    if not names:
        return pd.DataFrame(index=names, columns=names, dtype=float)
    rows = sample_rows(matrices[names[0]].ids, seed)
    rho = mean_correlation([matrix.values[rows] for matrix in matrices.values()])
    return pd.DataFrame(rho, index=names, columns=names)


def row_agreement(matrices: Sequence[RewardMatrix]) -> FloatArray:
    """Mean over pairs of judges of Spearman's rho between their rewards, per row, shape (n,).

    In [-1, 1], over the answers that both judged; NaN where no pair can be compared (fewer than
    three answers in common, or one of the two is constant there).
    """
    total, count = np.zeros(len(matrices[0].values)), np.zeros(len(matrices[0].values))
    for a, b in combinations(matrices, 2):
        rho = _row_correlation(a.values, b.values)
        total += np.nan_to_num(rho)
        count += ~np.isnan(rho)
    mean: FloatArray = np.full(len(total), np.nan)
    np.divide(total, count, out=mean, where=count > 0)
    return np.round(mean, DECIMALS)


def _row_correlation(a: FloatArray, b: FloatArray) -> FloatArray:
    """Spearman's rho of each row of ``a`` (n, m) with the same row of ``b``."""
    there = ~(np.isnan(a) | np.isnan(b))
    count = there.sum(axis=1)
    sides = []
    for values in (a, b):
        # Scaled to [0, 1], the mean of a row's average ranks is one half, ties or not.
        sides.append(np.nan_to_num(row_ranks(np.where(there, values, np.nan)) - 0.5))
    x, y = sides
    spread = np.sqrt(np.einsum("ij,ij->i", x, x) * np.einsum("ij,ij->i", y, y))
    rho: FloatArray = np.full(len(a), np.nan)
    np.divide(np.einsum("ij,ij->i", x, y), spread, out=rho, where=(spread > 0) & (count >= LEAST))
    return rho
