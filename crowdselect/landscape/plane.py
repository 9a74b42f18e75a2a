"""Vectors in, a place on the map for every row out; clusters never move it."""

from __future__ import annotations

import re
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

_MANY = 50_000
"""Rows from which on half of umap-learn's 200 epochs are as trustworthy; fewer rows need all."""
_MANY_EPOCHS = 100
_PREVIEW = {"dimensions": 50, "epochs": 50}


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
    components, so the same vectors and seed give the same map on the same machine. Equal rows
    share one place; rows without a vector get NaN; fewer than ten distinct rows are placed by PCA.

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
        A preview in about half the time, from 50 principal components and half the epochs;
        neighbourhoods of real texts are kept less well.
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
    epochs = _MANY_EPOCHS if len(rows) >= _MANY else None
    model = umap.UMAP(
        n_neighbors=neighbours,
        n_epochs=_PREVIEW["epochs"] if quick else epochs,
        init=_start(flat),
        random_state=seed,
        n_jobs=1,
        tqdm_kwds=_epoch_reports(progress),
    )
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
