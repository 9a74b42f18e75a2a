"""What a visitor uploads: in a folder of its own while it is needed, each file by its name."""

from __future__ import annotations

import hashlib
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crowdselect.dashboard import reads
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
