"""The map with its cluster slider; a lasso leads to the same table as on Explore."""

from __future__ import annotations

import numpy as np
import streamlit as st

from crowdselect.dashboard import (
    chips,
    colours,
    filters_form,
    hover,
    landscape_gate,
    notes,
    reads,
    shell,
    state,
    table,
)
from crowdselect.dashboard.map import cards
from crowdselect.dashboard.scatter import scatter
from crowdselect.dashboard.select.draft import saved_of, saved_rows
from crowdselect.dashboard.text import md, n_of_m
from crowdselect.errors import CrowdSelectError
from crowdselect.metrics import BASE
from crowdselect.store import Crowd
from crowdselect.values import BoolArray, Clustering, Recipe

KEY = "map scatter"
DRAFT, KEPT, NOTHING = "the draft selection", "what the filters keep", "nothing"


def show(crowd: Crowd) -> None:
    """The map, or the way to it."""
    if landscape_gate.ready(crowd, state.draft(), what="The map"):
        _map(crowd)


@shell.fragment()
def _map(crowd: Crowd) -> None:
    recipe = state.draft()
    on_top, colour = _controls(crowd, recipe)
    clusters = reads.clustering(crowd, recipe)
    chips.show(crowd, () if clusters is None else clusters.names)
    points = reads.map_points(crowd, recipe.encoder, recipe.seed)
    kept = reads.filtered(crowd, recipe)
    selected = _selected(crowd, recipe, on_top, kept)
    colouring = colours.colour_by(crowd, recipe, colour)
    event = scatter(
        points,
        key=KEY,
        selected=selected,
        colour=colouring,
        labels=() if clusters is None else colours.cluster_labels(points, clusters),
        hover=hover.source(crowd, recipe, [i.name for i in reads.metric_infos(crowd)][:3]),
        height=620,
        description=f"Map of {crowd.name}",
        on_pick=table.note_pick,
    )
    lasso = event.rows(points, colouring)
    table.open_picked(crowd, event.picked, np.arange(crowd.n) if lasso is None else lasso)
    if lasso is not None:
        rows = lasso[kept[lasso]]
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(f"{n_of_m(len(rows), crowd.n)} in the lasso")
            if event.polygon is not None:
                st.button("Use as filter", on_click=_filter, args=(event.polygon,))
        metrics = [i.name for i in reads.metric_infos(crowd) if i.name in BASE]
        columns = {name: reads.column(crowd, recipe, name) for name in metrics}
        table.show(crowd, rows, columns, name="lasso", height=360)
    if clusters is not None:
        _cards(crowd, recipe, clusters)
    reads.prepare_cluster_names(crowd)


def _controls(crowd: Crowd, recipe: Recipe) -> tuple[str, str]:
    metrics = [info.name for info in reads.metric_infos(crowd)]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.slider(
            "Clusters",
            0,
            max(reads.MOST_CLUSTERS, recipe.clusters),
            key=state.recipe_key("clusters.slider", recipe.clusters),
            width=260,
            on_change=_clusters_moved,
            help="How many groups of alike instructions; 0: none. A selection takes equally from "
            "each.",
        )
        offered = colours.choices(metrics, clustered=recipe.clusters > 0)
        key = state.view_key("colour", offered[0], offered)
        colour = st.selectbox("Colour", offered, key=key, width=180)
        saved = [f"saved: {s.name}" for s in saved_of(crowd)]
        tops = [DRAFT, *saved, KEPT, NOTHING]
        on_top = st.selectbox("On top", tops, key=state.view_key("top", DRAFT, tops), width=200)
        filters_form.show(crowd, reads.clustering(crowd, recipe))
    return on_top, colour


def _clusters_moved() -> None:
    state.set_clusters(int(state.widget("clusters.slider")))


def _selected(crowd: Crowd, recipe: Recipe, on_top: str, kept: BoolArray) -> BoolArray | None:
    if on_top == NOTHING:
        return None
    if on_top == KEPT:
        return None if kept.all() else kept
    mask = np.zeros(crowd.n, dtype=bool)
    for saved in saved_of(crowd):
        if on_top == f"saved: {saved.name}":
            mask[saved_rows(crowd, saved)] = True
            return mask
    try:
        mask[reads.outcome(crowd, notes.with_notes(crowd, recipe)).rows] = True
    except CrowdSelectError as error:
        st.caption(md(error.problem))
        return None
    return mask


def _filter(polygon: tuple[tuple[float, float], ...]) -> None:
    state.change_filters(lasso=[list(corner) for corner in polygon])


def _cards(crowd: Crowd, recipe: Recipe, clusters: Clustering) -> None:
    shell.heading("Clusters", "Largest first; names are the words that tell a cluster apart.")
    found = cards.cards_of(crowd, recipe)
    st.html(str(cards.cards_html(crowd, found, shell.palette().name)))
    st.caption(f"Encoder {md(recipe.encoder)}, seed {recipe.seed}, k = {clusters.k}.")
