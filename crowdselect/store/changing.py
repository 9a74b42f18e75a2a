"""Who changes a crowd holds its lock, so that a note is never written into a folder on its way out.

The lock lies beside the crowd's folder, not in it: a re-ingest puts another folder in its place.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from crowdselect.locks import only_writer


def changing(crowd: Path) -> AbstractContextManager[None]:
    """Be the only one who adds to the crowd in the folder ``crowd``, or puts another in its place.

    Raises InputError if somebody else does so for longer than half a minute.
    """
    return only_writer(
        crowd,
        busy=f"The crowd {crowd.name!r} is being changed by another process.",
        remedy="Try again in a moment.",
        wait_s=30.0,
    )


def ingesting(crowd: Path) -> AbstractContextManager[None]:
    """Be the only one who ingests into the folder ``crowd``; raises InputError at once if not."""
    return only_writer(
        crowd.with_name(f"{crowd.name}~ingest"),  # no crowd's name holds a tilde
        busy=f"Another ingest into the crowd {crowd.name!r} is running.",
        remedy="Wait until it has ended, or choose another --name.",
        wait_s=0.0,
    )
