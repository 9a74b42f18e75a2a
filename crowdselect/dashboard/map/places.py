"""Where the names of clusters stand on the map: beside the points, never over them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from crowdselect import pipeline
from crowdselect.dashboard import reads
from crowdselect.dashboard.cache import cached
from crowdselect.dashboard.scatter import Label, PointSet
from crowdselect.store import Crowd
from crowdselect.values import Clustering, FloatArray, Recipe

PLOT_PX = (500.0, 540.0)
"""The plot that places are found for; in a larger one there is more room still."""
SMALLER = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4)
"""Smaller plots that are tried: in those below the last one a name is left out."""
CELL_PX = 5.0
LETTER_PX, HEIGHT_PX = 7.2, 24.0
COARSE_CELLS = 8.0
"""Side of the squares in which the densest part of a cluster is looked for, in cells."""
FILLED = 0.9
"""Share of the plot that the points fill."""
Counts = npt.NDArray[np.int64]


@cached("texts", recipe=pipeline.CLUSTERED)
def labels_of(crowd: Crowd, recipe: Recipe, quick: bool = False) -> list[Label]:
    """The names of the recipe's clusters, each as near most of its cluster as there is room.

    ``quick``: on the first look.
    """
    clusters = reads.clustering(crowd, recipe)
    if clusters is None:
        return []
    points = reads.map_points(crowd, recipe.encoder, recipe.seed, quick)
    return place_labels(points, clusters)


def place_labels(points: PointSet, clusters: Clustering) -> list[Label]:
    """One label per cluster that has points and finds room, weighted by their number.

    Each stands in the free box that is nearest to where most of the cluster lies. The browser
    leaves out those that would cover points in the plot as it is there.
    """
    taken, origin, scale = _occupied(points)
    crowded = _sums(taken)
    placed = points.x < 1e29
    found = []
    for label, name in enumerate(clusters.names):
        rows = np.flatnonzero((clusters.labels == label) & placed)
        if not len(rows):
            continue
        cells = (np.stack([points.x[rows], points.y[rows]], axis=1) - origin) * scale
        place = _free(taken, _densest(cells), len(name))
        if place is None:
            continue
        x, y = place / scale + origin
        least = scale * CELL_PX * _least(crowded, place, len(name))
        found.append(Label(float(x), float(y), name, float(len(rows)), float(least)))
    return found


def _occupied(points: PointSet) -> tuple[Counts, FloatArray, float]:
    """Points per cell of the plot, shape (across, up), where it begins, and cells per unit."""
    x0, x1, y0, y1 = points.bounds
    span = np.array([max(x1 - x0, 1e-9), max(y1 - y0, 1e-9)])
    size = np.array(PLOT_PX) / CELL_PX
    scale = float((size * FILLED / span).min())
    middle = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
    origin = middle - size / scale / 2
    placed = points.x < 1e29
    cells = (np.stack([points.x[placed], points.y[placed]], axis=1) - origin) * scale
    counted, *_ = np.histogram2d(cells[:, 0], cells[:, 1], bins=size.astype(int),
                                 range=[(0, size[0]), (0, size[1])])  # fmt: skip
    return counted.astype(np.int64), origin, scale


def _densest(cells: FloatArray) -> FloatArray:
    """The middle of where most of a cluster lies: it may have several parts."""
    coarse = np.floor(cells / COARSE_CELLS).astype(np.int64)
    coarse -= coarse.min(axis=0)
    where = coarse[:, 0] * (coarse[:, 1].max() + 1) + coarse[:, 1]
    middle: FloatArray = cells[where == np.bincount(where).argmax()].mean(axis=0)
    return middle


def _box(letters: int) -> tuple[int, int]:
    """Cells that a name takes, across and up."""
    across = int(np.ceil((letters * LETTER_PX + 12) / CELL_PX))
    return across, int(np.ceil(HEIGHT_PX / CELL_PX))


def _sums(taken: Counts) -> Counts:
    """What is taken left of and below each corner, so that any box is a difference of four."""
    return np.pad(taken.cumsum(0).cumsum(1), ((1, 0), (1, 0)))


def _least(crowded: Counts, middle: FloatArray, letters: int) -> float:
    """The smallest of :data:`SMALLER` plots in which a name around ``middle`` covers no points."""
    half = np.array(_box(letters)) / 2
    least = 1.0
    for smaller in SMALLER:
        low = np.floor(middle - half / smaller).astype(int)
        high = np.ceil(middle + half / smaller).astype(int)
        if (low < 0).any() or (high >= crowded.shape).any():
            break
        (a, b), (c, d) = low, high
        if crowded[c, d] - crowded[a, d] - crowded[c, b] + crowded[a, b]:
            break
        least = smaller
    return least


def _free(taken: Counts, middle: FloatArray, letters: int) -> FloatArray | None:
    """The middle of the nearest free box for a name, in cells; the box is taken from now on.

    None: there is no free one.
    """
    across, up = _box(letters)
    across = min(across, taken.shape[0])
    sums = _sums(taken)
    inside = sums[across:, up:] - sums[:-across, up:] - sums[across:, :-up] + sums[:-across, :-up]
    i, j = np.indices(inside.shape)
    far = np.hypot(i + across / 2 - middle[0], j + up / 2 - middle[1])
    free = np.flatnonzero(inside == 0)
    if not len(free):
        return None
    a, b = np.unravel_index(free[far.ravel()[free].argmin()], inside.shape)
    taken[a : a + across, b : b + up] += 1
    return np.array([a + across / 2, b + up / 2])
