"""Read a list row by row: a table of chosen columns, a pane beside it, keys, and progress."""

from __future__ import annotations

from typing import cast, get_args

import numpy as np
import streamlit as st

from crowdselect.dashboard import chips, filters_form, landscape_gate, notes, reads, shell, state
from crowdselect.dashboard import table as tables
from crowdselect.dashboard.filtering import LISTED, select_only_listed
from crowdselect.dashboard.review import columns, exporting, lists, pane
from crowdselect.dashboard.review.grid import Act, grid
from crowdselect.dashboard.text import n_of_m
from crowdselect.pipeline import Listing, sort_names
from crowdselect.readonly import read_only
from crowdselect.store import Crowd

ROWS = 50
HEIGHT = 620
CURRENT = "_review_row"
"""Session key: id of the row that is read, and its place in the list."""
PENDING = "_review_pending"
"""Session key: a movement that only the list can carry out."""


@shell.fragment()
def show(crowd: Crowd) -> None:
    """The page; where the draft waits for embeddings, the way to them stands in its place."""
    recipe = notes.current(crowd)
    clusters = reads.clustering(crowd, recipe)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        of, against = lists.controls(crowd)
        query = st.text_input(
            "Search", **state.view_widget("q", ""), type="search", placeholder="words", width=180
        )
        filters_form.show(crowd, clusters, LISTED)
        tools = st.container(horizontal=True, vertical_alignment="bottom", width="content")
    chips.show(crowd, () if clusters is None else clusters.names, LISTED)
    if any(not declared.looks for declared, _ in LISTED.filters().active()):
        st.button(
            "Select only such rows",
            icon=":material/filter_alt:",
            type="tertiary",
            on_click=select_only_listed,
            help="Moves these filters to the draft: they then say what may be selected at all.",
        )
    if lists.DRAFT in (of, against) and not reads.can_pick(crowd, recipe):
        st.caption("Compute the embeddings, or list everything.")
        landscape_gate.for_picking(crowd, recipe, "Choosing by clusters")
        return
    whole = lists.listing(crowd, recipe, of, against)
    with tools:
        names, full = columns.choose(crowd, whole)
        sort, descending = _sorting(crowd, whole)
        found = lists.chosen(crowd, recipe, whole, query.strip(), sort, descending=descending)
        exporting.show(found.lines)
    _progress(crowd, found)
    if len(found.lines):
        _read(crowd, found.lines, names, whole=full)
    else:
        st.caption("No instruction here: take a filter off, or choose another list.")


def _sorting(crowd: Crowd, listing: Listing) -> tuple[str, bool]:
    offered = ["line", *sort_names(listing)]
    offered += [info.name for info in reads.metric_infos(crowd) if info.name not in offered]
    sort = st.selectbox(
        "Sort by",
        offered,
        **state.view_widget("sort", "line", offered),
        format_func=lambda name: "as it is" if name == "line" else name,
        width=170,
    )
    descending = st.toggle(
        "highest first", **state.view_widget("high", default=False), disabled=sort == "line"
    )
    return str(sort), bool(descending)


def _progress(crowd: Crowd, found: lists.Chosen) -> None:
    done, total = lists.reviewed(crowd, found.of), len(found.of)
    words = f"{n_of_m(len(found.lines), total)} listed; {done:,} of {total:,} reviewed"
    st.progress(done / total if total else 0.0, text=words)


def _read(crowd: Crowd, lines: Listing, names: list[str], *, whole: bool) -> None:
    place = _place(crowd, lines)
    start = place // ROWS * ROWS
    page = lines.take(np.arange(start, min(start + ROWS, len(lines))))
    identity = str(crowd.ids[lines.rows[place]])
    st.session_state[CURRENT] = (identity, place)
    left, right = st.columns([7, 5], gap="small")
    with left:
        grid(
            columns.described(names, lines, whole=whole),
            columns.lines(crowd, page, names, whole=whole),
            current=identity,
            start=start,
            total=len(lines),
            tags=sorted({tag for tags in notes.state_of(crowd).tags.values() for tag in tags}),
            colours=shell.palette().categories,
            label=f"Instructions {start + 1} to {start + len(page)} of {len(lines)}",
            height=HEIGHT,
            on_at=_stand_on,
            on_act=lambda act: _act(crowd, lines, act),
        )
        _pages(crowd, lines, place)
    with right:
        pane.show(crowd, lines.take(np.array([place])), lines, place, HEIGHT)


def _place(crowd: Crowd, lines: Listing) -> int:
    """Where the row that is read stands; if it left the list, whoever took its place."""
    identity, place = cast("tuple[str, int]", st.session_state.get(CURRENT, ("", 0)))
    row = crowd.row_of.get(identity, -1)
    found = np.flatnonzero(lines.rows == row)
    pending: int = st.session_state.pop(PENDING, 0)
    if len(found):
        place = int(found[0]) + pending
    return min(max(place, 0), len(lines) - 1)


def _pages(crowd: Crowd, lines: Listing, place: int) -> None:
    last = -(-len(lines) // ROWS)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if last > 1:
            number = place // ROWS + 1
            key = f"review page {number} {last}"
            st.pagination(last, default=number, key=key, max_visible_pages=5,
                          on_change=_turned, args=(key, place))  # fmt: skip
        keys = "\N{UPWARDS ARROW} \N{DOWNWARDS ARROW} move, Enter opens"
        notes.bulk(crowd, crowd.ids[:0], crowd.ids[lines.rows], "review")
        acts = "" if read_only() else ", P pins, B bans, T tags, M marks as reviewed"
        st.caption(f"Keys in the table: {keys}{acts}.")


def _turned(key: str, place: int) -> None:
    st.session_state[PENDING] = (int(st.session_state[key]) - 1) * ROWS - place


def _stand_on(identity: str) -> None:
    st.session_state[CURRENT] = (identity, 0)


def _act(crowd: Crowd, lines: Listing, act: Act) -> None:
    """Carry out what a key asked for."""
    found = np.flatnonzero(lines.rows == crowd.row_of.get(act.id, -1))
    if not len(found):
        return
    place = int(found[0])
    st.session_state[CURRENT] = (act.id, place)
    if act.kind == "open":
        tables.open_instruction(act.id, crowd.ids[lines.rows])
    elif act.kind in ("step", "page"):
        by = 1 if act.value == "1" else -1
        st.session_state[PENDING] = by if act.kind == "step" else by * ROWS
    elif not read_only():
        _note(crowd, act)


def _note(crowd: Crowd, act: Act) -> None:
    if act.kind == "tag":
        notes.add(crowd, "tag", [act.id], act.value)
    elif act.kind in get_args(notes.Switch):
        change = notes.switch(crowd, cast("notes.Switch", act.kind), act.id)
        notes.add(crowd, change, [act.id])
        if change == "review":
            st.session_state[PENDING] = 1
