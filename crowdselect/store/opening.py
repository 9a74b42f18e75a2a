"""Open a crowd of a workspace, also while another process replaces it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TypeVar

import duckdb
import pyarrow as pa

from crowdselect.errors import CrowdSelectError, InputError, NotFoundError
from crowdselect.files import TEMPORARY
from crowdselect.settings import Workspace
from crowdselect.store.crowd import Crowd

_TRIES, _PAUSE_S = 40, 0.05


_Kind = TypeVar("_Kind", bound=Crowd)


def open_crowd(workspace: Workspace, name: str) -> Crowd:
    """Open the crowd ``name`` read-only; see :func:`open_as`."""
    return open_as(workspace, name, Crowd)


def open_as(workspace: Workspace, name: str, kind: type[_Kind]) -> _Kind:
    """Open the crowd ``name`` read-only, as a ``kind`` of crowd.

    While a re-ingest swaps the folder this waits for the new one, and never mixes the two.

    Raises
    ------
    NotFoundError
        With the known names, where there is no such crowd.
    InputError
        Where its files are damaged, or were made by another version.
    """
    folder = workspace.crowd(name)
    quiet = False
    for _ in range(_TRIES):
        try:
            before = workspace.existing_crowd(name).stat().st_ino
            crowd = kind(folder)
            if folder.stat().st_ino == before:
                return crowd
            crowd.close()
        except (NotFoundError, OSError, ValueError, duckdb.Error, pa.ArrowException) as error:
            busy = _is_being_replaced(workspace.crowds, name)
            if quiet and not busy:  # twice: the swap may have ended between failing and looking
                raise _explained(error, name) from error
            quiet = not busy
        time.sleep(_PAUSE_S)
    raise NotFoundError(f"The crowd {name!r} is being replaced.", "Try again in a moment.")


def _explained(error: Exception, name: str) -> CrowdSelectError:
    if isinstance(error, CrowdSelectError):
        return error
    return InputError(
        f"The crowd {name!r} cannot be opened: its files are damaged or incomplete.",
        "Ingest it again with --replace; notes and scores are kept.",
    )


def _is_being_replaced(crowds: Path, name: str) -> bool:
    return any(crowds.glob(f"{TEMPORARY}*{name}"))
