"""The select page: controls beside what they do; saving, comparing and exporting below."""

from __future__ import annotations

import streamlit as st

from crowdselect.dashboard import chips, filters_form, landscape_gate, notes, reads, shell, state
from crowdselect.dashboard.select import (
    command,
    comparing,
    controls,
    exporting,
    live,
    robust,
    saving,
)
from crowdselect.dashboard.text import md
from crowdselect.dashboard.wording import told
from crowdselect.errors import CrowdSelectError
from crowdselect.store import Crowd

PARTS = ("Selection", "Robustness", "Saved and compare", "Export", "Command line")


@shell.fragment()
def show(crowd: Crowd) -> None:
    """The page; where the draft waits for embeddings, the way to them stands in its place."""
    own = state.view_widget("part", PARTS[0], PARTS)
    part = st.segmented_control("Part", PARTS, **own, required=True, label_visibility="collapsed")
    left, right = st.columns([4, 11], gap="medium")
    with left:
        controls.show(crowd)
        clusters = reads.clustering(crowd, state.draft())
        filters_form.show(crowd, clusters)
    with right:
        names = () if clusters is None else clusters.names
        chips.show(crowd, names, rules=state.draft())
        recipe = notes.current(crowd)
        if said := notes.recipe_note(recipe):
            st.caption(f"From the notes: {said}.")
        if part == "Command line":
            command.show(recipe)
        elif part in ("Saved and compare", "Export"):
            _saved(crowd, part)
        elif not reads.can_pick(crowd, recipe):
            st.caption("Compute the embeddings, or set the clusters to 0.")
            landscape_gate.for_picking(crowd, recipe, "Choosing by clusters")
        elif part == "Robustness":
            robust.show(crowd, recipe)
        else:
            _selection(crowd)


def _selection(crowd: Crowd) -> None:
    recipe = notes.current(crowd)
    try:
        draft = live.show(crowd, recipe)
    except CrowdSelectError as error:
        st.warning(md(" ".join(told(error.problem, error.remedy))))
        return
    if len(draft.rows):
        st.markdown("**Save**")
        saving.form(crowd, recipe)


def _saved(crowd: Crowd, part: str) -> None:
    chosen = saving.listing(crowd)
    if part == "Export":
        if len(chosen) == 1:
            exporting.show(chosen[0])
        else:
            st.caption("Tick one selection to export it.")
    elif len(chosen) == 1:
        saving.actions(chosen[0])
        st.caption("Tick another one to compare.")
    elif len(chosen) > 1:
        comparing.show(crowd, chosen)
    else:
        st.caption("Tick one to open or rename it, several to compare them.")
