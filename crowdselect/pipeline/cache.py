"""What is made once: artifacts in a crowd's cache, and results in memory."""

from __future__ import annotations

import os
import struct
import threading
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from crowdselect import files
from crowdselect.registry import content_key

Array = npt.NDArray[Any]
LARGE = 1 << 29
"""Bytes of a file beyond which its arrays stay on the disk."""
T = TypeVar("T")


def artifact(cache: Path, kind: str, depends_on: Any, suffix: str) -> Path:
    """Where the artifact ``kind`` that depends on ``depends_on`` (any JSON) lies."""
    return cache / kind / f"{content_key(depends_on, 20)}{suffix}"


def load_or_make(path: Path, make: Callable[[], Mapping[str, Array]]) -> dict[str, Array]:
    """Read the arrays of ``path`` (npz), or make and keep them.

    A damaged file is made again. Where nothing can be written (a read-only disk) the arrays are
    just returned.
    """
    if path.exists():
        try:
            with np.load(path, allow_pickle=False) as stored:
                return {name: stored[name] for name in stored.files}
        except (OSError, ValueError, KeyError, EOFError):
            pass  # it is made again and replaced
    made = dict(make())
    with (
        files.where_the_disk_allows(),
        files.write_aside(path) as temporary,
        temporary.open("wb") as handle,
    ):
        np.savez(handle, **made)  # type: ignore[arg-type]
    return made


def mapped(path: Path, name: str) -> Array | None:
    """The array ``name`` of ``path`` (npz) on the disk, where it is too large to be read at once.

    None: it is not there, damaged, or small. The system takes of it into memory what is looked at.
    """
    try:
        if path.stat().st_size <= LARGE:
            return None
        with zipfile.ZipFile(path) as packed, path.open("rb") as file:
            member = packed.getinfo(f"{name}.npy")
            file.seek(member.header_offset + 26)
            told, extra = struct.unpack("<HH", file.read(4))  # lengths of the member's own header
            file.seek(told + extra, os.SEEK_CUR)
            if member.compress_type != zipfile.ZIP_STORED or member.file_size <= 0:
                return None
            version = np.lib.format.read_magic(file)
            read = getattr(np.lib.format, f"read_array_header_{version[0]}_0")
            shape, by_columns, dtype = read(file)
            order: Any = "F" if by_columns else "C"
            if dtype.hasobject:
                return None
            return np.asarray(np.memmap(path, dtype, "r", file.tell(), shape, order))
    except (OSError, ValueError, KeyError, EOFError, AttributeError, struct.error,
            zipfile.BadZipFile):  # fmt: skip
        return None


class Memo:
    """Remembers up to ``size`` results by key, the latest used ones; safe for threads.

    A result is made once, by whoever asks first; others who ask for it meanwhile wait for it, and
    nobody waits for a result of another key. A failure is not kept.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._results: OrderedDict[Hashable, Future[Any]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the result of ``key``, made by ``make`` if it is not there."""
        while True:
            future, mine = self._claim(key)
            if mine:
                return self._make(key, future, make)
            if future.exception() is None:
                result: T = future.result()
                return result
            # Somebody else's failure, a cancellation for example, is not ours: try again.

    def _claim(self, key: Hashable) -> tuple[Future[Any], bool]:
        with self._lock:
            future = self._results.get(key)
            if future is not None:
                self._results.move_to_end(key)
                return future, False
            future = self._results[key] = Future()
            if len(self._results) > self._size:
                self._results.popitem(last=False)
            return future, True

    def _make(self, key: Hashable, future: Future[Any], make: Callable[[], T]) -> T:
        try:
            result = make()
        except BaseException as error:
            with self._lock:
                if self._results.get(key) is future:
                    del self._results[key]
            future.set_exception(error)
            raise
        future.set_result(result)
        return result
