"""Find the exact line that makes a text file unreadable; and copy files of other encodings."""

from __future__ import annotations

import csv
import gzip
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from crowdselect.errors import InputError

_LONGEST_HEADER = 1 << 22


def _open(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb")  # type: ignore[return-value]


@dataclass(frozen=True)
class CsvLayout:
    """What the header of a CSV file says."""

    delimiter: str
    columns: tuple[str, ...]


def csv_layout(path: Path) -> CsvLayout:
    """Read the header: of comma, tab, semicolon and bar its commonest separates the columns.

    Raises InputError for an empty file, a header that is not UTF-8, and a name that repeats.
    """
    try:
        with _open(path) as handle:
            raw = handle.readline(_LONGEST_HEADER).decode("utf-8-sig").rstrip("\r\n")
        delimiter = max(",\t;|", key=re.sub(r'"[^"]*"', "", raw).count)
        columns = tuple(next(csv.reader([raw], delimiter=delimiter), []))
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        check_lines(path)
        raise InputError(
            f"{path.name} cannot be read: {error}.", "Check that the file is whole."
        ) from error
    if not raw.strip():
        raise InputError(f"{path.name} has no header.", "Its first line must name the columns.")
    lower = [c.lower() for c in columns]
    twice = next((c for c in columns if lower.count(c.lower()) > 1 or not c.strip()), None)
    if twice is not None:
        raise InputError(
            f"{path.name}, line 1: a column is called {twice!r}, twice or without a name.",
            "Give every column a name of its own; capital letters do not tell names apart.",
        )
    return CsvLayout(delimiter, columns)


def check_lines(path: Path, name: str | None = None) -> None:
    """Raise InputError for the first line that is not UTF-8 or, in a JSON file, not an object.

    ``name`` stands for the file in the message. Returns when every line is in order.
    """
    label = name or path.name
    is_json = ".csv" not in path.name.lower() and ".tsv" not in path.name.lower()
    for number, text in _lines(path, label):
        if is_json and number == 1 and text.lstrip().startswith("["):
            _check_array(path, label)
            return
        if is_json and text.strip():
            _check_object(text, f"{label}, line {number:,}")


def _lines(path: Path, label: str) -> Iterator[tuple[int, str]]:
    """Yield (1-based number, text) of each line; raises InputError where one is not UTF-8."""
    try:
        with _open(path) as handle:
            for number, raw in enumerate(handle, start=1):
                try:
                    yield number, raw.decode("utf-8-sig" if number == 1 else "utf-8")
                except UnicodeDecodeError as error:
                    raise InputError(
                        f"{label}, line {number:,} is not UTF-8: byte 0x{raw[error.start]:02x} "
                        f"at column {error.start + 1}.",
                        "Say how the file was written, for example --encoding latin-1.",
                    ) from error
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(
            f"{label} cannot be read: {error}.", "Check that the file is whole."
        ) from error


def _check_object(text: str, where: str) -> None:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(
            f"{where} is not JSON: {error.msg} at column {error.colno}.",
            "Write one JSON object per line, or remove that line.",
        ) from error
    except RecursionError:
        raise InputError(f"{where} is nested too deeply.", "Write flat JSON objects.") from None
    if not isinstance(value, dict):
        raise InputError(
            f"{where} is a JSON {type(value).__name__}, not an object.",
            'Write one JSON object per line: {"id": ..., "model": ...}.',
        )


def _check_array(path: Path, label: str) -> None:
    try:
        with _open(path) as handle:
            values = json.loads(handle.read())
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{label} is not a JSON array: {error}.", "Write a list of JSON objects."
        ) from error
    for k, value in enumerate(values, start=1):
        if not isinstance(value, dict):
            raise InputError(
                f"{label}, item {k:,} is not a JSON object.", "Write a list of JSON objects."
            )


def utf8_copy(path: Path, encoding: str, folder: Path) -> Path:
    """Write ``path`` in UTF-8 into ``folder`` (under its own name) and return the copy."""
    name = path.name.removesuffix(".gz").removesuffix(".GZ")
    target = folder / f"utf8-{len(list(folder.glob('utf8-*')))}-{name}"
    try:
        with _open(path) as source, target.open("w", encoding="utf-8", newline="") as out:
            for number, raw in enumerate(source, start=1):
                try:
                    out.write(raw.decode(encoding))
                except UnicodeDecodeError as error:
                    raise InputError(
                        f"{path.name}, line {number:,} is not {encoding}: {error.reason}.",
                        "Give the encoding that the file was written in.",
                    ) from error
    except LookupError as error:
        raise InputError(
            f"There is no encoding called {encoding!r}.", "Try utf-8, latin-1 or cp1252."
        ) from error
    return target
