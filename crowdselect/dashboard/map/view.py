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
from crowdselect.dashboard.map import cards, editing, first_look, places
from crowdselect.dashboard.map.editing import NO_CLUSTER
from crowdselect.dashboard.scatter import CategoryColour, scatter
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
    """The map, a first look while it is not there, or the way to them."""
    draft = state.draft()
    # Always there, so that the plot keeps its place and its points move when the map is ready.
    above = st.container()

    def begun() -> bool:
        return reads.has_first_look(crowd, draft.seed)

    first = begun() and not reads.has_landscape(crowd, draft.encoder, draft.seed)
    if first:
        with above:
            first_look.banner(crowd, draft)
    if first or landscape_gate.ready(crowd, draft, what="The map", until=begun):
        _map(crowd, first)


@shell.fragment()
def _map(crowd: Crowd, first: bool) -> None:
    recipe = first_look.recipe_of(state.draft()) if first else state.draft()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        search.field()
        search.where(crowd, recipe)
    on_top, colour = _controls(crowd, recipe)
    clusters = reads.clustering(crowd, recipe)
    search.like_chip(crowd)
    chips.show(crowd, () if clusters is None else clusters.names)
    points = reads.map_points(crowd, recipe.encoder, recipe.seed, first)
    found = search.find(crowd, recipe)
    hues = () if first else first_look.hues_of(crowd, clusters)
    colouring = colours.colour_by(crowd, recipe, colour)
    if colour == colours.CLUSTER and isinstance(colouring, CategoryColour):
        colouring = first_look.coloured(colouring, hues)
    kept = None if first else first_look.lasso_mask(crowd)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        event = scatter(
            points,
            key=KEY,
            selected=_selected(crowd, recipe, on_top, found) if kept is None else kept,
            colour=colouring,
            labels=() if clusters is None else places.labels_of(crowd, recipe, first),
            hover=hover.source(crowd, recipe, [i.name for i in reads.metric_infos(crowd)][:3]),
            height=620,
            description=f"Map of {crowd.name}",
            on_lasso=first_look.forget_lasso,
            on_pick=table.note_pick,
        )
    lasso = event.rows(points, colouring)
    if first:
        first_look.remember(crowd, clusters, lasso)
    elif lasso is None:
        lasso = first_look.lasso_rows(crowd)
    table.open_picked(crowd, event.picked, np.arange(crowd.n) if lasso is None else lasso)
    with right:
        _rows(crowd, recipe, found, lasso, None if first else event.polygon, clusters, first)
    if clusters is not None:
        _cards(crowd, recipe, clusters, hues, first)
    reads.prepare_cluster_names(crowd)


def _rows(
    crowd: Crowd,
    recipe: Recipe,
    found: search.Found,
    lasso: IntArray | None,
    polygon: Polygon | None,
    clusters: Clustering | None,
    first: bool,
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
            if not first:
                editing.panel(clusters, label)
            st.button(
                "Close", type="tertiary", on_click=state.set_view, args=("cluster", NO_CLUSTER)
            )
    st.text(words)
    if not first and lasso is not None and polygon is None:
        st.button("Clear what was chosen on the first look", on_click=first_look.forget_lasso)
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


def _cards(
    crowd: Crowd, recipe: Recipe, clusters: Clustering, hues: tuple[int, ...], first: bool
) -> None:
    edits = "" if first else ", and to rename, merge, split, weigh, limit or leave it out"
    shell.heading(
        "Clusters",
        f"Click one for its rows{edits}. Names are the words that tell a cluster apart.",
    )
    if not first:
        editing.history()
    cards.show(crowd, cards.cards_of(crowd, recipe), shell.palette().name, _opened, hues)
    st.caption(f"Encoder {md(recipe.encoder)}, seed {recipe.seed}, k = {clusters.k}.")


def _opened() -> None:
    state.set_view("cluster", cards.opened())
