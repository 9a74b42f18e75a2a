"""Search by words or by likeness: which rows of the crowd are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import get_args

import numpy as np
import streamlit as st

from crowdselect.dashboard import reads, state
from crowdselect.dashboard.text import md, n_of_m, plural, shorten
from crowdselect.landscape import Vectors, nearest
from crowdselect.readonly import read_only
from crowdselect.store import Crowd, Where
from crowdselect.values import BoolArray, FloatArray, IntArray, Recipe

WHERE: tuple[Where, ...] = get_args(Where)
MEANING = "meaning"
"""Beside the fields that hold words: rows whose vectors are close to the question's."""
LABELS = {"responses": "answers"}
INDEX_FROM = 5_000
"""Smaller crowds are scanned fast enough."""
LIKE = 200
"""The most rows that are shown."""
ALIKE_FROM = 0.3
"""The usual cut-off: cosine of two texts that have something to do with each other."""


@dataclass(frozen=True)
class Found:
    """Rows to show, and what to say about them."""

    mask: BoolArray
    """Shape (n,)."""
    order: IntArray | None
    """The rows, best first, where the search ranks them; None: no order of its own."""
    words: str
    likeness: FloatArray | None = None
    """Shape (n,): how alike a row is to what was asked for, -1 to 1; NaN: not compared."""


def _wheres(crowd: Crowd, recipe: Recipe) -> tuple[str, ...]:
    """Where a search may look; by meaning only where a question can be embedded."""
    embedded = reads.has_vectors(crowd, recipe.encoder)
    return (*WHERE, MEANING) if embedded and reads.encodes_single_texts(recipe.encoder) else WHERE


def field() -> None:
    """What is searched for."""
    st.text_input(
        "Search",
        **state.view_widget("q", ""),
        type="search",
        placeholder='words, a "quoted phrase", a question',
        width=380,
    )


def where(crowd: Crowd, recipe: Recipe) -> None:
    """Where it is looked for."""
    wheres = _wheres(crowd, recipe)
    st.segmented_control(
        "in",
        wheres,
        **state.view_widget("in", wheres[0], wheres),
        required=True,
        label_visibility="collapsed",
        width=310,
        format_func=lambda w: LABELS.get(w, w),
    )


def find(crowd: Crowd, recipe: Recipe) -> Found:
    """Rows that the filters keep and the search (if any) finds."""
    kept = reads.filtered(crowd, recipe)
    matching = int(kept.sum())
    words = f"{n_of_m(matching, crowd.n)} match the filters" if matching < crowd.n else ""
    like = str(state.view("like", ""))
    if like in crowd.row_of:
        words = f"most like {shorten(like, 40)}"
        return _alike(crowd, recipe, kept, crowd.row_of[like], words)
    query = str(state.view("q", "")).strip()
    if not query:
        return Found(kept, None, words or n_of_m(crowd.n, crowd.n))
    quoted = f"\N{LEFT DOUBLE QUOTATION MARK}{shorten(query, 40)}\N{RIGHT DOUBLE QUOTATION MARK}"
    if state.view("in", WHERE[0]) == MEANING and MEANING in _wheres(crowd, recipe):
        vector = reads.query_vector(recipe.encoder, query)
        return _alike(crowd, recipe, kept, vector, f"closest in meaning to {quoted}")
    return _with_words(crowd, kept, query, quoted, words)


def _with_words(crowd: Crowd, kept: BoolArray, query: str, quoted: str, filtered: str) -> Found:
    """Rows that hold the words of ``query``; ``filtered`` says what the filters keep."""
    where = state.view("in", WHERE[0])
    where = where if where in WHERE else WHERE[0]
    hits = reads.search(crowd, query, where)
    mask = crowd.mask(hits.rows) & kept
    found = f"{plural(int(mask.sum()), 'instruction')} for {quoted}"
    if not hits.complete:
        found += f" ({hits.summary})"
    if filtered:
        found += f", of {int(kept.sum()):,} that match the filters"
    if not hits.indexed and where != WHERE[0]:
        _offer_index(crowd)
    order = hits.rows[mask[hits.rows]] if hits.indexed else None
    return Found(mask, order, found)


def _offer_index(crowd: Crowd) -> None:
    """Answers of a large crowd take seconds to scan; a word index takes milliseconds."""
    if crowd.n < INDEX_FROM or find_spec("tantivy") is None or read_only():
        return
    if st.button("Index the answers", help="Takes about a minute for 100,000 instructions, once."):
        bar = st.progress(0.0, text="Indexing")

        def report(done: int, total: int | None, label: str = "") -> None:
            bar.progress(min(done / total, 1.0) if total else 0.0, text=md(label))

        reads.build_index(crowd, report)
        st.rerun(scope="fragment")


def _alike(
    crowd: Crowd, recipe: Recipe, kept: BoolArray, query: int | Vectors, words: str
) -> Found:
    """The rows closest to a row (which comes first) or to a vector."""
    rows, alike = nearest(reads.vectors(crowd, recipe.encoder), query, LIKE)
    if isinstance(query, int):
        rows, alike = np.concatenate([[query], rows]), np.concatenate([[1.0], alike])
    least = float(state.view("alike", ALIKE_FROM))
    near = kept[rows] & (alike >= least)
    rows, alike = rows[near], alike[near]
    mask = crowd.mask(rows)
    likeness = np.full(crowd.n, np.nan)
    likeness[rows] = alike
    said = f"{plural(len(rows), 'instruction')} {words}, the likest first, from {least:.2f} on"
    return Found(mask, rows, said, likeness)


def cut_off() -> None:
    """From which likeness on instructions are shown."""
    st.slider(
        "Likeness, at least",
        0.0,
        1.0,
        **state.view_widget("alike", ALIKE_FROM),
        step=0.05,
        width=220,
        help=f"Cosine of the two texts' vectors; at most {LIKE} instructions are shown.",
    )


def like_chip(crowd: Crowd) -> None:
    """Say which instruction the others are compared with, and let go of it."""
    like = str(state.view("like", ""))
    if like not in crowd.row_of:
        return
    text = crowd.instruction_texts([crowd.row_of[like]])[0]
    st.button(
        f"more like {md(text, 60)}",
        key="like chip",
        icon=":material/close:",
        icon_position="right",
        on_click=state.set_view,
        args=("like", ""),
    )
