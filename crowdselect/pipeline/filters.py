"""Which rows a recipe's filters leave out, cause by cause."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from crowdselect.errors import InputError
from crowdselect.progress import Progress, silent
from crowdselect.store import Crowd
from crowdselect.values import BoolArray, Clustering, Filters, FloatArray, Plane

Column = Callable[[str], FloatArray]
Places = Callable[[], Plane]
Clusters = Callable[[], Clustering]


def excluded_rows(
    crowd: Crowd,
    filters: Filters,
    column: Column,
    clusters: Clusters,
    places: Places,
    progress: Progress = silent,
) -> dict[str, BoolArray]:
    """Cause -> rows (n,) that may not be selected. What a filter needs is asked for only then."""
    out: dict[str, BoolArray] = {}
    if filters.contains or filters.lacks:
        progress(0, None, "reading texts")
        out |= _by_text(crowd.instruction_texts(), filters)
    if filters.min_chars is not None or filters.max_chars is not None:
        length = crowd.texts.instruction_lengths("chars")
        out["length"] = ~_within(length, filters.min_chars, filters.max_chars)
    for wanted in filters.ranges:
        values = column(wanted.metric)
        name = f"range of {wanted.metric}"
        out[name] = out.get(name, False) | ~_within(values, wanted.low, wanted.high)
    if filters.clusters:
        out["cluster"] = ~np.isin(_known(clusters(), filters).labels, filters.clusters)
    if filters.lasso:
        out["lasso"] = ~inside_polygon(places().xy, np.asarray(filters.lasso))
    return out


def _known(clustering: Clustering, filters: Filters) -> Clustering:
    unknown = [c for c in filters.clusters if not -1 <= c < clustering.k]
    if unknown:
        raise InputError(
            f"There is no cluster {unknown[0]}.",
            f"The clusters are 0 to {clustering.k - 1}; -1 holds the rows without a vector.",
        )
    return clustering


def _by_text(texts: list[str], filters: Filters) -> dict[str, BoolArray]:
    folded = [text.casefold() for text in texts]
    out = {}
    for cause, word, wanted in (
        ("text", filters.contains, True),
        ("text to avoid", filters.lacks, False),
    ):
        if word:
            found = np.fromiter((word.casefold() in t for t in folded), bool, len(folded))
            out[cause] = ~found if wanted else found
    return out


def _within(values: FloatArray, low: float | None, high: float | None) -> BoolArray:
    """Rows inside the bounds; a missing value never is."""
    inside = ~np.isnan(values)
    if low is not None:
        inside &= values >= low
    if high is not None:
        inside &= values <= high
    return inside


def inside_polygon(xy: npt.NDArray[np.float32], polygon: FloatArray) -> BoolArray:
    """Points (n, 2) inside ``polygon`` (k, 2) by the even-odd rule; a missing place is outside."""
    if len(polygon) < 3:
        raise InputError(
            f"A lasso needs at least three corners, found {len(polygon)}.", "Draw it again."
        )
    x, y = xy[:, 0].astype(np.float64), xy[:, 1].astype(np.float64)
    inside = np.zeros(len(xy), dtype=bool)
    for (x1, y1), (x2, y2) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        crosses = (y1 > y) != (y2 > y)
        if y1 != y2:
            inside ^= crosses & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1)
    return inside & np.isfinite(x) & np.isfinite(y)
