"""Where rewards are missing."""

from __future__ import annotations

import numpy as np

from crowdselect.values import FloatArray, RewardMatrix


def missing_share(matrix: RewardMatrix, stretches: int = 60) -> tuple[FloatArray, list[int]]:
    """Share of missing rewards per model and stretch of consecutive rows.

    Returns the shares, shape (models, s), in [0, 1], and the s + 1 row numbers that bound the
    stretches, with s = min(stretches, rows).
    """
    n = len(matrix.values)
    count = max(1, min(stretches, n))
    edges = np.linspace(0, n, count + 1).astype(int)
    missing = np.isnan(matrix.values)
    sums = np.add.reduceat(missing, edges[:-1], axis=0) if n else np.zeros((1, missing.shape[1]))
    shares = sums / np.maximum(np.diff(edges), 1)[:, None]
    return shares.T.astype(np.float64), [int(e) for e in edges]
