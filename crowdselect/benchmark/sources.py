"""Where a file of questions, prompts or answers lies: on this machine, or on the hub."""

from __future__ import annotations

from pathlib import Path

from crowdselect.errors import NotFoundError
from crowdselect.hub import HUB, fetch_file
from crowdselect.reading import exists, sha256_of


def local_file(path: str | Path) -> Path:
    """The file or folder itself; ``hf://datasets/OWNER/NAME/PATH`` is fetched (once) from the hub.

    Raises NotFoundError where there is none, InputError for an address that is none or that the
    hub does not give.
    """
    text = str(path)
    file = fetch_file(text) if text.startswith(HUB) else Path(path).expanduser()
    if not exists(file):
        raise NotFoundError(f"There is no file {file}.", "Give the path of an existing file.")
    return file


def absolute(name: str) -> str:
    """An existing file or folder with its whole path; anything else (a hub id, say) as it is."""
    path = Path(name).expanduser()
    return str(path.absolute()) if exists(path) else name


def file_hash(path: str | Path) -> str:
    """The first 16 hex digits of a file's sha256; raises NotFoundError where there is none."""
    return sha256_of(local_file(path))[:16]
