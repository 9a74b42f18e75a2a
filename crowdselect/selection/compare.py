"""Compare subsets: how much they share, and how a subset's numbers differ from the pool's."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from crowdselect.values import FloatArray, IntArray


def jaccard(a: Collection[object], b: Collection[object]) -> float:
    """Return shared over all, in [0, 1]; two empty sets are alike (1)."""
    first, second = set(a), set(b)
    union = len(first | second)
    return len(first & second) / union if union else 1.0


def overlap_matrix(selections: Sequence[Collection[object]]) -> FloatArray:
    """Return the Jaccard index of every pair, shape (s, s), symmetric, 1 on the diagonal."""
    s = len(selections)
    matrix = np.ones((s, s))
    for i in range(s):
        for j in range(i):
            matrix[i, j] = matrix[j, i] = jaccard(selections[i], selections[j])
    return matrix


@dataclass(frozen=True)
class Shift:
    """How one number is distributed in a subset, against the whole pool."""

    name: str
    pool_mean: float
    subset_mean: float
    standardised: float
    """Difference of the means in standard deviations of the pool (ddof 0); 0 for a constant."""
    ks: float
    """Kolmogorov-Smirnov statistic: largest gap between the two distribution functions."""
    edges: FloatArray
    """Shape (bins + 1,): bin edges shared by both histograms."""
    pool_share: FloatArray
    """Shape (bins,): share of the pool in each bin."""
    subset_share: FloatArray
    """Shape (bins,)."""


def shift(name: str, values: FloatArray, rows: IntArray, bins: int = 40) -> Shift:
    """Compare ``values[rows]`` with ``values`` (n,); NaN values are left out on both sides."""
    from scipy.stats import ks_2samp

    pool = values[~np.isnan(values)]
    subset = values[rows][~np.isnan(values[rows])]
    if not len(pool) or not len(subset):
        nan = float("nan")
        return Shift(name, nan, nan, nan, nan, np.zeros(bins + 1), np.zeros(bins), np.zeros(bins))
    spread = float(pool.std())
    edges = np.histogram_bin_edges(pool, bins=bins)
    difference = float(subset.mean() - pool.mean())
    return Shift(
        name=name,
        pool_mean=float(pool.mean()),
        subset_mean=float(subset.mean()),
        standardised=difference / spread if spread > 0 else 0.0,
        ks=float(ks_2samp(subset, pool, method="asymp").statistic),
        edges=edges,
        pool_share=np.histogram(pool, edges)[0] / len(pool),
        subset_share=np.histogram(subset, edges)[0] / len(subset),
    )
