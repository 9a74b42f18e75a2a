"""The columns of the review page's table: which there are, and a page's cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import streamlit as st

from crowdselect.dashboard import notes, reads, state
from crowdselect.dashboard.review.grid import Column, Line
from crowdselect.dashboard.text import number, percent, shorten
from crowdselect.pipeline import Listing
from crowdselect.store import Crowd

CHARS, WHOLE_CHARS = 300, 6_000
"""Most characters of a text in a cell: of one line, and of a whole text."""
MARKS, SHARES, TEXTS = "notes", "shares", ("instruction", "answer", "reason")
OWN = ("only in", "rank", MARKS, "score", SHARES, "reason", "cluster", "answer by", "reward",
       "tied", "instruction", "answer", "id")  # fmt: skip
USUAL = ("only in", "rank", MARKS, SHARES, "cluster", "reward", "tied", "instruction")
NUMBERS = ("rank", "score", "reward", "tied")
Cells = Callable[[Listing], Sequence[object]]


def choose(crowd: Crowd, listing: Listing) -> tuple[list[str], bool]:
    """Which columns to show, in which order, and whether texts are whole."""
    offered = [name for name in OWN if _there(name, listing)]
    offered += [name for name in reads.own_columns(crowd) if name not in offered]
    offered += [info.name for info in reads.metric_infos(crowd) if info.name not in offered]
    usual = [name for name in USUAL if name in offered]
    with st.popover("Columns", icon=":material/view_column:"):
        shown = st.multiselect(
            "Columns, in this order",
            offered,
            **state.view_widget("columns", usual, offered, folded=True),
        )
        whole = st.toggle("Whole texts", **state.view_widget("whole", default=False, folded=True))
    return shown or usual, whole


def _there(name: str, listing: Listing) -> bool:
    """Whether a column says anything about this list."""
    if name == "only in":
        return bool(listing.only_in)
    return name not in (SHARES, "score") or bool(listing.contributions)


def described(names: Sequence[str], listing: Listing, *, whole: bool) -> list[Column]:
    """The columns as the browser draws them."""
    found = []
    for name in names:
        if name == SHARES:
            found.append(Column("shares", "bars", tuple(listing.shares)))
        elif name in TEXTS:
            found.append(Column(name, "whole" if whole else "line"))
        elif name in NUMBERS or _measured(name, listing):
            found.append(Column(name, "number"))
        else:
            found.append(Column(name, "short"))
    return found


def _measured(name: str, listing: Listing) -> bool:
    data = listing.session.own_columns()
    return data[name].dtype != object if name in data else name not in OWN


def lines(crowd: Crowd, page: Listing, names: Sequence[str], *, whole: bool) -> list[Line]:
    """The rows of one page of the table."""
    ids = [str(i) for i in crowd.ids[page.rows]]
    held = notes.state_of(crowd)
    reviewed = set(held.reviewed)
    cells = [_cells(crowd, page, name, ids, whole=whole) for name in names]
    return [
        Line(identity, tuple(column[i] for column in cells), identity in reviewed)
        for i, identity in enumerate(ids)
    ]


def _cells(
    crowd: Crowd, page: Listing, name: str, ids: Sequence[str], *, whole: bool
) -> Sequence[object]:
    made: Mapping[str, Cells] = {
        "only in": lambda p: p.only_in,
        "rank": lambda p: [f"{rank:,}" if rank else "" for rank in p.ranks.tolist()],
        "id": lambda p: ids,
        MARKS: lambda p: [notes.marks(notes.state_of(crowd), i) for i in ids],
        SHARES: _bars,
        "reason": lambda p: [_text(t, whole=whole) for t in p.words()],
        "cluster": lambda p: p.cluster_names,
        "answer by": lambda p: p.models,
        "tied": lambda p: [f"{n:,}" if n > 1 else "" for n in p.tied.tolist()],
        "instruction": lambda p: [_text(t, whole=whole) for t in crowd.instruction_texts(p.rows)],
        "answer": lambda p: [_text(t or "", whole=whole) for t in p.texts_of_answers()],
    }
    if name in made:
        return made[name](page)
    data = page.session.own_columns()
    if name in data and data[name].dtype == object:
        return [shorten(str(v), 60) if v is not None else "" for v in data[name][page.rows]]
    return [number(v) if not np.isnan(v) else "" for v in page.values(name).tolist()]


def _text(text: str, *, whole: bool) -> str:
    return shorten(text, WHOLE_CHARS) if whole else shorten(" ".join(text.split()), CHARS)


def _bars(page: Listing) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for i in range(len(page)):
        shares = [float(np.nan_to_num(values[i])) for values in page.shares.values()]
        parts = [f"{n} {percent(s)}" for n, s in zip(page.shares, shares, strict=True)]
        found.append({"shares": shares, "words": ", ".join(parts)})
    return found
