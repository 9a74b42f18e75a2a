"""Open a file that a person named: a regular one, unpacked where it is gzip, within a limit."""

from __future__ import annotations

import gzip
import io
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from crowdselect.errors import InputError, NotFoundError

MOST_BYTES = 4 << 30
"""The most that one file may hold, unpacked, where it is read into memory: 4 GiB."""
MOST_COLUMNS = 10_000
"""The most columns that a table may have."""
DEEPEST = 200
"""The deepest that lists and objects may be nested in one another."""

_GZIP = b"\x1f\x8b"
_PACKED = {
    b"PK\x03\x04": ("a ZIP archive or an Excel workbook", "Unpack it, or save it as CSV."),
    b"BZh": ("packed with bzip2", "Unpack it: bunzip2 FILE"),
    b"\xfd7zXZ\x00": ("packed with xz", "Unpack it: unxz FILE"),
    b"\x28\xb5\x2f\xfd": ("packed with Zstandard", "Unpack it: unzstd FILE"),
    b"\xd0\xcf\x11\xe0": ("an old Excel or Word file", "Save it as CSV."),
    b"%PDF": ("a PDF", "Give a table or JSON lines."),
    b"SQLite format 3": ("an SQLite database", "Write its table as CSV or Parquet."),
    b"version https://git-lfs": (
        "a pointer of Git LFS and not the file itself",
        "Fetch the file: git lfs pull",
    ),
}


@contextmanager
def open_bytes(path: Path, limit: int = MOST_BYTES) -> Iterator[IO[bytes]]:
    """Open a regular file; gzip is told by its first bytes and unpacked, whatever the name says.

    Raises
    ------
    NotFoundError
        Where there is no such file.
    InputError
        For a folder, a pipe or a device, what cannot be read, a damaged or cut-off gzip, another
        packing, and as soon as more than ``limit`` bytes have been read.
    """
    name = path.name
    try:
        with open_raw(path) as raw:
            head = raw.peek(16)[:16]
            _refuse_packed(head, name)
            if path.suffix.lower() == ".gz" and head and not head.startswith(_GZIP):
                raise InputError(
                    f"{name} is called .gz and is not packed with gzip.", "Rename it without .gz."
                )
            if head.startswith(_GZIP):
                with gzip.GzipFile(fileobj=raw) as unpacked:
                    yield io.BufferedReader(_Counted(unpacked, name, limit), 1 << 20)
            else:
                yield io.BufferedReader(_Counted(raw, name, limit), 1 << 20)
    except (OSError, EOFError, zlib.error) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(
            f"{name} cannot be read: {why}.", "Check that the file is whole."
        ) from error


def check_regular(path: Path) -> None:
    """Raise for what is no regular file that can be opened, without reading it."""
    with open_bytes(path):
        pass


def open_raw(path: Path) -> io.BufferedReader:
    """Open a regular file as it is; a pipe that nobody writes to is refused and not waited for."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFoundError(f"There is no file {path}.", "Check the path.") from error
    except (ValueError, UnicodeError) as error:
        raise InputError(f"{str(path)!r} is no file's name: {error}.", "Check the path.") from error
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        kind = "a folder" if stat.S_ISDIR(mode) else "a pipe or a device"
        raise InputError(f"{path} is {kind}, not a file.", "Give a regular file.")
    return io.BufferedReader(io.FileIO(descriptor))


def _refuse_packed(head: bytes, name: str) -> None:
    for magic, (what, remedy) in _PACKED.items():
        if head.startswith(magic[:16]):
            raise InputError(f"{name} is {what}.", remedy)


class _Counted(io.RawIOBase):
    """Bytes of another stream, until there are too many."""

    def __init__(self, source: IO[bytes] | gzip.GzipFile, name: str, limit: int) -> None:
        self._source, self._name, self._limit, self._seen = source, name, limit, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._source.read(len(buffer))
        self._seen += len(data)
        if self._seen > self._limit:
            raise too_large(self._name, self._limit)
        buffer[: len(data)] = data
        return len(data)


def too_large(name: str, limit: int) -> InputError:
    """The error for a file that unpacks to more than ``limit`` bytes."""
    size = f"{limit / (1 << 30):.3g} GiB" if limit >= 1 << 30 else f"{limit / (1 << 20):.3g} MiB"
    return InputError(
        f"{name} holds more than {size} (unpacked), which is the limit here.",
        "Give a smaller file, or split it.",
    )
