"""The table of the review page in the browser: what it is sent, and what it tells."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import streamlit as st

KEY = "review grid"
SEQ = "_review_seq"
"""Session key: how many movements of the browser were seen."""
Kind = Literal["number", "short", "line", "whole", "bars"]
_HTML = """<div data-grid><div class="scroll"></div><div class="legend"></div>
<form hidden><label>Tag<input name="tag" list="known" autocomplete="off"></label>
<datalist id="known"></datalist></form></div>
"""


@dataclass(frozen=True)
class Column:
    """A column: its title, how its cells look, and for bars the names of their parts."""

    name: str
    kind: Kind
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Line:
    """A row: a text per column, or ``{"shares": [...], "words": ...}`` for bars."""

    id: str
    cells: tuple[Any, ...]
    reviewed: bool = False


@dataclass(frozen=True)
class Act:
    """What a key asked for, and of which row."""

    kind: str
    id: str
    value: str


def grid(
    columns: Sequence[Column],
    lines: Sequence[Line],
    *,
    current: str,
    start: int,
    total: int,
    tags: Sequence[str],
    colours: Sequence[str],
    label: str,
    height: int,
    on_at: Callable[[str], None],
    on_act: Callable[[Act], None],
) -> None:
    """Draw lines ``start`` to ``start + len(lines)`` of ``total``, the one ``current`` marked.

    ``on_at`` is called before the rerun with the row that the keys stand on, ``on_act`` with what a
    key asked for: pin, ban, review, tag, step (by one line beyond the page), page, open.
    """
    data: dict[str, Any] = {
        "columns": [asdict(column) for column in columns],
        "rows": [asdict(line) for line in lines],
        "start": start,
        "total": total,
        "tags": list(tags),
        "colours": list(colours),
        "label": label,
    }
    version = hashlib.sha256(json.dumps(data).encode()).hexdigest()[:16]
    seen = st.session_state.get(SEQ, 0)
    more = {"version": version, "current": current, "height": height, "seq": seen, "focus": True}
    _component()(
        key=KEY,
        data=data | more,
        default={"at": None},
        on_at_change=lambda: _moved(on_at),
        on_act_change=lambda: _acted(on_act),
    )


def _moved(on_at: Callable[[str], None]) -> None:
    said = st.session_state[KEY].get("at") or {}
    if said:
        st.session_state[SEQ] = int(said["seq"])
        on_at(str(said["id"]))


def _acted(on_act: Callable[[Act], None]) -> None:
    said = st.session_state[KEY].get("act") or {}
    if said:
        st.session_state[SEQ] = int(said["seq"])
        on_act(Act(str(said["kind"]), str(said["id"]), str(said["value"])))


@cache
def _component() -> Any:
    here = Path(__file__).parent
    program, style = ((here / f"grid.{kind}").read_text("utf-8") for kind in ("js", "css"))
    return st.components.v2.component("crowdselect_grid", html=_HTML, js=program, css=style)
