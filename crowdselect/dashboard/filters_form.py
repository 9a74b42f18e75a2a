"""Edit the draft's filters in a popover; the chips say what is active.

The form has a widget per declared filter (:data:`crowdselect.filters.FILTERS`), by its type.
"""

from __future__ import annotations

import streamlit as st

from crowdselect.dashboard import options, reads, state
from crowdselect.filters import EMBEDDED, FILTERS, Filter, Range
from crowdselect.store import Crowd
from crowdselect.values import Clustering

NAME = "filters."
"""Widgets of filters begin so: a recipe has ``clusters``, and so have its filters."""


def show(crowd: Crowd, clusters: Clustering | None) -> None:
    """The popover with every filter that can be set here."""
    beside: list[Filter] = []
    with st.popover("Filters", icon=":material/filter_alt:"):
        for declared in FILTERS:
            if declared.flag is None or (declared.needs in EMBEDDED and clusters is None):
                continue
            if int in declared.kinds and declared.item is None:
                beside.append(declared)  # short numbers stand in one line
                continue
            _in_a_line(beside)
            if declared.item is Range:
                _ranges(crowd, declared)
            elif declared.needs == "clusters" and clusters is not None:
                _clusters(declared, clusters)
            else:
                _widget(declared)
        _in_a_line(beside)


def _in_a_line(waiting: list[Filter]) -> None:
    if waiting:
        for column, declared in zip(st.columns(len(waiting)), waiting, strict=True):
            with column:
                _widget(declared)
        waiting.clear()


def _widget(declared: Filter) -> None:
    value = state.draft().filters.value(declared)
    key = state.recipe_key(NAME + declared.name, options.shown(declared, value))
    options.widget(declared, key, on_change=_changed, args=(declared,))


def _changed(declared: Filter) -> None:
    value = options.said(declared, state.widget(NAME + declared.name))
    state.change_filters(**{declared.name: value})


def _clusters(declared: Filter, clusters: Clustering) -> None:
    labels = list(range(clusters.k)) + ([-1] if (clusters.labels < 0).any() else [])
    chosen = [c for c in state.draft().filters.clusters if c in labels]
    options.widget(
        declared,
        state.recipe_key(NAME + declared.name, chosen),
        choices=labels,
        format_func=lambda c: "unclustered" if c < 0 else clusters.names[c],
        placeholder="all",
        on_change=_changed,
        args=(declared,),
    )


def _ranges(crowd: Crowd, declared: Filter) -> None:
    names = [info.name for info in reads.metric_infos(crowd)]
    metric = st.selectbox(declared.words, names, key="filter metric")
    left, right, end = st.columns([2, 2, 1], vertical_alignment="bottom")
    low = left.number_input("from", value=None, key="filter low", format="%.4g", step=None)
    high = right.number_input("to", value=None, key="filter high", format="%.4g", step=None)
    end.button(
        "Add",
        disabled=low is None and high is None,
        on_click=_add_range,
        args=(declared, metric, low, high),
    )


def _add_range(declared: Filter, metric: str, low: float | None, high: float | None) -> None:
    present = state.draft().filters.value(declared)
    ranges = [r.model_dump() for r in present if r.metric != metric]
    added = {"metric": metric, "low": low, "high": high}
    state.change_filters(**{declared.name: [*ranges, added]})
    for key in ("filter low", "filter high"):
        st.session_state[key] = None
