"""Benchmark questions from files, to check a subset against."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from crowdselect import files
from crowdselect.errors import InputError

TEXT_COLUMNS = (
    "turns",
    "prompt",
    "question",
    "instruction",
    "messages",
    "conversations",
    "problem",
    "query",
    "text",
    "input",
)
"""Columns that hold the question, the likeliest first (MT-Bench: turns, Arena-Hard: prompt)."""
ID_COLUMNS = ("question_id", "uid", "uuid", "id", "task_id")


@dataclass(frozen=True)
class Reference:
    """One text of a benchmark: a prompt, or one turn of one."""

    id: str
    text: str


@dataclass(frozen=True)
class References:
    """A benchmark file's texts."""

    file: str
    """Name of the file, without its folder."""
    sha256: str
    column: str
    items: tuple[Reference, ...]


def read_references(path: Path, column: str | None = None) -> References:
    """Read the questions of a JSONL, JSON, CSV or Parquet file.

    ``column`` names the text column; otherwise the first of ``TEXT_COLUMNS`` that exists is used.
    A column may hold a text, a list of texts, or a list of messages (the user's are taken).
    Raises InputError naming the file and the line or the columns found.
    """
    if not path.is_file():
        raise InputError(f"There is no file {path}.", "Give the path of a benchmark's questions.")
    rows = list(_rows(path))
    if not rows:
        raise InputError(f"{path} holds no rows.", "Give a file with one question per row.")
    column = column or next((c for c in TEXT_COLUMNS if c in rows[0]), "")
    if column not in rows[0]:
        raise InputError(
            f"{path} has no text column that is known; its columns are {', '.join(rows[0])}.",
            "Name the column with --against-column.",
        )
    identity = next((c for c in ID_COLUMNS if c in rows[0]), "")
    items = tuple(
        Reference(str(row.get(identity) or f"row {number}"), text)
        for number, row in enumerate(rows, start=1)
        for text in _texts(row.get(column))
        if text.strip()
    )
    return References(path.name, files.sha256_file(path), column, items)


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        if path.suffix == ".parquet":
            yield from pq.read_table(path).to_pylist()
        elif path.suffix == ".csv":
            with path.open(encoding="utf-8-sig", newline="") as handle:
                yield from csv.DictReader(handle)
        elif path.suffix == ".json":
            yield from _objects(path, enumerate(json.loads(path.read_text("utf-8")), start=1))
        else:
            yield from _objects(path, _lines(path))
    except (UnicodeDecodeError, json.JSONDecodeError, pa.ArrowInvalid, TypeError) as error:
        raise InputError(
            f"{path} cannot be read as {path.suffix or 'JSON lines'}: {error}.",
            "Give JSONL, JSON (an array), CSV or Parquet in UTF-8.",
        ) from error


def _lines(path: Path) -> Iterator[tuple[int, Any]]:
    with path.open(encoding="utf-8-sig") as handle:
        for number, line in enumerate(handle, start=1):
            if not line.strip():
                continue
            try:
                yield number, json.loads(line)
            except json.JSONDecodeError as error:
                raise InputError(
                    f"{path}, line {number}: not JSON ({error.msg}).", "Correct or remove the line."
                ) from error


def _objects(path: Path, rows: Iterable[tuple[int, Any]]) -> Iterator[Mapping[str, Any]]:
    for number, row in rows:
        if not isinstance(row, dict):
            raise InputError(
                f"{path}, row {number}: expected an object with named fields, found {row!r:.60}.",
                "Give one JSON object per question.",
            )
        yield row


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for part in value:
            if isinstance(part, str):
                yield part
            elif isinstance(part, dict) and _is_users(part):
                yield str(part.get("content", part.get("value", "")))


def _is_users(message: Mapping[str, Any]) -> bool:
    return message.get("role", message.get("from")) in ("user", "human", None)
