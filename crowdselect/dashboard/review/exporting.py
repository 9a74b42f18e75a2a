"""Download what is listed: the table, or its rows as training data."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd
import streamlit as st

from crowdselect import files, pipeline
from crowdselect.dashboard import reads
from crowdselect.dashboard.downloads import zipped
from crowdselect.dashboard.text import plural
from crowdselect.export import FORMATS
from crowdselect.pipeline import Listing
from crowdselect.readonly import read_only

TABLES = {"csv": "Table (CSV)", "jsonl": "Table (JSONL)", "parquet": "Table (Parquet)"}


def show(lines: Listing) -> None:
    """The format, and the button; the file is made when it is pressed."""
    formats = {} if read_only() else {plugin.name: plugin.title for plugin in FORMATS}
    with st.popover("Export", icon=":material/download:", disabled=not len(lines)):
        kind = st.selectbox(
            "As",
            [*TABLES, *formats],
            key="review format",
            persist_state="session",
            format_func=lambda k: TABLES.get(k) or f"Training data: {formats[k]}",
        )
        ending = kind if kind in TABLES else "zip"
        st.download_button(
            f"Download {plural(len(lines), 'row')}",
            data=lambda: content(lines, kind),
            file_name=f"{lines.recipe.crowd}-rows.{ending}",
            mime="application/octet-stream",
            on_click="ignore",
            type="primary",
        )
        if kind == "csv":
            st.caption("Texts that a spreadsheet would run get an apostrophe.")


def content(lines: Listing, kind: str) -> bytes:
    """What is listed, in its order, as a file."""
    if kind not in TABLES:
        with tempfile.TemporaryDirectory() as folder:
            made = pipeline.export(
                reads.workspace(), lines.selection(), kind, Path(folder) / "export"
            )
            return zipped(made.path)
    frame = pd.DataFrame(lines.columns())
    if kind == "csv":
        inert = frame.rename(columns=files.inert).map(files.inert)
        return inert.to_csv(index=False, lineterminator="\n").encode()
    if kind == "parquet":
        return bytes(frame.to_parquet(index=False))
    return frame.to_json(orient="records", lines=True, force_ascii=False).encode()
