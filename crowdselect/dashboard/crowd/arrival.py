"""After an ingest: what came in, and where to go next."""

from __future__ import annotations

import streamlit as st

from crowdselect.dashboard import shell
from crowdselect.dashboard.text import md, plural
from crowdselect.store import Crowd

CAME_IN = "_came_in"
"""Session key: the crowd that was just ingested."""


def show(crowd: Crowd) -> None:
    """A box about ``crowd`` where it was just ingested, until it is closed."""
    if st.session_state.get(CAME_IN) != crowd.name:
        return
    remarks = len(crowd.report.warnings())
    judges = plural(len(crowd.judges), "judge")
    with st.container(border=True):
        st.markdown(f":green[:material/check_circle:] **{md(crowd.name)} is here**")
        st.text(
            f"{plural(crowd.n, 'instruction')}, {plural(len(crowd.models), 'model')}, {judges}. "
            + (f"{plural(remarks, 'remark')} under Ingest report. " if remarks else "")
            + ("" if crowd.judges else "Next: let a judge score the answers, under Models.")
        )
        with st.container(horizontal=True):
            shell.page_link("explore", "Look at the instructions", "manage_search")
            shell.page_link("select", "Choose the best", "checklist")
            st.button("Close", type="tertiary", on_click=st.session_state.pop, args=(CAME_IN,))
