"""The active filters as chips: each says in a few words what it keeps, and goes at a click."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from crowdselect.dashboard import state
from crowdselect.dashboard.text import md, number, plural, shorten
from crowdselect.filters import Filter, Range
from crowdselect.values import Filters

NAMED = 2
"""How many of several values a chip names."""


@dataclass(frozen=True)
class Chip:
    """One active filter."""

    label: str
    without: dict[str, Any]
    """Changes to the filters that remove it."""


def chips_of(filters: Filters, cluster_names: Sequence[str] = ()) -> list[Chip]:
    """The chips of ``filters``, in the order of declaration; one per range."""
    chips = []
    for declared, value in filters.active():
        if declared.item is Range:
            for one in value:
                rest = [r.model_dump() for r in value if r != one]
                chips.append(Chip(declared.chip.format(_range(one)), {declared.name: rest}))
        else:
            words = declared.chip.format(_words(declared, value, cluster_names))
            chips.append(Chip(words, {declared.name: declared.default}))
    return chips


def _words(declared: Filter, value: Any, cluster_names: Sequence[str]) -> str:
    """The value of a filter in a few words."""
    if declared.needs == "plane":
        return plural(len(value), "corner")
    if declared.item is not None:
        clusters = declared.needs == "clusters"
        names = [_cluster(v, cluster_names) if clusters else shorten(str(v), 22) for v in value]
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        return ", ".join(names[:NAMED]) + more
    if isinstance(value, str):
        text = shorten(value, 24)
        return f"\N{LEFT DOUBLE QUOTATION MARK}{text}\N{RIGHT DOUBLE QUOTATION MARK}"
    return number(value) if isinstance(value, float) else f"{value:,}"


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
    state.amend(filters={})
