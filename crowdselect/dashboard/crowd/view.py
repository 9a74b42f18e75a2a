"""The crowd page's parts in their order."""

from __future__ import annotations

import numpy as np
import streamlit as st

from crowdselect.dashboard import reads, shell, state, table
from crowdselect.dashboard.crowd import (
    arrival,
    biases,
    board,
    from_instructions,
    ingest_form,
    log,
    making,
    models_editor,
    scores,
)
from crowdselect.dashboard.text import md, n_of_m
from crowdselect.people import acting
from crowdselect.readonly import read_only
from crowdselect.store import Crowd

TABS = ("Leaderboard", "Bias audit", "Models", "Scores", "Ingest report", "Add a crowd")
LOG = "Log"
"""A tab for admins."""


def first_run() -> None:
    """An empty workspace: one action, and the way for one's own data."""
    shell.empty(
        "No crowd yet",
        "A crowd is a set of instructions, the answers of several language models, and the "
        "rewards of one or more judges.",
    )
    if shell.read_only_note("ingesting"):
        return
    with st.container(horizontal_alignment="center"):
        ingest_form.demo_button()
    shell.heading("Or bring your own")
    ingest_form.form()
    from_instructions.show()


def show(crowd: Crowd) -> None:
    """Everything about one crowd, a tab at a time; only the open tab is computed."""
    judge = reads.judge_of(crowd, state.draft())
    tabs = (*TABS, LOG) if acting().at_least("admin") else TABS
    own = state.view_widget("tab", tabs[0], tabs)
    choice = st.segmented_control(
        "Part of the page", tabs, **own, required=True, label_visibility="collapsed"
    )
    arrival.show(crowd)
    if choice == "Models":
        models_editor.show(crowd)
        making.show(crowd)
    elif choice == "Scores":
        scores.show(crowd)
    elif choice == "Ingest report":
        _report(crowd)
    elif choice == "Add a crowd":
        _add()
    elif choice == LOG:
        log.show()
    elif judge is None:
        shell.empty("No rewards yet", "This crowd has answers but no judge has scored them.")
        making.show(crowd)
    elif choice == "Bias audit":
        biases.show(crowd)
        _duplicates(crowd)
    else:
        board.leaderboard(crowd, judge)
        board.missing(crowd, judge)


def _report(crowd: Crowd) -> None:
    shell.heading("What was found while reading the files")
    warnings = {*crowd.report.warnings(), crowd.notes.damage()}
    for line in crowd.report_lines():
        if line in warnings:
            st.warning(md(line))
        else:
            st.text(line)
    if crowd.path.exists():
        st.caption(f"Content fingerprint {crowd.fingerprint[:16]}")


def _add() -> None:
    names = reads.crowd_names()
    if ingest_form.DEMO not in names and not read_only():
        ingest_form.demo_button()
    ingest_form.form()
    if not read_only():
        from_instructions.show()


def _duplicates(crowd: Crowd) -> None:
    groups = reads.session(crowd).duplicate_groups()
    rows = np.flatnonzero(groups >= 0)
    shell.heading(
        "Duplicate instructions",
        "Equal but for case and white space. A selection keeps the best-scored of each group.",
    )
    if not len(rows):
        st.caption("None.")
        return
    count = len(np.unique(groups[rows]))
    st.caption(f"{n_of_m(len(rows), crowd.n)} share their text with another; {count:,} groups.")
    order = rows[np.lexsort((rows, groups[rows]))]
    table.show(crowd, order, {"group": groups.astype(np.int64)}, name="duplicates", height=300)
