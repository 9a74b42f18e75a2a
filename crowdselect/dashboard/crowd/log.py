"""Who did what in this workspace, for admins."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from crowdselect.dashboard import reads, shell
from crowdselect.dashboard.text import plural
from crowdselect.deeds import read_deeds
from crowdselect.files import inert

MOST = 1_000


def show() -> None:
    """The newest deeds first, with a choice of what was done and by whom."""
    shell.heading(
        "Who did what",
        "What was added, changed, started and removed in this workspace, by pages and command "
        "line; nothing is ever taken out of it. Notes are signed where they stand.",
    )
    found = read_deeds(reads.workspace())[::-1]
    if not found:
        st.caption("Nothing yet.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        actions = sorted({each.action for each in found})
        people = sorted({each.who or each.account or "a visitor" for each in found})
        action = st.multiselect("What", actions, key="log actions", width=300)
        who = st.multiselect("Who", people, key="log people", width=300)
    rows = [
        each
        for each in found
        if (not action or each.action in action)
        and (not who or (each.who or each.account or "a visitor") in who)
    ]
    data = pd.DataFrame(
        {
            "when": pd.to_datetime([d.at for d in rows[:MOST]], format="ISO8601"),
            "who": [inert(d.who or d.account or "a visitor") for d in rows[:MOST]],
            "as": [d.role for d in rows[:MOST]],
            "did": [d.action for d in rows[:MOST]],
            "what": [inert(d.what) for d in rows[:MOST]],
            "more": [inert(d.details) for d in rows[:MOST]],
        }
    )
    st.dataframe(
        data,
        hide_index=True,
        height=min(shell.rows_px(len(data)), 520),
        column_config={"when": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm")},
        alt="Who did what, newest first",
    )
    st.caption(
        plural(len(rows), "line") + (f", the newest {MOST:,} shown" if len(rows) > MOST else "")
    )
