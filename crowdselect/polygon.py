"""Which points lie inside a polygon: a lasso on the map, on screen and in a recipe alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Polygon = Sequence[tuple[float, float]] | npt.NDArray[np.floating[Any]]


def points_in_polygon(
    polygon: Polygon, x: npt.NDArray[np.floating[Any]], y: npt.NDArray[np.floating[Any]]
) -> npt.NDArray[np.int64]:
    """Rows of the points inside ``polygon``, ascending.

    Even-odd rule by counting the edges that a ray to the right crosses, so a lasso that crosses
    itself selects what looks enclosed once. A point on a left or lower edge is inside, one on a
    right or upper edge outside, so that polygons side by side share no point; the direction in
    which a polygon is drawn decides nothing. The points are sorted by y first: an edge then only
    looks at the points at its height, and the cost does not grow with points times edges.

    Parameters
    ----------
    polygon
        Vertices in data coordinates; the last is joined to the first. Fewer than three: nothing.
    x, y
        Coordinates, shape (n,). A point with a missing (NaN) coordinate is never inside.
    """
    if len(polygon) < 3:
        return np.empty(0, dtype=np.int64)
    corners = np.asarray(polygon, dtype=np.float64)
    (left, bottom), (right, top) = corners.min(axis=0), corners.max(axis=0)
    rows = np.flatnonzero((x >= left) & (x <= right) & (y >= bottom) & (y <= top))
    rows = rows[np.argsort(y[rows], kind="stable")]
    px, py = x[rows].astype(np.float64), y[rows].astype(np.float64)
    inside = np.zeros(len(rows), dtype=np.bool_)
    for edge in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        (x1, y1), (x2, y2) = sorted(edge, key=lambda corner: float(corner[1]))
        if y1 == y2:
            continue
        low, high = np.searchsorted(py, (y1, y2))
        crossing = x1 + (py[low:high] - y1) * ((x2 - x1) / (y2 - y1))
        inside[low:high] ^= px[low:high] < crossing
    return np.sort(rows[inside]).astype(np.int64, copy=False)
