"""Which points lie inside a polygon."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from crowdselect.values import IntArray

Polygon = Sequence[tuple[float, float]]


def points_in_polygon(
    polygon: Polygon, x: npt.NDArray[np.floating], y: npt.NDArray[np.floating]
) -> IntArray:
    """Rows of the points inside ``polygon``, ascending.

    Even-odd rule by counting the edges that a ray to the right crosses, so a lasso that crosses
    itself selects what looks enclosed once. The points are sorted by y first: an edge then only
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
    for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y1 == y2:
            continue
        low, high = np.searchsorted(py, sorted((y1, y2)))
        crossing = x1 + (py[low:high] - y1) * ((x2 - x1) / (y2 - y1))
        inside[low:high] ^= px[low:high] < crossing
    return np.sort(rows[inside]).astype(np.int64, copy=False)
