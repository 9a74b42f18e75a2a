"""The active filters as chips: each says in a few words what it keeps, and goes at a click."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from crowdselect.dashboard import state
from crowdselect.dashboard.text import md, number, plural, shorten
from crowdselect.values import Filters, Range


@dataclass(frozen=True)
class Chip:
    """One active filter."""

    label: str
    without: dict[str, Any]
    """Changes to the filters that remove it."""


def chips_of(filters: Filters, cluster_names: Sequence[str] = ()) -> list[Chip]:
    """The chips of ``filters``, in the order of its fields; defaults have none."""
    chips = []
    if filters.contains:
        chips.append(Chip(f"contains {_quoted(filters.contains)}", {"contains": None}))
    if filters.lacks:
        chips.append(Chip(f"lacks {_quoted(filters.lacks)}", {"lacks": None}))
    if filters.clusters:
        names = [_cluster(c, cluster_names) for c in filters.clusters]
        shown = ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")
        chips.append(Chip(f"cluster {shown}", {"clusters": ()}))
    for i, bounds in enumerate(filters.ranges):
        rest = [r.model_dump() for j, r in enumerate(filters.ranges) if j != i]
        chips.append(Chip(_range(bounds), {"ranges": rest}))
    if filters.min_chars is not None:
        chips.append(Chip(f"at least {filters.min_chars:,} characters", {"min_chars": None}))
    if filters.max_chars is not None:
        chips.append(Chip(f"at most {filters.max_chars:,} characters", {"max_chars": None}))
    if filters.lasso:
        corners = plural(len(filters.lasso), "corner")
        chips.append(Chip(f"inside a lasso ({corners})", {"lasso": ()}))
    if filters.exact_duplicates == "keep":
        chips.append(Chip("duplicates kept", {"exact_duplicates": "drop"}))
    if filters.near_duplicates is not None:
        label = f"no near-duplicates above {number(filters.near_duplicates)}"
        chips.append(Chip(label, {"near_duplicates": None}))
    return chips


def _quoted(text: str) -> str:
    return f"\N{LEFT DOUBLE QUOTATION MARK}{shorten(text, 24)}\N{RIGHT DOUBLE QUOTATION MARK}"


def _cluster(label: int, names: Sequence[str]) -> str:
    if label == -1:
        return "unclustered"
    return shorten(names[label], 22) if label < len(names) else str(label)


def _range(bounds: Range) -> str:
    if bounds.low is None:
        return f"{bounds.metric} up to {number(bounds.high)}"
    if bounds.high is None:
        return f"{bounds.metric} from {number(bounds.low)}"
    return f"{bounds.metric} {number(bounds.low)} to {number(bounds.high)}"


def show(cluster_names: Sequence[str] = ()) -> None:
    """A row of chips; a click removes the filter. Nothing where there is no filter."""
    chips = chips_of(state.draft().filters, cluster_names)
    if not chips:
        return
    with st.container(horizontal=True, gap="xsmall", key="chips"):
        for i, chip in enumerate(chips):
            st.button(
                md(chip.label),
                key=f"chip {i} {chip.label}",
                icon=":material/close:",
                icon_position="right",
                help="Remove this filter",
                on_click=_remove,
                args=(chip.without,),
            )
        if len(chips) > 1:
            st.button("Clear all", key="chips clear", type="tertiary", on_click=_clear)


def _remove(without: dict[str, Any]) -> None:
    state.change_filters(**without)


def _clear() -> None:
    state.adopt(state.draft().model_copy(update={"filters": Filters()}))
