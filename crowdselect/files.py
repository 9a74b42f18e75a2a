"""Whole files or none: everything is written aside, fsynced and renamed into place."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import mmap
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

from crowdselect.errors import of_the_disk
from crowdselect.processes import birth
from crowdselect.readonly import refuse_writing

TEMPORARY = ".tmp-"
"""Prefix of everything unfinished: ``.tmp-<pid>-<start of the process>.<time>-<name>``."""


PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600
_OLD = "~old"
"""Ends the name of a folder that is being replaced: no name of ours holds a tilde."""


def temporary_beside(path: Path) -> Path:
    """Return a path beside ``path`` for what is unfinished; it is removed if we die."""
    born = int(birth(os.getpid()) or 0)
    return path.with_name(f"{TEMPORARY}{os.getpid()}-{born:x}.{time.time_ns():x}-{path.name}")


def forget(values: npt.NDArray[Any]) -> None:
    """Take an array that is mapped from a file out of memory until it is looked at again.

    The system would do so where memory is short; an array in memory stays.
    """
    base: Any = values.base
    if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)


@contextmanager
def write_aside(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; rename it into place unless an error is raised.

    Works for a file; use :func:`build_folder_aside` for a folder.
    """
    refuse_writing(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_beside(path)
    try:
        yield temporary
        with temporary.open("rb") as handle:
            os.fsync(handle.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def where_the_disk_allows() -> Iterator[None]:
    """Keep what can be made again: a disk that refuses (full, read-only) costs nothing else."""
    try:
        yield
    except OSError as error:
        if of_the_disk(error) is None:
            raise


@contextmanager
def build_folder_aside(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside ``path``; swap it in unless an error is raised.

    An older folder at ``path`` is moved away first and deleted last, so a reader that has its
    files open keeps them.
    """
    refuse_writing(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_beside(path)
    temporary.mkdir()
    old = temporary_beside(path.with_name(f"{path.name}{_OLD}"))
    try:
        yield temporary
        if path.exists():
            path.rename(old)
        temporary.rename(path)
    except BaseException:
        if old.exists() and not path.exists():
            old.rename(path)
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def write_text(path: Path, text: str, *, private: bool = False) -> None:
    """Write ``text`` (UTF-8) to ``path``, whole or not at all; ``private``: for the owner only."""
    with write_aside(path) as temporary:
        if private:
            temporary.touch(PRIVATE_FILE)
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any, *, private: bool = False) -> None:
    """Write ``value`` as indented JSON with sorted keys, whole or not at all."""
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)
    write_text(path, text + "\n", private=private)


def make_private(folder: Path) -> None:
    """Let only the owner read a folder and everything in it; links are left alone."""
    folder.chmod(PRIVATE_FOLDER)
    for path in folder.rglob("*"):
        if not path.is_symlink():
            with contextlib.suppress(FileNotFoundError):
                path.chmod(PRIVATE_FOLDER if path.is_dir() else PRIVATE_FILE)


def read_json(path: Path) -> Any:
    """Read a JSON file that this package wrote."""
    return json.loads(path.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Journal:
    """What a file of JSON lines holds."""

    values: list[Any]
    damaged: int
    """Lines that are not whole: a process died, or the disk was full, while it wrote them."""


def append_line(path: Path, value: Any, *, private: bool = False) -> None:
    """Append ``value`` as one JSON line and fsync it: it is written whole, or not at all.

    A line that somebody left unfinished is closed first, so that this one does not stick to it.
    One process writes at a time. Raises OSError (a full disk, say) with the file as it was.
    """
    refuse_writing(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    line = (json.dumps(value, ensure_ascii=False, sort_keys=True) + "\n").encode()
    mode = PRIVATE_FILE if private else 0o644
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, mode)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # ends with the descriptor
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        _write_whole(descriptor, b"\n" + line if torn else line, size)
    finally:
        os.close(descriptor)


def _write_whole(descriptor: int, data: bytes, size: int) -> None:
    """Write all of ``data`` at the end; where that fails, cut the file back to ``size`` bytes."""
    try:
        while data:  # a disk that is nearly full takes a part and reports no error
            data = data[os.write(descriptor, data) :]
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, size)
        raise


def read_journal(path: Path) -> Journal:
    """Read JSON lines; lines that are not whole are counted and passed over."""
    return _journal(path.read_bytes()) if path.exists() else Journal([], 0)


def read_lines(path: Path) -> list[Any]:
    """Read JSON lines; an unfinished line (a crash while writing) is passed over."""
    return read_journal(path).values


def read_last_lines(path: Path, most_bytes: int = 1 << 15) -> list[Any]:
    """Read the JSON lines that begin in the last ``most_bytes`` bytes, oldest first."""
    if not path.exists():
        return []
    with path.open("rb") as handle:
        size = handle.seek(0, os.SEEK_END)
        handle.seek(max(0, size - most_bytes))
        data = handle.read()
    return _journal(data if size <= most_bytes else data.partition(b"\n")[2]).values


def _journal(data: bytes) -> Journal:
    values, damaged = [], 0
    for line in data.decode("utf-8", errors="replace").split("\n"):
        try:
            values.append(json.loads(line))
        except json.JSONDecodeError:
            damaged += bool(line.strip())
    return Journal(values, damaged)


def split_journal(path: Path) -> tuple[bytes, bytes]:
    """The lines of a journal that can be read, and those that cannot."""
    parts: dict[bool, list[bytes]] = {True: [], False: []}
    for line in path.read_bytes().split(b"\n"):
        if line.strip():
            parts[not _journal(line).damaged].append(line + b"\n")
    return b"".join(parts[True]), b"".join(parts[False])


def inert(value: Any) -> Any:
    """A cell that a spreadsheet shows as it is: a text that it would run gets an apostrophe."""
    runs = isinstance(value, str) and value.lstrip().startswith(("=", "+", "-", "@"))
    return f"'{value}" if runs else value


def sha256_file(path: Path) -> str:
    """Return the sha256 of a file's bytes as 64 hex digits."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while chunk := handle.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def has_sha256(path: Path, digest: object) -> bool:
    """Whether ``path`` is a file with this sha256, as :func:`sha256_file` gives it."""
    return path.is_file() and sha256_file(path) == digest


def remove_leftovers(folder: Path, older_than_s: float = 0.0, *, deep: bool = True) -> int:
    """Delete temporaries in ``folder`` (``deep``: under it) whose process is gone; return how many.

    A folder that was moved away to be replaced, and never was, is put back.
    """
    count = 0
    for path in folder.rglob(f"{TEMPORARY}*") if deep else folder.glob(f"{TEMPORARY}*"):
        owner, _, rest = path.name.removeprefix(TEMPORARY).partition("-")
        if _alive(owner, rest.partition("-")[0]) or not path.exists():
            continue
        if time.time() - path.stat().st_mtime < older_than_s:
            continue
        if not _put_back(path):
            _delete(path)
        count += 1
    return count


def _put_back(path: Path) -> bool:
    """Undo the first half of a swap whose process died before the second half."""
    original = path.with_name(path.name.split("-", 3)[-1].removesuffix(_OLD))
    if not path.name.endswith(_OLD) or original.exists():
        return False
    path.rename(original)
    return True


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _alive(pid: str, made: str) -> bool:
    """Whether the process that made a temporary lives; another may have its id by now."""
    now = birth(int(pid)) if pid.isdigit() else None
    born, dot, _ = made.partition(".")  # a version before noted the time alone
    return now is not None and (not dot or f"{int(now):x}" == born)
