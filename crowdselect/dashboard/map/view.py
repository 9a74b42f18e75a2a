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
from crowdselect.dashboard.explore import search
from crowdselect.dashboard.map import cards, editing, places
from crowdselect.dashboard.map.editing import NO_CLUSTER
from crowdselect.dashboard.scatter import scatter
from crowdselect.dashboard.select.draft import saved_of, saved_rows
from crowdselect.dashboard.text import md
from crowdselect.errors import CrowdSelectError
from crowdselect.metrics import BASE
from crowdselect.store import Crowd
from crowdselect.values import BoolArray, Clustering, IntArray, Recipe

Polygon = tuple[tuple[float, float], ...]
OUT = "; it is left out, so nothing is taken from it"
KEY = "map scatter"
DRAFT, KEPT, NOTHING = "the draft selection", "what the filters keep", "nothing"


def show(crowd: Crowd) -> None:
    """The map, or the way to it."""
    if landscape_gate.ready(crowd, state.draft(), what="The map"):
        _map(crowd)


@shell.fragment()
def _map(crowd: Crowd) -> None:
    recipe = state.draft()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        search.field()
        search.where(crowd, recipe)
    on_top, colour = _controls(crowd, recipe)
    clusters = reads.clustering(crowd, recipe)
    search.like_chip(crowd)
    chips.show(crowd, () if clusters is None else clusters.names)
    points = reads.map_points(crowd, recipe.encoder, recipe.seed)
    found = search.find(crowd, recipe)
    colouring = colours.colour_by(crowd, recipe, colour)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        event = scatter(
            points,
            key=KEY,
            selected=_selected(crowd, recipe, on_top, found),
            colour=colouring,
            labels=() if clusters is None else places.labels_of(crowd, recipe),
            hover=hover.source(crowd, recipe, [i.name for i in reads.metric_infos(crowd)][:3]),
            height=620,
            description=f"Map of {crowd.name}",
            on_pick=table.note_pick,
        )
    lasso = event.rows(points, colouring)
    table.open_picked(crowd, event.picked, np.arange(crowd.n) if lasso is None else lasso)
    with right:
        _rows(crowd, recipe, found, lasso, event.polygon, clusters)
    if clusters is not None:
        _cards(crowd, recipe, clusters)
    reads.prepare_cluster_names(crowd)


def _rows(
    crowd: Crowd,
    recipe: Recipe,
    found: search.Found,
    lasso: IntArray | None,
    polygon: Polygon | None,
    clusters: Clustering | None,
) -> None:
    """Beside the map: the rows of the search, of the lasso, or of the cluster that was opened."""
    rows = found.order if found.order is not None else np.flatnonzero(found.mask)
    words = found.words
    label = state.view("cluster", NO_CLUSTER)
    if lasso is not None:
        rows = rows[np.isin(rows, lasso)]
        words = f"{len(rows):,} in the lasso, of {words}"
    if clusters is not None and 0 <= label < clusters.k:
        rows = rows[clusters.labels[rows] == label]
        out = clusters.caps.get(label) == 0
        words = f"{len(rows):,} of the cluster, of {words}" + (OUT if out else "")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{md(clusters.names[label])}**", width="content")
            editing.panel(clusters, label)
            st.button(
                "Close", type="tertiary", on_click=state.set_view, args=("cluster", NO_CLUSTER)
            )
    st.text(words)
    if polygon is not None:
        st.button("Use as filter", on_click=_filter, args=(polygon,))
    metrics = [i.name for i in reads.metric_infos(crowd) if i.name in BASE][:2]
    columns = {name: reads.column(crowd, recipe, name) for name in metrics}
    table.show(crowd, rows, columns, name="map", height=480)


def _controls(crowd: Crowd, recipe: Recipe) -> tuple[str, str]:
    metrics = [info.name for info in reads.metric_infos(crowd)]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.slider(
            "Clusters",
            0,
            max(reads.MOST_CLUSTERS, recipe.clusters),
            **state.recipe_widget("clusters.slider", recipe.clusters),
            width=260,
            on_change=_clusters_moved,
            help="How many groups of alike instructions; 0: none. A selection takes equally from "
            "each.",
        )
        offered = colours.choices(crowd, metrics, clustered=recipe.clusters > 0)
        own = state.view_widget("colour", offered[0], offered)
        colour = st.selectbox("Colour", offered, **own, width=180)
        saved = [f"saved: {s.name}" for s in saved_of(crowd)]
        tops = [DRAFT, *saved, KEPT, NOTHING]
        on_top = st.selectbox("On top", tops, **state.view_widget("top", DRAFT, tops), width=200)
        filters_form.show(crowd, reads.clustering(crowd, recipe))
    return on_top, colour


def _clusters_moved() -> None:
    state.set_clusters(int(state.widget("clusters.slider")))


def _selected(crowd: Crowd, recipe: Recipe, on_top: str, found: search.Found) -> BoolArray | None:
    if on_top == NOTHING:
        return None
    # Who searches wants to see where it is.
    if on_top == KEPT or state.view("q", "") or state.view("like", ""):
        return None if found.mask.all() else found.mask
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


def _filter(polygon: Polygon) -> None:
    state.change_filters(lasso=[list(corner) for corner in polygon])


def _cards(crowd: Crowd, recipe: Recipe, clusters: Clustering) -> None:
    shell.heading(
        "Clusters",
        "Click one for its rows, and to rename, merge, split, weigh, limit or leave it out. Names "
        "are the words that tell a cluster apart.",
    )
    editing.history()
    cards.show(crowd, cards.cards_of(crowd, recipe), shell.palette().name, _opened)
    st.caption(f"Encoder {md(recipe.encoder)}, seed {recipe.seed}, k = {clusters.k}.")


def _opened() -> None:
    state.set_view("cluster", cards.opened())
