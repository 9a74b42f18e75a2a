"""One writer at a time: for each thing on disk that several processes may change, one lock.

A lock is an advisory lock of the operating system on a file ``.lock-NAME`` beside the thing. It
ends with the process that holds it, however that ends: there are no stale locks to recognise.
The file itself stays, empty. Readers take no lock; they see what was renamed into place.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from crowdselect.errors import InputError
from crowdselect.readonly import refuse_writing

LOCK = ".lock-"
"""Prefix of a lock's file."""


def lock_file(path: Path) -> Path:
    """The file that is locked while somebody changes ``path``."""
    return path.with_name(f"{LOCK}{path.name}")


@contextmanager
def only_writer(path: Path, *, busy: str, remedy: str, wait_s: float = 10.0) -> Iterator[None]:
    """Be the only one who changes ``path`` (a file or a folder, which need not exist).

    Parameters
    ----------
    busy, remedy
        What the InputError says if somebody else holds the lock for longer than ``wait_s``
        seconds.

    Raises
    ------
    InputError
        As above.
    OSError
        If the lock's file cannot be made (a read-only or full file system).
    """
    refuse_writing(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(lock_file(path), timeout=wait_s, mode=0o600)
    try:
        lock.acquire(poll_interval=0.01)
    except Timeout:
        raise InputError(busy, remedy) from None
    try:
        yield
    finally:
        lock.release()
