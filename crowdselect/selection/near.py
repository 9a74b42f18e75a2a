"""Near-duplicates: rows whose vectors are too close."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from crowdselect.values import IntArray

_BLOCK = 1024


def near_duplicates(
    vectors: npt.NDArray[np.float32],
    threshold: float,
    order: IntArray | None = None,
    *,
    limit: int | None = None,
    protected: int = 0,
) -> IntArray:
    """Go through unit ``vectors`` (n, d) in ``order``; drop what is too close to one kept before.

    Returns one number per entry of ``order`` (default: all rows): -1 where the row is kept, else
    the position in ``order`` of the earliest kept row whose cosine similarity is above
    ``threshold``, and -2 (not looked at) once ``limit`` rows are kept. The first ``protected`` rows
    are always kept. Blocked: at most 1,024 x (kept rows) similarities are in memory at a time.
    """
    order = np.arange(len(vectors)) if order is None else order
    n = len(order)
    partner = np.full(n, -2, dtype=np.int64)
    kept = np.empty(n if limit is None else min(max(limit, protected), n), dtype=np.int64)
    kept_vectors = np.empty((len(kept), vectors.shape[1]), dtype=np.float32)
    count = 0
    for start in range(0, n, _BLOCK):
        block = vectors[order[start : start + _BLOCK]]
        near = _first_above(block @ kept_vectors[:count].T, threshold, kept[:count])
        near[: max(0, protected - start)] = -1
        inside = block @ block.T > threshold
        for i in range(len(block)):
            if count >= len(kept):
                return partner
            partner[start + i] = near[i]
            if near[i] < 0:
                kept[count], kept_vectors[count] = start + i, block[i]
                count += 1
                later = np.flatnonzero(inside[i, i + 1 :]) + i + 1
                later = later[(near[later] < 0) & (start + later >= protected)]
                near[later] = start + i
    return partner


def _first_above(similarity: npt.NDArray[np.float32], threshold: float, kept: IntArray) -> IntArray:
    if not len(kept):
        return np.full(len(similarity), -1, dtype=np.int64)
    above = similarity > threshold
    first = above.argmax(axis=1)
    return np.where(above[np.arange(len(above)), first], kept[first], -1)
