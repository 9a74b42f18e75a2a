"""The linked table: pages of rows; a button opens the instruction, ticks act on many."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
import streamlit as st

from crowdselect.dashboard import notes, shell, state
from crowdselect.dashboard.text import md, shorten
from crowdselect.store import Crowd
from crowdselect.values import FloatArray, IdArray, IntArray

PAGE_ROWS = 50
TEXT_CHARS = 280
TRAIL = "_trail"
"""Session key: ids of the rows that were listed when an instruction was opened."""
PICKED = "_picked"
OPEN = "open"
PAGED = "paged"
"""A table that shows one of several pages: its own search would cover these rows only, so it has
none (see ``shell.MENDED`` and ``browser``)."""
ICON = ":material/open_in_full:"
ALT = "Instructions; arrow keys walk through them, what is reached stands below, o opens it"
READ_CHARS = 1_200
Columns = Mapping[str, Sequence[Any] | FloatArray]
"""Title -> one value per row of the crowd, shape (n,)."""
Mode = Literal["multi-row", "single-cell"]


def order_by(rows: IntArray, values: FloatArray | None, *, descending: bool) -> IntArray:
    """``rows`` by their ``values`` (shape (n,) of the whole crowd), ties by row, NaN last."""
    if values is None:
        return rows
    own = values[rows]
    return rows[np.lexsort((rows, -own if descending else own, np.isnan(own)))]


def frame(crowd: Crowd, rows: IntArray, columns: Columns) -> pd.DataFrame:
    """The table's contents: marks of the notes, ``columns``, and the text."""
    held = notes.state_of(crowd)
    data: dict[str, Any] = {n: [values[r] for r in rows] for n, values in columns.items()}
    # The text is the widest, so it comes last: the numbers stay in sight on a narrow screen.
    data["instruction"] = [
        shorten(" ".join(text.split()), TEXT_CHARS) for text in crowd.instruction_texts(rows)
    ]
    marks = [notes.marks(held, str(i)) for i in crowd.ids[rows]]
    return pd.DataFrame({"note": marks, **data} if any(marks) else data)


def show(crowd: Crowd, rows: IntArray, columns: Columns, *, name: str, height: int = 520) -> None:
    """A page of ``rows`` in their order, with pagination and actions on ticked rows.

    ``name`` tells several tables of one page apart.
    """
    if not len(rows):
        st.caption("No instruction here.")
        return
    pages = -(-len(rows) // PAGE_ROWS)
    page_key = f"page {name} {_digest(rows)}"
    number = min(int(st.session_state.get(page_key, 1)), pages)
    shown = rows[(number - 1) * PAGE_ROWS : number * PAGE_ROWS]
    key = f"table {name} {_digest(shown)}"
    data = frame(crowd, shown, columns)
    ids, trail = crowd.ids[shown], crowd.ids[rows]
    with st.container(key=f"{PAGED if pages > 1 else 'whole'} {name}"):
        _draw(data, key, ids, trail, height, ["multi-row", "single-cell"])
    _reading(crowd, key, ids, trail)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if pages > 1:
            st.pagination(pages, key=page_key, max_visible_pages=5, persist_state="session")
        ticked = _ticked(key)
        notes.bulk(crowd, crowd.ids[shown[ticked]], crowd.ids[rows], name)


def plain(
    crowd: Crowd, data: pd.DataFrame, rows: IntArray, *, name: str, height: int = 520
) -> None:
    """``data`` as it is, one line per row of ``rows``; its button opens the instruction."""
    key = f"table {name} {_digest(rows)}"
    ids = crowd.ids[rows]
    _draw(data, key, ids, ids, height, ["single-cell"])
    _reading(crowd, key, ids, ids)


def _draw(
    data: pd.DataFrame, key: str, ids: IdArray, trail: IdArray, height: int, modes: list[Mode]
) -> None:
    """The table with a button per line that opens its instruction, one of ``trail``."""
    st.dataframe(
        data.assign(**{OPEN: ICON})[[OPEN, *data.columns]],
        key=key,
        hide_index=True,
        height=min(shell.rows_px(len(data)), height),
        on_select="rerun",
        selection_mode=modes,
        column_config={**_config(data), OPEN: _open_column(key, ids, trail)},
        alt=ALT,
    )


def _reading(crowd: Crowd, key: str, shown: IdArray, trail: IdArray) -> None:
    """The row whose cell is selected, whole, and the button that opens it.

    Walking with the arrow keys must not leave the table, so a cell reads and a button opens.
    """
    cells = st.session_state.get(key, {}).get("selection", {}).get("cells", [])
    if not cells or cells[0][0] >= len(shown):
        return
    identity = str(shown[cells[0][0]])
    text = crowd.instruction_texts([crowd.row_of[identity]])[0]
    with st.container(border=True):
        st.text(shorten(text, READ_CHARS))
        st.button(
            f"Open {md(identity, 40)}",
            key=f"read {key}",
            icon=ICON,
            shortcut="o",
            on_click=open_instruction,
            args=(identity, trail),
        )


def ticks_key(name: str, ids: Sequence[str]) -> str:
    """The session's key of a table of these lines: other lines are another table."""
    return f"{name} {hashlib.sha256(repr(list(ids)).encode()).hexdigest()[:12]}"


def ticks(
    data: pd.DataFrame, ids: Sequence[str], *, name: str, height: int, **options: Any
) -> list[int]:
    """``data`` with a tick per line; which are ticked is a view setting, so the link says it too.

    ``ids`` name the lines, ``options`` go to ``st.dataframe``. Returns the ticked lines' numbers.
    """
    key = ticks_key(name, ids)
    if key not in st.session_state:
        wanted = state.view(name, list[str]())
        rows = [i for i, identity in enumerate(ids) if identity in wanted]
        st.session_state[key] = {"selection": {"rows": rows, "columns": [], "cells": []}}
    event = st.dataframe(
        data,
        key=key,
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        height=min(shell.rows_px(len(data)), height),
        **options,
    )
    chosen = [i for i in event["selection"]["rows"] if i < len(ids)]
    state.set_view(name, [ids[i] for i in chosen])
    return chosen


def open_instruction(id: str, trail: IdArray) -> None:  # noqa: A002 - an id is an id
    """Show the page of one instruction; ``trail`` is what previous and next walk through."""
    st.session_state[TRAIL] = trail
    state.set_view("id", str(id), page="instruction")
    shell.go("instruction")


def note_pick() -> None:
    """Callback of a scatter: remember that a point was clicked in this very rerun."""
    st.session_state[PICKED] = True


def open_picked(crowd: Crowd, picked: int | None, trail: IntArray) -> None:
    """Open the clicked point's instruction, once per click."""
    if st.session_state.pop(PICKED, False) and picked is not None:
        open_instruction(str(crowd.ids[picked]), crowd.ids[trail])


def _open_column(key: str, shown: IdArray, trail: IdArray) -> Any:
    """A button per row. Only it opens: the keys that walk through a table must not leave it."""
    return st.column_config.ButtonColumn(
        "",
        width=40,
        type="tertiary",
        key=f"open {key}",
        on_click=_button_opens,
        args=(f"open {key}", shown, trail),
        help="Open the instruction",
    )


def _button_opens(key: str, shown: IdArray, trail: IdArray) -> None:
    open_instruction(shown[st.session_state[key].row], trail)


def _digest(rows: IntArray) -> str:
    return hashlib.sha256(rows.tobytes()).hexdigest()[:12]


def _ticked(key: str) -> list[int]:
    chosen = st.session_state.get(key)
    return list(chosen["selection"]["rows"]) if chosen else []


def _config(data: pd.DataFrame) -> dict[str, Any]:
    config: dict[str, Any] = {
        "note": st.column_config.TextColumn(width=60),
        "instruction": st.column_config.TextColumn(width="large"),
    }
    for name in data.columns:
        if pd.api.types.is_float_dtype(data[name]):
            config[name] = st.column_config.NumberColumn(format="%.3g", width=92)
    return config
