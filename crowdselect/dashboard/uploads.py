"""What a visitor uploads: in a folder of its own while it is needed, each file by its name."""

from __future__ import annotations

import hashlib
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import streamlit as st

from crowdselect.dashboard import reads
from crowdselect.dashboard.text import md
from crowdselect.dashboard.wording import told
from crowdselect.errors import CrowdSelectError
from crowdselect.readonly import refuse_writing

MOST_MB = 1024
"""Largest upload; ``server.maxUploadSize`` in .streamlit/config.toml says the same."""


@contextmanager
def kept(uploads: Sequence[Any]) -> Iterator[list[Path]]:
    """The uploaded files on disk, in their order; they go when the block ends.

    Two visitors, or two files of one name, never share a file.
    """
    folder = reads.workspace().uploads / uuid.uuid4().hex
    refuse_writing(folder)
    folder.mkdir(parents=True, mode=0o700)
    try:
        yield [_write(folder, upload) for upload in uploads]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def keep(upload: Any) -> Path:
    """An uploaded file for good, by its content: a job reads it now and when it is resumed."""
    folder = reads.workspace().kept_uploads / hashlib.sha256(upload.getbuffer()).hexdigest()[:16]
    refuse_writing(folder)
    if folder.is_dir() and (there := sorted(folder.iterdir())):
        return there[0]
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return _write(folder, upload)


def into_recipe(label: str, name: str, take: Callable[[Path, str], None], words: str) -> None:
    """Ask for files that become part of the draft; ``take`` gets each with the name it has.

    ``name`` tells several such fields apart. One that cannot be taken is said and passed over.
    """
    nth = f"_{name}_nth"  # counts uploads: a new key empties the field once its files are taken
    key = f"{name} {st.session_state.setdefault(nth, 0)}"

    def uploaded() -> None:
        uploads = st.session_state[key] or []
        with kept(uploads) as paths:
            for upload, path in zip(uploads, paths, strict=True):
                try:
                    take(path, upload.name)
                except CrowdSelectError as error:
                    st.toast(md(" ".join(told(error.problem, error.remedy))))
        if uploads:
            st.session_state[nth] += 1

    st.file_uploader(
        label,
        type=["jsonl", "json", "csv", "parquet"],
        accept_multiple_files=True,
        max_upload_size=50,
        key=key,
        on_change=uploaded,
        help=words,
    )


def _write(folder: Path, upload: Any) -> Path:
    """Only the last part of the name counts, and of that what is harmless."""
    name = "".join(c if c.isalnum() or c in "._-" else "-" for c in Path(upload.name).name)
    name = name.lstrip(".") or "upload"
    target, nth = folder / name, 2
    while target.exists():
        stem, dot, ending = name.partition(".")
        target, nth = folder / f"{stem}-{nth}{dot}{ending}", nth + 1
    with target.open("wb") as handle:
        shutil.copyfileobj(upload, handle)
    return target
