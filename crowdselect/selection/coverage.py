"""Subsets that represent or span a cloud of vectors: facility location and k-center."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from crowdselect.progress import Progress, silent
from crowdselect.values import FloatArray, IntArray

Vectors = npt.NDArray[np.float32]

DENSE_BELOW = 2048
"""Up to this many rows every pair counts; above, only nearest neighbours do."""
PART = 20_000
"""Neighbours are searched inside parts of at most this many rows."""
_CELLS = 2**24


def similarity(
    vectors: Vectors, neighbours: int, parts: IntArray | None = None, progress: Progress = silent
) -> sp.csc_matrix:
    """Return the similarity ``max(d) - d`` (d: Euclidean distance), shape (n, n), column-wise.

    Every pair up to 2,048 rows. Above, the ``neighbours`` nearest of each row inside its part
    (``parts`` (n,): clusters, cut into pieces of at most 20,000 rows), and 0 for all other pairs;
    max(d) is then its bound, twice the largest norm. Memory is n x neighbours, never n x n.
    """
    n = len(vectors)
    if n <= DENSE_BELOW:
        exact = vectors.astype(np.float64)
        d = _distances(exact, exact)
        return sp.csc_matrix(d.max(initial=0.0) - d)
    bound = 2.0 * float(np.linalg.norm(vectors, axis=1).max())
    rows, columns, values = [], [], []
    done = 0
    for members, block, d in distance_blocks(vectors, parts):
        k = min(neighbours, len(members))
        near = np.argpartition(d, k - 1, axis=1)[:, :k]
        rows.append(np.repeat(block, k))
        columns.append(members[near.ravel()])
        values.append(bound - np.take_along_axis(d, near, axis=1).ravel())
        done += len(block)
        progress(done, n, "nearest neighbours")
    cells = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return sp.csc_matrix(cells, shape=(n, n))


def facility_location(
    similar: sp.csc_matrix, budget: int, first: int = 0, progress: Progress = silent
) -> tuple[IntArray, FloatArray]:
    """Greedily maximise ``sum over y of max over picked x of similar[y, x]`` (lazy evaluation).

    The first ``first`` rows are picked to begin with. Returns the picks in order and the gain of
    each; of equal gains the lower index goes first. Within 1 - 1/e of the best subset (Nemhauser,
    Wolsey and Fisher 1978).
    """
    best = np.zeros(similar.shape[0])
    order: list[int] = []
    gains: list[float] = []

    def gain(x: int) -> float:
        span = slice(similar.indptr[x], similar.indptr[x + 1])
        rise = similar.data[span] - best[similar.indices[span]]
        return float(rise[rise > 0].sum())

    def pick(x: int) -> None:
        gains.append(gain(x))
        order.append(x)
        span = slice(similar.indptr[x], similar.indptr[x + 1])
        covered = similar.indices[span]
        best[covered] = np.maximum(best[covered], similar.data[span])

    for x in range(min(first, budget)):
        pick(x)
    heap = [(-gain(x), x) for x in range(first, similar.shape[1])]
    heapq.heapify(heap)
    while heap and len(order) < budget:
        _, x = heapq.heappop(heap)
        fresh = (-gain(x), x)
        # A gain only ever falls, so an up-to-date one that leads all others is the maximum.
        if heap and fresh > heap[0]:
            heapq.heappush(heap, fresh)
        else:
            pick(x)
            progress(len(order), budget, "facility location")
    return np.array(order, dtype=np.int64), np.array(gains)


def k_center(
    vectors: Vectors, budget: int, first: IntArray, progress: Progress = silent
) -> tuple[IntArray, FloatArray]:
    """Pick the row farthest from all picked ones, again and again (Gonzalez 1985).

    Starts from the rows ``first``; of equal distances the lower index goes first. Stops early when
    every row is a copy of a picked one. Returns the picks in order and each one's distance to the
    picks before it; the covering radius is what the next pick would have. The first distance is
    infinite.
    """
    norms = np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64)
    away = np.full(len(vectors), np.inf)
    order: list[int] = []
    distances: list[float] = []
    tolerance = 1e-6 * max(1.0, float(norms.max(initial=0.0)))
    while len(order) < budget:
        x = int(first[len(order)]) if len(order) < len(first) else int(away.argmax())
        if away[x] <= tolerance and len(order) >= len(first):
            break
        order.append(x)
        distances.append(float(np.sqrt(max(away[x], 0.0))))
        squared = norms + norms[x] - 2.0 * (vectors @ vectors[x])
        np.minimum(away, np.maximum(squared, 0.0), out=away)
        away[x] = 0.0
        progress(len(order), budget, "k-center")
    return np.array(order, dtype=np.int64), np.array(distances)


def medoid(vectors: Vectors) -> int:
    """Return the row closest to the mean (Euclidean); the lowest index of equals."""
    away = vectors - vectors.mean(axis=0)
    return int(np.einsum("ij,ij->i", away, away).argmin())


def distance_blocks(
    vectors: Vectors, parts: IntArray | None
) -> Iterator[tuple[IntArray, IntArray, npt.NDArray[Any]]]:
    """Euclidean distances a few million at a time: ``(members, block, distances)``.

    ``members`` are a part's rows (see :func:`similarity`), ``block`` some of them, and
    ``distances`` those of the block to all members, shape (block, members).
    """
    for members in _parts(len(vectors), parts):
        step = max(1, _CELLS // len(members))
        for start in range(0, len(members), step):
            block = members[start : start + step]
            yield members, block, _distances(vectors[block], vectors[members])


def _distances(x: npt.NDArray[Any], y: npt.NDArray[Any]) -> npt.NDArray[Any]:
    squared = (x * x).sum(axis=1)[:, None] + (y * y).sum(axis=1) - 2.0 * (x @ y.T)
    distances: npt.NDArray[Any] = np.sqrt(np.maximum(squared, 0.0))
    return distances


def _parts(n: int, parts: IntArray | None) -> Iterator[IntArray]:
    labels = np.zeros(n, dtype=np.int64) if parts is None else parts
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        yield from np.array_split(members, -(-len(members) // PART))
