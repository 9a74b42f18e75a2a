"""Vectors in once, clusters for any k out in a fraction of a second: what the slider asks.

A thousand small clusters stand in for the rows. Their Ward tree and weighted k-means on their
centroids give good starts; two Lloyd steps on all rows finish. The result is within about one
per cent of scikit-learn's n_init=20 in inertia (docs/benchmarks.md).
"""

from __future__ import annotations

import hashlib
import threading
import warnings
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from crowdselect.errors import InputError
from crowdselect.files import where_the_disk_allows, write_aside
from crowdselect.landscape.cluster import (
    Clusters,
    arrange,
    label_sums,
    reachable_k,
    valid_places,
)
from crowdselect.landscape.encoder import Vectors
from crowdselect.progress import Progress, silent
from crowdselect.values import FloatArray, IntArray

MICRO = 1024
"""Number of small clusters."""

_SAMPLE = 40_000
_STEPS = 8
_STARTS = 4
_KEPT = 64
_BLOCK = 16_384
_SMALL = 4 * MICRO
"""Below this many rows k-means itself is fast enough."""


_NOTHING = (np.empty((0, 0), np.float32), np.empty(0), np.empty((0, 4)))


class FastClusters:
    """Clusters of the same vectors for any k; ``clusters(k)`` is remembered per k.

    Safe for threads. The same vectors and seed give the same labels on the same machine; the
    order of sums in a matrix product differs between numbers of threads, so near-ties may not
    fall alike on another machine.

    Parameters
    ----------
    vectors
        Shape (n, d), float32; NaN rows get label -1.
    seed
        Seed of the sample and of every start.
    progress
        Told about the preparation (seconds at 100,000 rows); may raise CancelledError.
    order
        Shape (n,): the order of the rows in which samples and starts are drawn by position (a
        crowd's: its ids); None: as they stand.
    """

    def __init__(
        self,
        vectors: Vectors,
        seed: int = 42,
        progress: Progress = silent,
        order: IntArray | None = None,
    ) -> None:
        self._attach(vectors, seed, order)
        if self._small:
            self._centres, self._weights, self._tree = _NOTHING
            return
        progress(0, 3, "preparing clusters")
        seeds = _micro_seeds(self._rows, seed)
        progress(1, 3, "preparing clusters")
        micro = _assign(self._rows, seeds)
        progress(2, 3, "preparing clusters")
        centres, weights = _means(self._rows, micro, len(seeds))
        self._centres, self._weights = centres[weights > 0], weights[weights > 0]
        self._tree = _ward(self._centres)
        progress(3, 3, "preparing clusters")

    def _attach(self, vectors: Vectors, seed: int, order: IntArray | None) -> None:
        self.seed = seed
        self._n = len(vectors)
        self._places = valid_places(vectors, order)
        as_it_is = np.array_equal(self._places, np.arange(self._n))
        self._rows = np.ascontiguousarray(vectors if as_it_is else vectors[self._places])
        self._small = len(self._rows) < _SMALL
        self._found: OrderedDict[int, Clusters] = OrderedDict()
        self._lock = threading.Lock()

    def labels(self, k: int) -> IntArray:
        """Return the labels for ``k`` clusters, shape (n,); see :class:`Clusters`."""
        return self.clusters(k).labels

    def clusters(self, k: int) -> Clusters:
        """Return the partition into ``k`` clusters; raises InputError for k < 1."""
        with self._lock:
            known = self._found.get(k)
        # Outside the lock: a slider does not wait for what is computed ahead of it.
        found = self._compute(k) if known is None else known
        with self._lock:
            found = self._found.setdefault(k, found)
            self._found.move_to_end(k)
            if len(self._found) > _KEPT:
                self._found.popitem(last=False)
            return found

    def precompute(self, ks: Iterable[int], progress: Progress = silent) -> None:
        """Compute the partitions for ``ks`` ahead of the questions (up to 64 are kept)."""
        wanted = tuple(ks)
        for done, k in enumerate(wanted):
            progress(done, len(wanted), "clustering ahead")
            self.clusters(k)
        progress(len(wanted), len(wanted), "clustering ahead")

    def precompute_in_background(self, ks: Iterable[int]) -> threading.Thread:
        """Start :meth:`precompute` in a thread that ends with the process; return the thread."""
        thread = threading.Thread(target=self.precompute, args=(tuple(ks),), daemon=True)
        thread.start()
        return thread

    def save(self, path: Path) -> None:
        """Write the preparation (not the vectors) to ``path``, whole or not at all."""
        with (
            where_the_disk_allows(),
            write_aside(path) as temporary,
            temporary.open("wb") as handle,
        ):
            np.savez(
                handle,
                centres=self._centres,
                weights=self._weights,
                tree=self._tree,
                seed=self.seed,
                vectors=_fingerprint(self._rows),
            )

    @classmethod
    def load(cls, path: Path, vectors: Vectors, order: IntArray | None = None) -> FastClusters:
        """Read what :meth:`save` wrote for the same ``vectors`` in the same ``order``.

        The clusters come out the same. Raises InputError where the file is damaged or was made
        from other vectors.
        """
        clusters = cls.__new__(cls)
        try:
            with np.load(path, allow_pickle=False) as saved:
                made_from = str(saved["vectors"])
                clusters._attach(vectors, int(saved["seed"]), order)
                clusters._centres = saved["centres"]
                clusters._weights = saved["weights"]
                clusters._tree = saved["tree"]
        except (OSError, ValueError, KeyError, BadZipFile) as error:
            raise InputError(
                f"{path} is not a saved preparation of clusters: {error}.",
                "Delete the file; it is made again.",
            ) from error
        if made_from != _fingerprint(clusters._rows):
            raise InputError(
                f"{path} was made from other vectors.", "Delete the file; it is made again."
            )
        return clusters

    def _compute(self, asked: int) -> Clusters:
        k, warning = reachable_k(self._rows, asked, self._n)
        if k == 0:
            return Clusters(np.full(self._n, -1), self._rows, 0.0, warning)
        if k > MICRO and not self._small:
            raise InputError(
                f"{k} clusters are more than the {MICRO} of the fast method.",
                "Use the exact method for so many.",
            )
        if k >= len(self._centres):
            # Few rows, or few that differ: k-means itself is quick.
            found = _kmeans(self._rows, k, self.seed, starts=_STARTS).labels_.astype(np.int64)
        else:
            centroids = self._start(k)
            moved, sizes = _means(self._rows, _assign(self._rows, centroids), k)
            centroids = np.where(sizes[:, None] > 0, moved, centroids)
            found = _assign(self._rows, centroids)
        return arrange(self._rows, self._places, self._n, found, k, warning)

    def _start(self, k: int) -> Vectors:
        """The best of the Ward cut and some k-means++ starts, judged on the small clusters."""
        from scipy.cluster.hierarchy import fcluster

        cut = fcluster(self._tree, k, criterion="maxclust") - 1
        tries = [_kmeans(self._centres, k, self.seed, starts=_STARTS, weights=self._weights)]
        if cut.max() + 1 == k:
            sums = np.zeros((k, self._centres.shape[1]))
            np.add.at(sums, cut, self._centres * self._weights[:, None])
            start = (sums / np.bincount(cut, self._weights, k)[:, None]).astype(np.float32)
            tries.append(_kmeans(self._centres, k, self.seed, weights=self._weights, start=start))
        best: Vectors = min(tries, key=lambda fitted: fitted.inertia_).cluster_centers_
        return best


def _kmeans(
    rows: Vectors,
    k: int,
    seed: int,
    *,
    starts: int = 1,
    weights: FloatArray | None = None,
    start: Vectors | None = None,
) -> Any:
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    model = KMeans(
        k, init="k-means++" if start is None else start, n_init=starts, random_state=seed
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(rows, sample_weight=weights)


def _micro_seeds(rows: Vectors, seed: int) -> Vectors:
    """Centroids of a few k-means steps on a sample."""
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    random = np.random.default_rng(seed)
    chosen = np.sort(random.choice(len(rows), min(_SAMPLE, len(rows)), replace=False))
    model = KMeans(MICRO, init="random", n_init=1, max_iter=_STEPS, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        centres: Vectors = model.fit(rows[chosen]).cluster_centers_
    return np.unique(centres, axis=0)


def _ward(centres: Vectors) -> FloatArray:
    from scipy.cluster.hierarchy import ward

    return ward(centres) if len(centres) > 1 else _NOTHING[2]


def _assign(rows: Vectors, centroids: Vectors) -> IntArray:
    """Nearest centroid of each row, by one matrix product per block."""
    half = np.einsum("ij,ij->i", centroids, centroids) / 2
    labels = np.empty(len(rows), np.int64)
    turned = np.ascontiguousarray(centroids.T)
    for first in range(0, len(rows), _BLOCK):
        scores = rows[first : first + _BLOCK] @ turned
        scores -= half
        labels[first : first + _BLOCK] = scores.argmax(axis=1)
    return labels


def _means(rows: Vectors, labels: IntArray, k: int) -> tuple[Vectors, FloatArray]:
    """Mean (k, d) and number of rows (k,) of each label that occurs; zeros where none does."""
    sizes = np.bincount(labels, minlength=k).astype(np.float64)
    means = label_sums(rows, labels, k) / np.maximum(sizes, 1)[:, None]
    return means.astype(np.float32), sizes


def _fingerprint(vectors: npt.NDArray[Any]) -> str:
    data = np.ascontiguousarray(vectors)
    return hashlib.sha256(data.data).hexdigest()[:32]
