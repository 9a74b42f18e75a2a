"""What goes into the large scatter and what comes out: frozen values, no Streamlit."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from crowdselect.errors import InputError
from crowdselect.polygon import points_in_polygon
from crowdselect.values import FloatArray, IntArray

MOST_POINTS = 2_000_000
"""More points than this are refused: the browser would need over 100 MB for them."""
MOST_CATEGORIES = 1_000
NOWHERE = np.float32(1e30)
"""Stands for a missing coordinate; far outside every plot and inside no polygon."""
MISSING_CODE = 255
"""Code of a missing number; numbers are quantised to 0 ... 254."""


@dataclass(frozen=True, eq=False)
class PointSet:
    """Coordinates of n points, made once (cache it) and sent to each browser once.

    Use :meth:`from_arrays`. ``id`` names the content: the same coordinates have the same id.
    """

    xy: npt.NDArray[np.float32]
    """Shape (2, n), contiguous: the bytes that the browser gets."""
    id: str
    bounds: tuple[float, float, float, float]
    """Smallest and largest x, smallest and largest y of the points that have both."""
    missing: int
    """How many points have no place because a coordinate is NaN or infinite."""

    @classmethod
    def from_arrays(cls, x: npt.ArrayLike, y: npt.ArrayLike) -> PointSet:
        """Coordinates from two arrays of shape (n,); NaN or infinite = has no place, not drawn.

        Raises InputError for more than two million points or arrays of unequal length.
        """
        across, up = np.asarray(x, dtype=np.float32), np.asarray(y, dtype=np.float32)
        if across.shape != up.shape or across.ndim != 1:
            raise InputError(
                f"A scatter needs two equally long columns, found {across.shape} and {up.shape}.",
                "Give one x and one y for every point.",
            )
        if len(across) > MOST_POINTS:
            raise InputError(
                f"A scatter shows at most {MOST_POINTS:,} points, and there are {len(across):,}.",
                "Filter first, draw a random sample, or use the density picture.",
            )
        placed = np.isfinite(across) & np.isfinite(up)
        xy = np.ascontiguousarray(np.where(placed, np.stack([across, up]), NOWHERE))
        xy.flags.writeable = False
        digest = hashlib.sha256(xy.tobytes()).hexdigest()[:32]
        return cls(xy, digest, _bounds(xy[:, placed]), int(len(placed) - placed.sum()))

    @property
    def n(self) -> int:
        """Number of points."""
        return int(self.xy.shape[1])

    @property
    def x(self) -> npt.NDArray[np.float32]:
        """Shape (n,); a point without a place has 1e30."""
        x: npt.NDArray[np.float32] = self.xy[0]
        return x

    @property
    def y(self) -> npt.NDArray[np.float32]:
        """Shape (n,); a point without a place has 1e30."""
        y: npt.NDArray[np.float32] = self.xy[1]
        return y

    def inside(self, polygon: Sequence[tuple[float, float]]) -> IntArray:
        """Rows inside ``polygon`` (data coordinates), ascending."""
        return points_in_polygon(polygon, self.x, self.y)


def _bounds(xy: npt.NDArray[np.float32]) -> tuple[float, float, float, float]:
    if xy.shape[1] == 0:
        return (0.0, 1.0, 0.0, 1.0)
    (x0, y0), (x1, y1) = xy.min(axis=1), xy.max(axis=1)
    return (float(x0), float(x1), float(y0), float(y1))


@dataclass(frozen=True, eq=False)
class CategoryColour:
    """Colour by category; the legend lists ``names`` in this order, with counts and switches."""

    title: str
    codes: npt.NDArray[np.integer[Any]]
    """Shape (n,): index into ``names``; kept as uint8, or uint16 beyond 256 names."""
    names: tuple[str, ...]
    hues: tuple[int, ...] = ()
    """Number of each category's colour; empty: in their order."""

    def __post_init__(self) -> None:
        if not 0 < len(self.names) <= MOST_CATEGORIES:
            raise InputError(
                f"A scatter can be coloured by 1 to {MOST_CATEGORIES:,} categories, "
                f"{self.title!r} has {len(self.names):,}.",
                "Keep the most frequent ones and put the others into one category.",
            )
        codes = np.asarray(self.codes)
        if codes.size and (codes.min() < 0 or codes.max() >= len(self.names)):
            raise InputError(
                f"The categories of {self.title!r} are numbered {codes.min()} to {codes.max()}, "
                f"but there are names for 0 to {len(self.names) - 1} only.",
                "Give one name per category.",
            )
        kind = np.uint8 if len(self.names) <= 256 else np.uint16
        object.__setattr__(self, "codes", np.ascontiguousarray(codes, dtype=kind))

    @classmethod
    def from_labels(cls, title: str, labels: Sequence[object]) -> CategoryColour:
        """Categories by falling frequency, then by name; ``labels``: one per point, None = none."""
        texts = np.asarray(["none" if label is None else str(label) for label in labels])
        names, codes, counts = np.unique(texts, return_inverse=True, return_counts=True)
        order = np.argsort(-counts, kind="stable")
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        return cls(title, rank[codes], tuple(str(name) for name in names[order]))


@dataclass(frozen=True, eq=False)
class NumberColour:
    """Colour by a number, with a colour bar; NaN = without a value, drawn grey."""

    title: str
    values: FloatArray
    """Shape (n,)."""
    low: float | None = None
    """Value of the first colour; default: the 1st percentile, so that outliers do not decide."""
    high: float | None = None
    """Value of the last colour; default: the 99th percentile."""

    @cached_property
    def span(self) -> tuple[float, float]:
        """The values at the two ends of the colour bar."""
        finite = self.values[np.isfinite(self.values)]
        low, high = np.quantile(finite, [0.01, 0.99]) if finite.size else (0.0, 1.0)
        return (
            float(low) if self.low is None else self.low,
            float(high) if self.high is None else self.high,
        )

    @cached_property
    def codes(self) -> npt.NDArray[np.uint8]:
        """Shape (n,): 0 (low) ... 254 (high), 255 = missing."""
        low, high = self.span
        finite = np.isfinite(self.values)
        share = (np.where(finite, self.values, low) - low) / ((high - low) or 1.0)
        codes = np.rint(np.clip(share, 0.0, 1.0) * (MISSING_CODE - 1)).astype(np.uint8)
        codes[~finite] = MISSING_CODE
        return codes


Colour = CategoryColour | NumberColour


@dataclass(frozen=True)
class Label:
    """A name laid over the plot; where two would touch, the larger ``weight`` is shown."""

    x: float
    y: float
    text: str
    weight: float = 1.0
    least: float = 0.0
    """Pixels per unit of x from which on it covers no points; 0: it may stand on them."""


@dataclass(frozen=True)
class Axes:
    """Titles of two axes that mean something (a metric scatter); a map has none."""

    x: str
    y: str


@dataclass(frozen=True)
class HoverText:
    """What the card beside the pointer says; shown as text, never as markup."""

    title: str
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class HoverSource:
    """Looks up the hover text of a row when the pointer rests on it.

    ``lookup`` runs in a thread of the server while pages run in theirs: it must be safe to call
    from several threads.
    """

    id: str
    """Names what is looked up (for example the crowd's fingerprint); part of a secret address."""
    lookup: Callable[[int], HoverText] = field(compare=False)


@dataclass(frozen=True)
class View:
    """What part of the plot is seen: ``zoom`` 1 = everything, (x, y) = data at the middle."""

    zoom: float
    x: float
    y: float


@dataclass(frozen=True)
class ScatterEvent:
    """What the person did last, as of this rerun."""

    polygon: tuple[tuple[float, float], ...] | None = None
    """Lasso or box in data coordinates, at most 200 vertices; belongs in a manifest."""
    picked: int | None = None
    """Row of the point that was clicked."""
    view: View | None = None
    """Only where ``report_view`` asks for it."""
    webgl: bool = True
    """False: this browser cannot draw the points and shows the density picture."""
    hidden: tuple[int, ...] = ()
    """Categories switched off in the legend when the lasso was drawn; they are not in it."""

    def rows(self, points: PointSet, colour: Colour | None = None) -> IntArray | None:
        """Rows inside the lasso that are shown, ascending; None: there is no lasso."""
        if self.polygon is None:
            return None
        rows = points.inside(self.polygon)
        if not self.hidden or not isinstance(colour, CategoryColour):
            return rows
        return rows[~np.isin(colour.codes[rows], self.hidden)]


Aspect = Literal["equal", "free"]
