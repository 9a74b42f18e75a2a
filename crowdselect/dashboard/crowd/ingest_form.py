"""Bring a crowd in: the demo, an upload, or files that lie in an allowed folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import streamlit as st

from crowdselect import pipeline, settings
from crowdselect.access import opened_data
from crowdselect.dashboard import options, reads, shell, state
from crowdselect.dashboard.crowd import arrival, preview
from crowdselect.dashboard.offered import of_source
from crowdselect.dashboard.text import md
from crowdselect.dashboard.uploads import MOST_MB, kept
from crowdselect.dashboard.wording import OPTIONS, REPLACE, reworded, told
from crowdselect.errors import InputError, NotFoundError
from crowdselect.ingest import SOURCES
from crowdselect.settings import check_name

DEMO = "demo"
USUAL = "table"
KINDS = ["csv", "tsv", "parquet", "jsonl", "ndjson", "json", "gz"]


def demo_button() -> None:
    """One click from an empty workspace to a full dashboard."""
    try:
        settings.demo_data()
    except NotFoundError as error:
        st.caption(md(" ".join(told(error.problem, error.remedy))))
        return
    if st.button("Load the demo crowd", type="primary"):
        with st.spinner("Loading the demo crowd"):
            pipeline.ingest(reads.workspace(), DEMO, [], name=DEMO, replace=False)
        _open(DEMO)


def form() -> None:
    """Source, files, name and the source's own options."""
    if shell.read_only_note("ingesting"):
        return
    # What people have most often comes first, and is what the form begins with.
    sources = sorted((p for p in SOURCES if p.name != DEMO), key=lambda p: p.name != USUAL)
    titles = {plugin.name: plugin.title for plugin in sources}
    source = st.selectbox(
        "Format",
        list(titles),
        key="ingest source",
        persist_state="session",
        format_func=titles.__getitem__,
        help=_help(),
    )
    # A form sends its fields together: nothing typed while files arrive is lost.
    with st.form("ingest", border=False):
        uploads = st.file_uploader(
            "Upload files",
            type=KINDS,
            accept_multiple_files=True,
            max_upload_size=MOST_MB,
            key="ingest uploads",
            help=f"At most {MOST_MB:,} MB each. Larger ones: give a path below, or use the "
            "command line.",
        )
        path = _path_field()
        name = st.text_input(
            "Name",
            key="ingest name",
            persist_state="session",
            max_chars=100,
            placeholder="my-crowd",
        )
        chosen = _options(source)
        replace = st.checkbox(
            REPLACE,
            key="ingest replace",
            persist_state="session",
            help="Notes and scores are kept.",
        )
        with st.container(horizontal=True):
            looked = st.form_submit_button("Preview")
            asked = st.form_submit_button("Ingest", type="primary")
    if looked or asked:
        try:
            with _paths(uploads, path) as paths:
                if looked:
                    preview.look(source, paths, chosen)
                else:
                    ingest(source, paths, name, chosen, replace=replace)
        except InputError as error:
            raise reworded(error, source) from error
    preview.show(source)


def _path_field() -> str:
    allowed = ", ".join(md(folder) for folder in settings.ingest_folders(reads.workspace()))
    on_hub = settings.pages_read_hub()
    more = ". On the hub: OWNER/NAME or hf://datasets/OWNER/NAME@REVISION." if on_hub else ""
    return st.text_input(
        f"or a file or folder on this machine{', or a hub id' if on_hub else ''}",
        key="ingest path",
        persist_state="session",
        help=f"Inside: {allowed}{more}",
    )


def _options(source: str) -> dict[str, Any]:
    plugin = SOURCES[source]
    offered = tuple(o.name for o in of_source(source))
    if not offered:
        return {}
    with st.expander(OPTIONS):
        return options.edit(plugin, {}, f"ingest.{source}", only=offered)


def ingest(
    source: str, paths: Sequence[str | Path], name: str, chosen: dict[str, Any], *, replace: bool
) -> None:
    """Ingest with a progress bar, then open the crowd."""
    bar = st.progress(0.0, text="Reading")

    def report(done: int, total: int | None, label: str = "") -> None:
        share = done / total if total else 0.0
        bar.progress(min(share, 1.0), text=md(label or "Reading"))

    try:
        crowd = pipeline.ingest(
            reads.workspace(),
            source,
            paths,
            name=check_name("crowd", name) if name else None,
            options=chosen,
            replace=replace,
            progress=report,
        )
    finally:
        bar.empty()
    preview.forget()
    _open(crowd.name)


def _open(name: str) -> None:
    """Show the new crowd; its page says what came in."""
    st.session_state[arrival.CAME_IN] = name
    if state.has_draft():
        state.change_crowd(name, reads.size)
    state.set_view("tab", "Leaderboard", page="crowd")
    st.rerun()


@contextmanager
def _paths(uploads: Sequence[Any] | None, path: str | None) -> Iterator[list[str | Path]]:
    """The uploaded files on disk, or the path if it lies in an opened folder or on the hub."""
    if uploads:
        with kept(uploads) as found:
            yield list(found)
    elif path:
        yield [opened_data(reads.workspace(), path)]
    else:
        raise InputError(
            "There is nothing to ingest.", "Upload files, or give the path of a file or folder."
        )


def _help() -> str:
    words = "What the files hold. Every format is described in docs/ingest.md."
    return words if find_spec("datasets") else words + " Reading from a hub needs the extra hub."
