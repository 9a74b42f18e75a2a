"""Before an ingest: what each column would be taken for, and a way to say otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import pandas as pd
import streamlit as st

from crowdselect import pipeline
from crowdselect.dashboard import reads, shell
from crowdselect.dashboard.text import md
from crowdselect.dashboard.wording import on_page
from crowdselect.plans import ColumnUse, Meaning

SEEN = "_ingest preview"
TOLD_BY = {
    "id": "id_column",
    "instruction": "instruction_column",
    "input": "input_column",
    "system prompt": "system_column",
    "model": "model_column",
    "response": "response_column",
    "judge": "judge_columns",
    "left out": "leave_out",
}
"""Meaning -> the option of the source ``table`` that says which columns have it."""
SEVERAL = ("judge_columns", "leave_out")


def look(source: str, paths: Sequence[str | Path], options: Mapping[str, Any]) -> None:
    """Read the files as an ingest would, and keep what came out for :func:`show`."""
    with st.spinner("Reading"):
        report = pipeline.preview(reads.workspace(), source, paths, options=options)
    st.session_state[SEEN] = (source, report)


def forget() -> None:
    """The preview has served."""
    st.session_state.pop(SEEN, None)


def show(source: str) -> None:
    """What the last look at files of this format found."""
    seen, report = st.session_state.get(SEEN, (None, None))
    if report is None or seen != source:
        return
    shell.heading("Preview", "What an ingest would read; nothing is written yet.")
    for line in report.lines():
        st.caption(md(on_page(line, source)))
    if not report.columns:
        return
    before = frame_of(report.columns)
    changeable = source == "table"
    edited = st.data_editor(
        before,
        key="ingest columns",
        hide_index=True,
        disabled=["column", "why"] if changeable else True,
        alt="Columns and what they are taken for",
        column_config={
            "taken for": st.column_config.SelectboxColumn(options=get_args(Meaning), required=True)
        },
    )
    if changeable:
        told = answers(before, edited)
        st.button("Take them so", disabled=not told, on_click=_tell, args=(source, told))
        st.caption("Then look again, or ingest: the options of the format say it.")


def frame_of(columns: Sequence[ColumnUse]) -> pd.DataFrame:
    """One row per column of the input: ``column``, ``taken for``, ``why``."""
    rows = [
        {"column": c.column, "taken for": c.meaning, "why": f"of {c.of}" if c.of else c.why}
        for c in columns
    ]
    return pd.DataFrame(rows, columns=["column", "taken for", "why"])


def answers(before: pd.DataFrame, after: pd.DataFrame) -> dict[str, str]:
    """Option -> its text, for every meaning whose columns a person changed."""
    told = {}
    for meaning, option in TOLD_BY.items():
        was, now = (_named(frame, meaning) for frame in (before, after))
        if now != was:
            told[option] = ", ".join(now if option in SEVERAL else [c for c in now if c not in was])
    return told


def _named(frame: pd.DataFrame, meaning: str) -> list[str]:
    return [str(column) for column in frame.loc[frame["taken for"] == meaning, "column"]]


def _tell(source: str, told: Mapping[str, str]) -> None:
    for option, text in told.items():
        st.session_state[f"ingest.{source}.{option}"] = text
