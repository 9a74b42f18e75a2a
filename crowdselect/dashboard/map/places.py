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
"""The plot that places are found for; in a larger one, or zoomed in, there is more room still."""
CELL_PX = 5.0
LETTER_PX, HEIGHT_PX = 7.2, 24.0
COARSE_CELLS = 8.0
"""Side of the squares in which the densest part of a cluster is looked for, in cells."""
FILLED = 0.9
"""Share of the plot that the points fill."""
_NAME = 10**9
"""A name weighs more than all the points that a plot can hold."""
Counts = npt.NDArray[np.int64]


@cached("texts", recipe=pipeline.CLUSTERED)
def labels_of(crowd: Crowd, recipe: Recipe, quick: bool = False) -> list[Label]:
    """The names of the recipe's clusters, each as near most of its cluster as there is room.

    Where no room is left a name stands where it covers the fewest points. ``quick``: on the first
    look.
    """
    clusters = reads.clustering(crowd, recipe)
    if clusters is None:
        return []
    points = reads.map_points(crowd, recipe.encoder, recipe.seed, quick)
    return place_labels(points, clusters)


def place_labels(points: PointSet, clusters: Clustering) -> list[Label]:
    """One label per cluster that has points, weighted by their number.

    Each stands in the free box that is nearest to where most of the cluster lies.
    """
    taken, origin, scale = _occupied(points)
    placed = points.x < 1e29
    found = []
    for label, name in enumerate(clusters.names):
        rows = np.flatnonzero((clusters.labels == label) & placed)
        if not len(rows):
            continue
        cells = (np.stack([points.x[rows], points.y[rows]], axis=1) - origin) * scale
        place = _free(taken, _densest(cells), len(name))
        x, y = place / scale + origin
        found.append(Label(float(x), float(y), name, float(len(rows))))
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


def _free(taken: Counts, middle: FloatArray, letters: int) -> FloatArray:
    """The middle of the nearest free box for a name, in cells; the box is taken from now on."""
    across = min(int(np.ceil((letters * LETTER_PX + 12) / CELL_PX)), taken.shape[0])
    up = int(np.ceil(HEIGHT_PX / CELL_PX))
    sums = np.pad(taken.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    inside = sums[across:, up:] - sums[:-across, up:] - sums[across:, :-up] + sums[:-across, :-up]
    i, j = np.indices(inside.shape)
    far = np.hypot(i + across / 2 - middle[0], j + up / 2 - middle[1])
    best = np.lexsort((far.ravel(), inside.ravel()))[0]
    a, b = np.unravel_index(best, inside.shape)
    taken[a : a + across, b : b + up] += _NAME
    return np.array([a + across / 2, b + up / 2])
