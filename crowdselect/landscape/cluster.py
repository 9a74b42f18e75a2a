"""Vectors in, k-means clusters out; label 0 is always the largest cluster."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from crowdselect.errors import InputError
from crowdselect.landscape.encoder import Vectors
from crowdselect.progress import Progress, silent
from crowdselect.values import BoolArray, FloatArray, IntArray

STARTS = 20
"""k-means starts of the exact method, as in the published scripts (n_init=20)."""

_BLOCK = 8192


@dataclass(frozen=True)
class Clusters:
    """A partition of the rows."""

    labels: IntArray
    """Shape (n,): 0 the largest cluster, ties to the one with the first row; -1 no vector."""
    centroids: Vectors
    """Shape (k, d), the mean of each cluster's rows."""
    inertia: float
    """Sum of squared Euclidean distances of the rows to their centroids."""
    warning: str | None = None
    """Why there are fewer clusters than asked for; None: there are as many."""

    @property
    def k(self) -> int:
        """Number of clusters, all of them non-empty."""
        return len(self.centroids)


def cluster(
    vectors: Vectors,
    k: int,
    seed: int = 42,
    progress: Progress = silent,
    order: IntArray | None = None,
) -> Clusters:
    """Partition the rows of ``vectors`` (n, d) into ``k`` clusters by k-means.

    Gives what scikit-learn's ``KMeans(k, n_init=20, random_state=seed)`` gives for the rows in
    ``order`` (n,), with ordered labels: starts are drawn by position, so rows whose order says
    nothing need one of their own (a crowd's: its ids). A NaN row gets label -1. There are fewer
    clusters, and a warning, where fewer than k rows differ.

    Raises InputError for k < 1 or vectors that are not two-dimensional.
    """
    places = valid_places(vectors, order)
    rows = vectors[places]
    k, warning = reachable_k(rows, k, len(vectors))
    if not len(rows):
        return Clusters(np.full(len(vectors), -1), vectors[:0], 0.0, warning)
    labels = _best_of(rows, k, seed, progress)
    return arrange(rows, places, len(vectors), labels, k, warning)


def _best_of(rows: Vectors, k: int, seed: int, progress: Progress) -> IntArray:
    """scikit-learn's n_init loop, one start at a time, so that it can report and be cancelled.

    The starts share one random state, exactly as inside ``KMeans(n_init=20)``.
    """
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    state = np.random.RandomState(seed)
    best: Any = None
    for start in range(STARTS):
        progress(start, STARTS, "clustering")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            fitted = KMeans(k, n_init=1, random_state=state).fit(rows)
        if best is None or fitted.inertia_ < best.inertia_:
            best = fitted
    progress(STARTS, STARTS, "clustering")
    labels: IntArray = best.labels_.astype(np.int64)
    return labels


def valid_rows(vectors: Vectors) -> BoolArray:
    """Tell which rows have a vector; raises InputError unless ``vectors`` is (n, d)."""
    if vectors.ndim != 2:
        raise InputError(
            f"Vectors must have shape (rows, numbers), found {vectors.shape}.",
            "Pass one vector per row, as embed returns them.",
        )
    if vectors.shape[1] == 0:
        return np.zeros(len(vectors), bool)
    # A sum is NaN or infinite as soon as one of its terms is.
    return np.asarray(np.isfinite(vectors.sum(axis=1)))


def valid_places(vectors: Vectors, order: IntArray | None) -> IntArray:
    """Return the rows that have a vector, in ``order`` (n,), or as they stand where it is None."""
    valid = valid_rows(vectors)
    return np.flatnonzero(valid) if order is None else order[valid[order]]


def reachable_k(rows: Vectors, k: int, n: int) -> tuple[int, str | None]:
    """Return k, or the number of distinct rows with a warning where that is smaller.

    ``rows`` are those of the ``n`` that have a vector.
    """
    if k < 1:
        raise InputError(f"The number of clusters is {k}.", "Give 1 or more.")
    distinct: set[bytes] = set()
    for row in rows:
        distinct.add(row.tobytes())
        if len(distinct) >= k:
            return k, None
    return len(distinct), _too_few(k, len(distinct), len(rows), n)


def _too_few(k: int, distinct: int, there: int, n: int) -> str:
    without = n - there
    if not there:
        return f"There are no clusters: none of the {n:,} texts has a vector."
    asked = f"{k} clusters were asked for, but only {distinct} texts differ"
    return f"{asked}; {without:,} have no vector." if without else f"{asked}."


def arrange(
    rows: Vectors, places: IntArray, n: int, found: IntArray, k: int, warning: str | None
) -> Clusters:
    """Order the labels ``found`` of ``rows``, drop empty ones, and measure the partition.

    ``places`` are where the rows stand among the ``n``, ``k`` is the number of clusters there
    should be, and ``warning`` says why it is not the one asked.
    """
    counts = np.bincount(found)
    first = np.empty(len(counts), np.int64)
    first[found[::-1]] = np.arange(len(found))[::-1]
    used = np.flatnonzero(counts)
    order = used[np.lexsort((first[used], -counts[used]))]
    rank = np.empty(len(counts), np.int64)
    rank[order] = np.arange(len(order))
    labels = np.full(n, -1, np.int64)
    labels[places] = rank[found]
    if len(order) < k and warning is None:
        warning = f"{k} clusters were asked for, but {k - len(order)} of them came out empty."
    sizes = counts[order]
    sums = label_sums(rows, rank[found], len(order))
    squares = np.einsum("ij,ij->i", rows, rows).sum(dtype=np.float64)
    within = float(squares - (np.einsum("ij,ij->i", sums, sums) / sizes).sum())
    centroids = (sums / sizes[:, None]).astype(np.float32)
    return Clusters(labels, centroids, max(0.0, within), warning)


def label_sums(rows: Vectors, labels: IntArray, k: int) -> FloatArray:
    """Sum of the rows of each label, shape (k, d), float64; one pass, block by block."""
    from scipy.sparse import csc_array

    sums = np.zeros((k, rows.shape[1]))
    for first in range(0, len(rows), _BLOCK):
        block = rows[first : first + _BLOCK]
        ones, starts = np.ones(len(block), np.float32), np.arange(len(block) + 1)
        members = csc_array((ones, labels[first : first + _BLOCK], starts), shape=(k, len(block)))
        sums += members @ block
    return sums
