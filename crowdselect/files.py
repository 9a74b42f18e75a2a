"""Whole files or none: everything is written aside, fsynced and renamed into place."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TEMPORARY = ".tmp-"
"""Prefix of everything unfinished: ``.tmp-<pid>-<time>-<name>``."""


_OLD = "~old"
"""Ends the name of a folder that is being replaced: no name of ours holds a tilde."""


def _aside(path: Path) -> Path:
    return path.with_name(f"{TEMPORARY}{os.getpid()}-{time.time_ns():x}-{path.name}")


@contextmanager
def write_aside(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; rename it into place unless an error is raised.

    Works for a file; use :func:`build_folder_aside` for a folder.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _aside(path)
    try:
        yield temporary
        with temporary.open("rb") as handle:
            os.fsync(handle.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def build_folder_aside(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside ``path``; swap it in unless an error is raised.

    An older folder at ``path`` is moved away first and deleted last, so a reader that has its
    files open keeps them.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _aside(path)
    temporary.mkdir()
    old = _aside(path.with_name(f"{path.name}{_OLD}"))
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


def write_text(path: Path, text: str) -> None:
    """Write ``text`` (UTF-8) to ``path``, whole or not at all."""
    with write_aside(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON with sorted keys, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file that this package wrote."""
    return json.loads(path.read_text(encoding="utf-8"))


def append_line(path: Path, value: Any) -> None:
    """Append ``value`` as one JSON line and fsync it, so that a crash loses nothing before it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(value, ensure_ascii=False, sort_keys=True) + "\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, line.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_lines(path: Path) -> list[Any]:
    """Read JSON lines; an unfinished last line (a crash while writing) is ignored."""
    if not path.exists():
        return []
    values = []
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n")[:-1]:
        try:
            values.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return values


def sha256_file(path: Path) -> str:
    """Return the sha256 of a file's bytes as 64 hex digits."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while chunk := handle.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def remove_leftovers(folder: Path, older_than_s: float = 0.0) -> int:
    """Delete temporaries under ``folder`` whose process is gone; return how many.

    A folder that was moved away to be replaced, and never was, is put back.
    """
    count = 0
    for path in folder.rglob(f"{TEMPORARY}*"):
        owner = path.name.removeprefix(TEMPORARY).split("-", 1)[0]
        if _alive(owner) or not path.exists():
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


def _alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True
    return True
