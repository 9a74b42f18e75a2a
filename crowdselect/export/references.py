"""Benchmark questions from files, to check a subset against."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crowdselect.errors import InputError
from crowdselect.lm.messages import ROLES, json_list
from crowdselect.reading import ALL_SPLITS, name_list, read_table, sha256_of, small_letters

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
_MORE = ("input", "context")
"""Columns whose text belongs to the question, too."""
_INNER = ("text", "content", "value", "stem", *TEXT_COLUMNS[1:8], "body")
"""Where an object keeps a question's text."""
_DEEP = 6


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
    """The column that they are from; several: parted by commas."""
    items: tuple[Reference, ...]
    rows: int = 0
    """Rows of the file."""
    unread: int = 0
    """Rows in which no text was found: nothing was checked against them."""

    @property
    def summary(self) -> str:
        """What was checked, in a sentence."""
        gone = f"; {self.unread:,} rows hold no text that is found" if self.unread else ""
        return (
            f"{self.file}: {len(self.items):,} texts of {self.rows - self.unread:,} of "
            f"{self.rows:,} rows are checked against (column {self.column}){gone}."
        )


def read_references(path: Path, column: str | None = None) -> References:
    """Read the questions of a benchmark: any file, or folder, that ``read_table`` reads.

    ``column`` names the text column; otherwise each row's first of ``TEXT_COLUMNS`` with text in it
    is used, together with its ``input`` or ``context``. A column may hold a text, a list of texts
    or content parts, a list of messages (the user's are taken), or an object with one of these.

    Raises
    ------
    NotFoundError
        Where there is no such file.
    InputError
        Naming the file and the columns found, also where not one row has a text.
    """
    table = read_table(path, split=ALL_SPLITS, texts="prompt")
    name = table.path.name
    if not len(table):
        raise InputError(f"{name} holds no rows.", "Give a file with one question per row.")
    if column is not None and not any(column in row for row in table.rows):
        raise _unread(name, table.columns, f"no column {column!r}")
    items: list[Reference] = []
    used: dict[str, None] = {}
    unread = 0
    for number, given in table:
        row = small_letters(given)
        found = dict(_texts_of(given, (column,))) if column else dict(_texts_of(row, TEXT_COLUMNS))
        identity = next((row[c] for c in ID_COLUMNS if row.get(c)), f"row {number}")
        items += [Reference(str(identity), text) for texts in found.values() for text in texts]
        used |= dict.fromkeys(found)
        unread += not found
    if not items:
        raise _unread(name, table.columns, f"no text in any of its {len(table):,} rows")
    return References(name, sha256_of(path), ", ".join(used), tuple(items), len(table), unread)


def _unread(name: str, columns: tuple[str, ...], what: str) -> InputError:
    return InputError(
        f"{name} has {what} that could be checked; its columns are {name_list(columns)}.",
        "Name the column that holds the questions with --against-column.",
    )


def _texts_of(row: Mapping[str, Any], columns: tuple[str, ...]) -> Iterator[tuple[str, list[str]]]:
    """The first column with text, and the texts that belong to it from other columns."""
    asked = {c: [t for t in _texts(row.get(c)) if t.strip()] for c in columns}
    first = next((c for c in columns if asked[c]), None)
    if first is None:
        return
    yield first, asked[first]
    for more in _MORE if len(columns) > 1 else ():
        texts = [t for t in _texts(row.get(more)) if t.strip()]
        if more != first and texts:
            yield more, texts


def _texts(value: Any, depth: int = 0) -> Iterator[str]:
    listed = json_list(value)
    if depth > _DEEP:
        return
    if listed is not None:
        for part in listed:
            yield from _texts(part, depth + 1)
    elif isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        speaker = value.get("role", value.get("from"))
        if speaker is None or ROLES.get(str(speaker).lower()) == "user":
            inner = next((value[k] for k in _INNER if value.get(k)), None)
            yield from _texts(inner, depth + 1)
