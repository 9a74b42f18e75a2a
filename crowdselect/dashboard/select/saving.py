"""Save the draft with a name and a note; open, rename and remove what was saved."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from crowdselect import pipeline
from crowdselect.dashboard import reads, shell, state, table
from crowdselect.dashboard.review import lists
from crowdselect.dashboard.select.draft import saved_of
from crowdselect.dashboard.text import md, plural
from crowdselect.deeds import may
from crowdselect.pipeline import SavedSelection
from crowdselect.readonly import read_only
from crowdselect.store import Crowd
from crowdselect.values import Recipe


def form(crowd: Crowd, recipe: Recipe) -> None:
    """Name, note, save."""
    if shell.read_only_note("saving"):
        return
    row = st.form("save", border=False)
    with row.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Name", max_chars=100, placeholder="my-selection", width=220)
        note = st.text_input("Note", max_chars=500, width=420)
        submitted = st.form_submit_button("Save selection", type="primary")
    if submitted:
        with st.spinner("Choosing and writing"):
            chosen = pipeline.select(reads.session(crowd), recipe)
            saved = pipeline.save_selection(reads.workspace(), chosen, name or None, note)
        state.tell(f"Saved {plural(saved.n, 'instruction')} as {md(saved.name)}.")
        st.rerun()  # the figures above compare with what was saved last


def listing(crowd: Crowd) -> list[SavedSelection]:
    """The saved selections as a table; returns the ticked ones."""
    saved = saved_of(crowd)
    _damaged()
    if not saved:
        shell.empty("Nothing saved yet", "Save the draft above; then compare and export it.")
        return []
    data = pd.DataFrame(
        {
            "name": [s.name for s in saved],
            "n": [s.n for s in saved],
            "strategy": [s.recipe.strategy for s in saved],
            "note": [s.note for s in saved],
            "saved": pd.to_datetime([s.created for s in saved], format="ISO8601"),
            "by": [", ".join(s.authors) for s in saved],
            "id": [s.id for s in saved],
        }
    )
    chosen = table.ticks(
        data,
        [s.id for s in saved],
        name="saved",
        height=260,
        alt="Saved selections",
        column_config={
            "n": st.column_config.NumberColumn("instructions", format="localized"),
            "note": st.column_config.TextColumn(width="medium"),
            "saved": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
        },
    )
    stale = [s for s in saved if s.crowd_fingerprint not in ("", crowd.fingerprint)]
    if stale:
        st.caption(f"{plural(len(stale), 'selection')} of an earlier state of this crowd.")
    return [saved[i] for i in chosen]


def _damaged() -> None:
    """What was saved and cannot be read, of whichever crowd: it may have been this one's."""
    for found in pipeline.damaged_selections(reads.workspace()):
        st.warning(md(str(found)))
        if (
            may("delete")
            and not read_only()
            and st.button(f"Remove {found.name}", key=f"damaged {found.name}")
        ):
            pipeline.remove_selection(reads.workspace(), found.name)
            st.rerun()


def actions(one: SavedSelection) -> None:
    """Load a saved recipe into the controls, rename or remove it."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button("List its rows", on_click=lists.open_list, args=(one.id,))
        st.button("Open its recipe", on_click=state.adopt, args=(_without_notes(one.recipe),))
        if read_only():
            return
        with st.popover("Rename"):
            name = st.text_input("Name", one.name, key=f"rename {one.id}", max_chars=100)
            note = st.text_input("Note", one.note, key=f"renote {one.id}", max_chars=500)
            if st.button("Save name and note", key=f"renamed {one.id}"):
                pipeline.rename_selection(reads.workspace(), one.id, name, note)
                st.rerun()
        if not may("delete", one.by):
            return
        with st.popover("Remove"):
            st.text(f"Remove {one.name} and its exports?")
            if st.button("Remove it", key=f"removed {one.id}", type="primary"):
                pipeline.remove_selection(reads.workspace(), one.id)
                st.rerun()


def _without_notes(recipe: Recipe) -> Recipe:
    """Pins and bans of the draft always come from the crowd's notes."""
    return recipe.model_copy(update={"pins": (), "bans": (), "answers": {}})
