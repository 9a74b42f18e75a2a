"""Scatter of two metrics, linked with the table; all in one fragment, so that a lasso is quick."""

from __future__ import annotations

import numpy as np
import streamlit as st

from crowdselect.dashboard import chips, colours, filters_form, hover, reads, shell, state, table
from crowdselect.dashboard.cache import cached
from crowdselect.dashboard.explore import search
from crowdselect.dashboard.scatter import Axes, PointSet, scatter
from crowdselect.dashboard.text import n_of_m
from crowdselect.store import Crowd
from crowdselect.values import FloatArray, IntArray, Recipe

KEY = "explore scatter"
FOUND_FIRST = ("sort found", "as found")


@shell.fragment()
def show(crowd: Crowd) -> None:
    """Search, filters, scatter and table."""
    recipe = state.draft()
    clusters = reads.clustering(crowd, recipe)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        search.field()
        search.where(crowd, recipe)
        filters_form.show(crowd, clusters)
    search.like_chip(crowd)
    chips.show(crowd, () if clusters is None else clusters.names)
    found = search.find(crowd, recipe)
    metrics = [info.name for info in reads.metric_infos(crowd)]
    left, right = st.columns([3, 2], gap="medium")
    with left:
        x, y, colour = _axes(crowd, metrics, clustered=clusters is not None)
        points = metric_points(crowd, recipe, x, y)
        colouring = colours.colour_by(crowd, recipe, colour)
        event = scatter(
            points,
            key=KEY,
            selected=None if found.mask.all() else found.mask,
            colour=colouring,
            axes=Axes(_title(crowd, x), _title(crowd, y)),
            hover=hover.source(crowd, recipe, (x, y)),
            height=540,
            description=f"Scatter of {x} and {y}",
            on_pick=table.note_pick,
        )
        lasso = event.rows(points, colouring)
        _without_place(points)
    with right:
        _table(crowd, recipe, found, lasso, dict.fromkeys([x, y]))
    table.open_picked(crowd, event.picked, np.flatnonzero(found.mask))


def _axes(crowd: Crowd, metrics: list[str], *, clustered: bool) -> tuple[str, str, str]:
    """The three choices above the scatter."""
    first, second = metrics[0], metrics[min(1, len(metrics) - 1)]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        x = st.selectbox("Across", metrics, **state.view_widget("x", first, metrics), width=170)
        y = st.selectbox("Up", metrics, **state.view_widget("y", second, metrics), width=170)
        offered = colours.choices(crowd, metrics, clustered=clustered)
        default = offered[0]
        colour = st.selectbox(
            "Colour", offered, **state.view_widget("colour", default, offered), width=170
        )
    return x, y, colour


def _title(crowd: Crowd, name: str) -> str:
    info = next(i for i in reads.metric_infos(crowd) if i.name == name)
    unit = f", {info.unit}" if info.unit else ""
    return f"{info.title or name}{unit}"


@cached(most=12, recipe=reads.MEASURED)
def metric_points(crowd: Crowd, recipe: Recipe, x: str, y: str) -> PointSet:
    """The scatter's points, made once per pair of metrics."""
    across, up = (reads.column(crowd, recipe, name) for name in (x, y))
    return PointSet.from_arrays(across, up)


def _without_place(points: PointSet) -> None:
    if points.missing:
        st.caption(
            f"{n_of_m(points.n - points.missing, points.n)} drawn; the others lack one of the two."
        )


def _table(
    crowd: Crowd, recipe: Recipe, found: search.Found, lasso: IntArray | None, axes: dict[str, None]
) -> None:
    rows = found.order if found.order is not None else np.flatnonzero(found.mask)
    words = found.words
    if lasso is not None:
        rows = rows[np.isin(rows, lasso)]
        words = f"{len(rows):,} in the lasso, of {words}"
    alike = {} if found.likeness is None else {"likeness": found.likeness}
    columns: dict[str, FloatArray] = alike | {m: reads.column(crowd, recipe, m) for m in axes}
    by_metric = [f"{m}, {d}" for m in axes for d in ("high", "low")]
    # What a search puts in order has a setting of its own: the file's order is not kept for it.
    name, first = ("sort", by_metric[0]) if found.order is None else FOUND_FIRST
    orders = list(dict.fromkeys([first, "order of the file", *by_metric]))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        order = st.selectbox("Sort by", orders, **state.view_widget(name, first, orders))
        if found.likeness is not None:
            search.cut_off()
    st.text(words)
    if order == "order of the file":
        rows = np.sort(rows)
    if ", " in order:
        metric, end = order.rsplit(", ", 1)
        rows = table.order_by(rows, columns[metric], descending=end == "high")
    table.show(crowd, rows, columns, name="rows", height=430)
