"""Write a saved selection in a format: preview, download, manifest."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import streamlit as st

from crowdselect import files, pipeline
from crowdselect.dashboard import options, reads, shell
from crowdselect.dashboard.downloads import zipped
from crowdselect.dashboard.offered import TEST
from crowdselect.dashboard.text import md, n_of_m, shorten
from crowdselect.export import FORMATS
from crowdselect.pipeline import Export, SavedSelection

PREVIEW_LINES = 6
PREVIEW_CHARS = 4_000


def show(saved: SavedSelection) -> None:
    """Format, options, and what was written."""
    formats = {plugin.name: plugin for plugin in FORMATS}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Format",
            list(formats),
            key="export format",
            persist_state="session",
            format_func=lambda n: formats[n].title,
            width=360,
        )
    with st.expander("Options"):
        chosen = options.edit(formats[name], {}, f"export.{name}")
        share = options.ask(
            TEST,
            "export test",
            min_value=0.0,
            max_value=0.9,
            step=0.05,
            help="In a file of its own. The questions decide: equal ones stay on one side.",
        )
    if files_out := [one.name for one in saved.recipe.decontaminate]:
        st.caption(md(f"Its recipe keeps out what overlaps with {', '.join(files_out)}."))
    else:
        st.caption("Questions that must stay out belong to the recipe: upload them on the left.")
    if shell.read_only_note("exporting"):
        _present(reads.workspace().selection(saved.id) / "exports" / name, formats[name].file)
        return
    if st.button("Write export", type="primary", key="export write"):
        with st.spinner("Writing"):
            made = pipeline.export(
                reads.workspace(), saved, name, options=chosen, test=share or None
            )
        st.session_state["_export"] = (saved.id, name, str(made.path), str(made.data))
    written = st.session_state.get("_export")
    if written and written[:2] == (saved.id, name) and Path(written[3]).exists():
        path, data = Path(written[2]), Path(written[3])
        _written(Export(path, data, files.read_json(path / "manifest.json")))


def _present(folder: Path, file: str) -> None:
    """On a read-only server: the export that is there, if any."""
    manifest = folder / "manifest.json"
    if not manifest.exists():
        st.caption("This format was not exported yet.")
        return
    if (folder / file).exists():
        _written(Export(folder, folder / file, files.read_json(manifest)))


def _written(made: Export) -> None:
    counts = made.manifest["counts"]
    held = f" {counts['test']:,} are held back for testing." if "test" in counts else ""
    st.success(f"{n_of_m(counts['exported'], counts['selected'])} written.{held}")
    for line in made.checked:
        st.caption(line)
    if counts.get("flagged"):
        st.caption(
            f"{counts['flagged']:,} of the crowd overlap with a benchmark and are not in it."
        )
    if counts.get("unanswered"):
        st.caption(f"{counts['unanswered']:,} have no answer and were left out.")
    with st.container(horizontal=True):
        st.download_button(
            f"Download {made.data.name}",
            made.data.read_bytes(),
            file_name=made.data.name,
            mime="application/octet-stream",
            on_click="ignore",
            type="primary",
        )
        st.download_button(
            "Download all as zip",
            zipped(made.path),
            file_name=f"{made.path.parent.parent.name}-{made.path.name}.zip",
            mime="application/zip",
            on_click="ignore",
        )
    st.code(preview(made.data), language=None, wrap_lines=True, height=260)
    with st.expander("Manifest"):
        st.json(made.manifest, expanded=1)
    st.caption(f"In the workspace: {md(made.path)}")


def preview(path: Path) -> str:
    """The first lines of the data file as text."""
    if path.suffix == ".parquet":
        head = pq.read_table(path).slice(0, 3).to_pylist()
        return shorten("\n".join(map(str, head)), PREVIEW_CHARS)
    with path.open(encoding="utf-8") as handle:
        lines = [line for line, _ in zip(handle, range(PREVIEW_LINES), strict=False)]
    return shorten("".join(lines), PREVIEW_CHARS)
