"""Edit the draft's filters in a popover; the chips say what is active."""

from __future__ import annotations

from typing import Any

import streamlit as st

from crowdselect.dashboard import reads, state
from crowdselect.store import Crowd
from crowdselect.values import Clustering, Filters


def show(crowd: Crowd, clusters: Clustering | None) -> None:
    """The popover with every filter that a recipe knows."""
    filters = state.draft().filters
    with st.popover("Filters", icon=":material/filter_alt:"):
        _text("contains", "Instruction contains", filters.contains)
        _text("lacks", "Instruction lacks", filters.lacks)
        left, right = st.columns(2)
        with left:
            _length("min_chars", "Characters, at least", filters.min_chars)
        with right:
            _length("max_chars", "at most", filters.max_chars)
        if clusters is not None:
            _clusters(filters, clusters)
        _range(crowd)
        _duplicates(filters, embedded=clusters is not None)


def _text(name: str, label: str, value: str | None) -> None:
    key = state.recipe_key(f"filters.{name}", value or "")
    st.text_input(label, key=key, max_chars=200, on_change=_changed, args=(name,))


def _length(name: str, label: str, value: int | None) -> None:
    key = state.recipe_key(f"filters.{name}", value)
    st.number_input(label, 0, None, key=key, step=10, on_change=_changed, args=(name,))


def _clusters(filters: Filters, clusters: Clustering) -> None:
    labels = list(range(clusters.k)) + ([-1] if (clusters.labels < 0).any() else [])
    chosen = [c for c in filters.clusters if c in labels]
    st.multiselect(
        "Clusters",
        labels,
        key=state.recipe_key("filters.clusters", chosen),
        format_func=lambda c: "unclustered" if c < 0 else clusters.names[c],
        placeholder="all",
        on_change=_changed,
        args=("clusters",),
    )


def _range(crowd: Crowd) -> None:
    names = [info.name for info in reads.metric_infos(crowd)]
    metric = st.selectbox("Range of a metric", names, key="filter metric")
    left, right, end = st.columns([2, 2, 1], vertical_alignment="bottom")
    low = left.number_input("from", value=None, key="filter low", format="%.4g", step=None)
    high = right.number_input("to", value=None, key="filter high", format="%.4g", step=None)
    end.button(
        "Add",
        disabled=low is None and high is None,
        on_click=_add_range,
        args=(metric, low, high),
    )


def _duplicates(filters: Filters, *, embedded: bool) -> None:
    st.checkbox(
        "Keep exact duplicates",
        key=state.recipe_key("filters.exact_duplicates", filters.exact_duplicates == "keep"),
        on_change=_changed,
        args=("exact_duplicates",),
        help="Otherwise the best-scored of equal instructions is kept.",
    )
    if embedded:
        st.number_input(
            "Drop near-duplicates above a cosine similarity of",
            0.5,
            1.0,
            key=state.recipe_key("filters.near_duplicates", filters.near_duplicates),
            step=0.01,
            placeholder="off",
            on_change=_changed,
            args=("near_duplicates",),
            help="Applied when selecting: of two similar instructions the better-scored one stays.",
        )


def _changed(name: str) -> None:
    value: Any = state.widget(f"filters.{name}")
    if name == "exact_duplicates":
        value = "keep" if value else "drop"
    if name in ("contains", "lacks"):
        value = value.strip() or None
    filters = state.draft().filters.model_dump(mode="json") | {name: value}
    state.amend(filters=filters)


def _add_range(metric: str, low: float | None, high: float | None) -> None:
    ranges = [r.model_dump() for r in state.draft().filters.ranges if r.metric != metric]
    state.change_filters(ranges=[*ranges, {"metric": metric, "low": low, "high": high}])
    for key in ("filter low", "filter high"):
        st.session_state[key] = None
