"""Filters by text, length, metric and place, and :class:`Filters`, the values of them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from crowdselect.errors import InputError
from crowdselect.filters.base import EMBEDDED, NEEDS, Filter, Mask, Numbers, Rows
from crowdselect.options import Frozen, check_option, options_of
from crowdselect.polygon import points_in_polygon
from crowdselect.registry import Registry, did_you_mean


class Range(Frozen):
    """Keep rows with ``low <= metric <= high``; a missing value never passes."""

    metric: str
    low: float | None = None
    high: float | None = None

    @classmethod
    def from_text(cls, text: str) -> Range:
        """Read ``METRIC=LOW..HIGH``, either side may be empty; raises InputError."""
        name, sign, bounds = text.rpartition("=")
        low, dots, high = (part.strip() for part in bounds.partition(".."))
        problem = f"{text!r} is not a range."
        remedy = "Write METRIC=LOW..HIGH, such as difficulty=-1..2.5."
        if not sign or not dots or not name.strip() or not (low or high):
            raise InputError(problem, remedy)
        try:
            sides = {k: float(v) for k, v in (("low", low), ("high", high)) if v}
        except ValueError:
            raise InputError(problem, remedy) from None
        return cls(metric=name.strip(), **sides)


def _with_text(word: str, rows: Rows) -> Mask:
    folded = word.casefold()
    return np.fromiter((folded in text.casefold() for text in rows.texts()), bool)


def _outside(values: Numbers, low: float | None, high: float | None) -> Mask:
    """Rows outside the bounds; a missing value always is."""
    out = np.isnan(values)
    if low is not None:
        out |= values < low
    if high is not None:
        out |= values > high
    return out


def _outside_ranges(ranges: Sequence[Range], rows: Rows) -> dict[str, Mask]:
    out: dict[str, Mask] = {}
    for wanted in ranges:
        cause = f"range of {wanted.metric}"
        beyond = _outside(rows.column(wanted.metric), wanted.low, wanted.high)
        out[cause] = out[cause] | beyond if cause in out else beyond
    return out


def _other_clusters(wanted: Sequence[int], rows: Rows) -> dict[str, Mask]:
    found = rows.clusters()
    if unknown := [c for c in wanted if not -1 <= c < found.k]:
        raise InputError(
            f"There is no cluster {unknown[0]}.",
            f"The clusters are 0 to {found.k - 1}; -1 holds the rows without a vector.",
        )
    return {"cluster": ~np.isin(found.labels, wanted)}


def _outside_lasso(corners: Sequence[tuple[float, float]], rows: Rows) -> dict[str, Mask]:
    """A missing place is outside."""
    if len(corners) < 3:
        raise InputError(
            f"A lasso needs at least three corners, found {len(corners)}.", "Draw it again."
        )
    xy = rows.places()
    outside = np.ones(len(xy), dtype=bool)
    outside[points_in_polygon(corners, xy[:, 0], xy[:, 1])] = False
    return {"lasso": outside}


CONTAINS = Filter(
    help="Text that it contains",
    label="Instruction contains",
    chip="contains {}",
    needs="texts",
    leaves_out=lambda word, rows: {"text": ~_with_text(word, rows)},
)
LACKS = Filter(
    help="Text that it does not contain",
    label="Instruction lacks",
    chip="lacks {}",
    needs="texts",
    leaves_out=lambda word, rows: {"text to avoid": _with_text(word, rows)},
)
CLUSTERS = Filter(
    help="Only these clusters; none: all",
    one="Only this cluster; repeatable",
    label="Clusters",
    flag="--in-cluster",
    chip="cluster {}",
    needs="clusters",
    group="Numbers",
    leaves_out=_other_clusters,
)
RANGES = Filter(
    help="Ranges of metrics",
    one="METRIC=LOW..HIGH; repeatable",
    label="Range of a metric",
    flag="--range",
    needs="columns",
    group="Numbers",
    parse=Range.from_text,
    leaves_out=_outside_ranges,
)
MIN_CHARS = Filter(
    help="Shortest instruction",
    label="Characters, at least",
    chip="at least {} characters",
    needs="lengths",
    leaves_out=lambda least, rows: {"length": _outside(rows.lengths(), least, None)},
)
MAX_CHARS = Filter(
    help="Longest instruction",
    label="at most",
    chip="at most {} characters",
    needs="lengths",
    leaves_out=lambda most, rows: {"length": _outside(rows.lengths(), None, most)},
)
LASSO = Filter(
    help="Inside a polygon that is drawn on the map",
    flag=None,
    chip="inside a lasso ({})",
    needs="plane",
    leaves_out=_outside_lasso,
)
EXACT_DUPLICATES = Filter(
    help="Keep equal texts; otherwise the best-scored of them",
    label="Keep exact duplicates",
    flag="--keep-duplicates",
    switch="keep",
    chip="duplicates kept",
    needs="texts",
)
NEAR_DUPLICATES = Filter(
    help="Drop what is more similar than this (cosine) to something better-scored",
    label="Drop near-duplicates above a cosine similarity of",
    chip="no near-duplicates above {}",
    needs="vectors",
)


class Filters(Frozen):
    """Which instructions may be selected at all; beside these fields any filter of FILTERS."""

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)

    contains: Annotated[str | None, CONTAINS] = None
    """Case-insensitive."""
    lacks: Annotated[str | None, LACKS] = None
    """Case-insensitive."""
    clusters: Annotated[tuple[int, ...], CLUSTERS] = ()
    ranges: Annotated[tuple[Range, ...], RANGES] = ()
    min_chars: Annotated[int | None, MIN_CHARS, Field(ge=0)] = None
    max_chars: Annotated[int | None, MAX_CHARS, Field(ge=0)] = None
    lasso: Annotated[tuple[tuple[float, float], ...], LASSO] = ()
    """Corners in the plane's coordinates; empty: everywhere."""
    exact_duplicates: Annotated[Literal["drop", "keep"], EXACT_DUPLICATES] = "drop"
    """Equal after normalising case and white space."""
    near_duplicates: Annotated[float | None, NEAR_DUPLICATES, Field(gt=0, le=1)] = None

    @model_validator(mode="before")
    @classmethod
    def _registered(cls, data: Any) -> Any:
        """Check what is no field of ours against FILTERS; a default is as good as not given."""
        if not isinstance(data, Mapping):
            return data
        own = {name: value for name, value in data.items() if name in cls.model_fields}
        for name in data.keys() - own.keys():
            if name not in FILTERS:
                words = f"there is no filter {name!r}; {did_you_mean(name, FILTERS.names())}"
                raise PydanticCustomError("filter", "{words}", {"words": words})
            value = _checked(FILTERS[name], data[name])
            if value != FILTERS[name].default:
                own[name] = value
        return own

    def value(self, declared: Filter) -> Any:
        """What a filter is set to, or its default."""
        return getattr(self, declared.name, declared.default)

    def active(self) -> list[tuple[Filter, Any]]:
        """The filters that are set, each with its value, in the order of declaration."""
        values = [(declared, self.value(declared)) for declared in FILTERS]
        return [(d, value) for d, value in values if value not in (d.default, "", ())]

    @property
    def needs(self) -> set[str]:
        """What the filters that are set need to know; see NEEDS."""
        return {declared.needs for declared, _ in self.active()}

    @property
    def embedded(self) -> bool:
        """Tell whether one of them needs the instructions' embeddings."""
        return bool(self.needs & EMBEDDED)


def _checked(declared: Filter, value: Any) -> Any:
    try:
        found = TypeAdapter(declared.type).validate_python(value)
        check_option("filters", declared, found)
    except (ValidationError, InputError) as error:
        what = error.problem if isinstance(error, InputError) else error.errors()[0]["msg"]
        words = {"words": f"{declared.name}: {what}"}
        raise PydanticCustomError("filter", "{words}", words) from error
    return found


FILTERS: Registry[Filter] = Registry("filter", options_of(Filters))  # type: ignore[arg-type]
"""Every filter, in the order of forms, chips and ``--help``."""


def left_out(filters: Filters, rows: Rows) -> dict[str, Mask]:
    """Cause -> rows (n,) that may not be selected; cheap filters first."""
    out: dict[str, Mask] = {}
    for declared, value in sorted(filters.active(), key=lambda f: NEEDS.index(f[0].needs)):
        causes = declared.leaves_out(value, rows) if declared.leaves_out else {}
        for cause, mask in causes.items():
            out[cause] = out[cause] | mask if cause in out else mask
    return out
