"""Vectors in, a place on the map for every row out; clusters never move it."""

from __future__ import annotations

import re
import warnings
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from crowdselect.landscape.cluster import valid_places
from crowdselect.landscape.encoder import Vectors
from crowdselect.progress import Progress, silent
from crowdselect.values import IntArray

Coordinates = npt.NDArray[np.float32]
"""Shape (n, 2), float32; NaN: the row has no place."""

_FEWEST = 10
"""Below this many distinct rows UMAP has nothing to work with; PCA places them."""

_EXACT_BELOW = 4096
"""UMAP itself compares all pairs below this many rows."""

_PREVIEW = {"dimensions": 50, "epochs": 100}


def project(
    vectors: Vectors,
    seed: int = 42,
    progress: Progress = silent,
    neighbours: int = 15,
    quick: bool = False,
    order: IntArray | None = None,
) -> Coordinates:
    """Place the rows of ``vectors`` (n, d) on a plane by UMAP; return xy, shape (n, 2).

    McInnes et al. 2018, by umap-learn, seeded and started from the first two principal
    components, so the same vectors and seed give the same map on the same machine. Nearest
    neighbours come from faiss where it is installed, else from pynndescent: two maps that are
    alike, not equal. Equal rows share one place; rows without a vector get NaN; fewer than ten
    distinct rows are placed by PCA.

    Parameters
    ----------
    vectors
        Unit rows, float32.
    seed
        Seed of every random choice.
    progress
        Called per stage and per epoch; may raise CancelledError.
    neighbours
        Size of the neighbourhoods that are kept together.
    quick
        A preview in about a third of the time, from 50 principal components and half the
        epochs; neighbourhoods are kept less well.
    order
        Shape (n,): the order in which UMAP is to see the rows (a crowd's: its ids); None: as they
        stand. It moves the map.
    """
    places = valid_places(vectors, order)
    xy = np.full((len(vectors), 2), np.nan, np.float32)
    rows, back = _distinct(vectors[places])
    if len(rows):
        placed = _place(rows, seed, progress, min(neighbours, len(rows) - 1), quick)
        xy[places] = placed[back]
    return xy


def _place(
    rows: Vectors, seed: int, progress: Progress, neighbours: int, quick: bool
) -> Coordinates:
    progress(0, None, "map: principal components")
    if len(rows) == 1:
        return np.zeros((1, 2), np.float32)
    flat = _principal(rows, _PREVIEW["dimensions"] if quick else 2, seed)
    if len(rows) < _FEWEST:
        return np.ascontiguousarray(flat[:, :2])
    import umap

    source = flat if quick else rows
    progress(0, None, "map: nearest neighbours")
    model = umap.UMAP(
        n_neighbors=neighbours,
        n_epochs=_PREVIEW["epochs"] if quick else None,
        init=_start(flat),
        random_state=seed,
        n_jobs=1,
        precomputed_knn=_neighbours(source, neighbours, seed),
        tqdm_kwds=_epoch_reports(progress),
    )
    with warnings.catch_warnings():
        # We place no further rows later, so the missing search index is no loss.
        warnings.filterwarnings("ignore", message=r"precomputed_knn\[2\]")
        return np.asarray(model.fit_transform(source), dtype=np.float32)


def _distinct(rows: Vectors) -> tuple[Vectors, npt.NDArray[np.int64]]:
    """The rows without repeats, in order of first appearance, and where each row went."""
    seen: dict[bytes, int] = {}
    back = np.array([seen.setdefault(row.tobytes(), len(seen)) for row in rows], np.int64)
    _, first = np.unique(back, return_index=True)
    return rows[first], back


def _principal(rows: Vectors, size: int, seed: int) -> Coordinates:
    """The first ``size`` principal components, padded with zeros to two at least."""
    from sklearn.decomposition import PCA

    kept = min(size, *rows.shape)
    components = PCA(kept, svd_solver="auto", random_state=seed).fit_transform(rows)
    return np.pad(components, ((0, 0), (0, max(0, 2 - kept)))).astype(np.float32)


def _start(flat: Coordinates) -> Coordinates:
    """Two components scaled as UMAP scales its own starts: the larger one spans 10 units."""
    two = flat[:, :2]
    return (two * (10.0 / max(float(np.abs(two).max()), 1e-12))).astype(np.float32)


def _neighbours(rows: Coordinates | Vectors, count: int, seed: int) -> tuple[Any, Any, None]:
    """``count`` nearest rows of each row, itself first, by a faiss inverted-file index.

    None where UMAP should find them itself.
    """
    if len(rows) < _EXACT_BELOW or find_spec("faiss") is None:
        return (None, None, None)
    import faiss

    size = rows.shape[1]
    lists = max(1, int(4 * np.sqrt(len(rows))))
    index = faiss.IndexIVFFlat(faiss.IndexFlatL2(size), size, lists)
    index.cp.seed = seed
    # The lists need only be roughly even: a third of the default steps on a sample are enough.
    index.cp.niter = 8
    index.cp.min_points_per_centroid = 1
    index.cp.max_points_per_centroid = 32
    data = np.ascontiguousarray(rows, dtype=np.float32)
    index.train(data)
    index.add(data)
    index.nprobe = min(lists, max(12, lists // 100))
    squares, found = index.search(data, count)
    return _itself_first(found, np.sqrt(np.maximum(squares, 0)))


def _itself_first(found: Any, distances: Any) -> tuple[Any, Any, None]:
    """UMAP takes the first neighbour for the row itself, which a tie may have displaced."""
    own = np.arange(len(found))
    displaced = found[:, 0] != own
    for row in np.flatnonzero(displaced):
        at = np.flatnonzero(found[row] == row)
        end = at[0] if len(at) else found.shape[1] - 1
        found[row, 1 : end + 1] = found[row, :end].copy()
        distances[row, 1 : end + 1] = distances[row, :end].copy()
        found[row, 0], distances[row, 0] = row, 0.0
    return found.astype(np.int32), distances.astype(np.float32), None


class _Reports:
    """What tqdm writes to: turns ``12/200`` into a call of ``progress``."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def write(self, text: str) -> None:
        counted = re.search(r"(\d+)/(\d+)", text)
        if counted:
            self._progress(int(counted[1]), int(counted[2]), "map: placing the texts")

    def flush(self) -> None:
        """Nothing is buffered."""


def _epoch_reports(progress: Progress) -> dict[str, Any]:
    """umap-learn's tqdm options: report epochs to ``progress`` instead of the terminal."""
    return {
        "disable": False,
        "file": _Reports(progress),
        "bar_format": "{n_fmt}/{total_fmt}",
        "mininterval": 0.2,
    }
