"""JSON and JSON lines -> rows, in the shapes that people have; none is taken for another."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from crowdselect.errors import InputError
from crowdselect.reading.decoding import (
    Lines,
    read_text,
    replaced_remark,
    without_lone_escapes,
)
from crowdselect.reading.opening import DEEPEST, MOST_BYTES, open_bytes

Row = dict[str, Any]

_KEYS = (
    "data", "rows", "examples", "instances", "items", "records", "samples", "questions", "results",
    "train", "test", "validation",
)  # fmt: skip
"""Names under which files keep their list of rows."""
_ONE_ROW = {
    "messages", "conversations", "conversation", "turns", "chosen", "rejected", "prompt",
    "completion", "completions", "choices", "tools", "history", "instruction", "references",
}  # fmt: skip
"""Columns that hold a list in one row."""


def read_lines(
    path: Path, encoding: str | None = None, limit: int = MOST_BYTES, texts: str | None = None
) -> tuple[list[Row], list[str]]:
    """Rows of JSON lines, and remarks.

    ``texts`` names the column that a line which is only a text belongs to.
    Raises InputError with the line for one that is no object, or that holds several.
    """
    rows: list[Row] = []
    escaped = 0
    with open_bytes(path, limit) as handle:
        lines = Lines(handle, path, encoding, newline="\n")
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            if number == 1 and line.lstrip().startswith("["):
                break
            mended, count = without_lone_escapes(line)
            escaped += count
            where = f"{path.name}, line {number:,}"
            rows.append(_object(parse_json(mended, where), where, texts))
        else:
            return rows, replaced_remark(path.name, lines.replaced + escaped)
    return read_document(path, encoding, limit, texts)


def read_document(
    path: Path, encoding: str | None = None, limit: int = MOST_BYTES, texts: str | None = None
) -> tuple[list[Row], list[str]]:
    """Rows of a JSON file, and remarks on the shape they were found in.

    Shapes: a list of objects; an object with the rows under a key; pandas' ``to_json`` by columns,
    ``split`` and ``index``; lists per column; one object; JSON lines under another name.
    """
    name = path.name
    found = read_text(path, encoding, limit)
    text, escaped = without_lone_escapes(found.text)
    remarks = replaced_remark(name, found.replaced + escaped)
    if not text.strip():
        return [], remarks
    if _are_lines(text):
        rows, more = read_lines(path, encoding, limit, texts)
        return rows, [*more, f"{name}: read as JSON lines."]
    value = parse_json(text, name)
    if isinstance(value, list):
        rows = [_object(v, f"{name}, item {k:,}", texts) for k, v in enumerate(value, start=1)]
        return rows, remarks
    if not isinstance(value, dict):
        raise InputError(
            f"{name} holds a JSON {_kind(value)}; expected a list of objects.",
            "Write a list of JSON objects, or one object per line.",
        )
    rows, remark = _shaped(value, name)
    return rows, [*remarks, *([remark] if remark else [])]


def read_json(path: Path, limit: int = MOST_BYTES) -> tuple[Any, int]:
    """The one JSON value of a file, and how many halves of surrogate pairs were replaced in it.

    Raises as :func:`read_text` and :func:`parse_json` do.
    """
    found = read_text(path, limit=limit)
    text, escaped = without_lone_escapes(found.text)
    return parse_json(text, path.name), found.replaced + escaped


def _are_lines(text: str) -> bool:
    """Whether a first line is a whole object and something follows it."""
    first, _, rest = text.lstrip().partition("\n")
    if not rest.strip() or not first.startswith("{"):
        return False
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return False
    return True


def parse_json(text: str, where: str) -> Any:
    """Return the one JSON value of ``text``.

    Raises InputError naming ``where``: for what is not JSON, several values, a key that repeats in
    one object, and lists and objects nested more than ``DEEPEST`` deep.
    """
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and text[error.pos] in "{[":
            raise InputError(
                f"{where} holds more than one JSON value: a second begins at column "
                f"{error.colno:,}.",
                "Write one JSON object per line.",
            ) from error
        place = f"column {error.colno:,}" if "line" in where else f"line {error.lineno:,}"
        raise InputError(
            f"{where} is not JSON: {error.msg} at {place}.", "Correct or remove that place."
        ) from error
    except _Repeated as error:
        raise InputError(
            f"{where}: the key {error} occurs twice in one object.", "Keep one of the two."
        ) from error
    except RecursionError:
        raise _too_deep(where) from None
    except ValueError as error:
        raise InputError(f"{where} is not JSON: {error}.", "Correct that place.") from error
    if text.count("{") + text.count("[") > DEEPEST:
        check_depth(value, where)
    return value


def parse_cell(text: str) -> Any:
    """The JSON value that is written in a cell or in a text of another JSON.

    Raises ValueError where it is none, as :func:`parse_json` does InputError.
    """
    mended, _ = without_lone_escapes(text)
    try:
        return parse_json(mended, "a cell")
    except InputError as error:
        raise ValueError(error.problem) from error


def mended_cells(row: Mapping[str, Any], columns: Iterable[str]) -> tuple[Row, int]:
    """The row with lone halves of characters replaced in cells that are JSON; how many they were.

    :func:`parse_cell` replaces them as well, and cannot say so: a cell may be parsed many times.
    """
    found, count = dict(row), 0
    for column in columns:
        if isinstance(row.get(column), str):
            found[column], halves = without_lone_escapes(row[column])
            count += halves
    return found, count


class _Repeated(Exception):
    pass


def _once(pairs: list[tuple[str, Any]]) -> Row:
    value = dict(pairs)
    if len(value) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _Repeated(repr(next(k for k in keys if keys.count(k) > 1))[:80])
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_once)


def check_depth(value: Any, where: str) -> None:
    """Raise InputError where lists and objects are nested more than ``DEEPEST`` deep."""
    level = [value]
    for _ in range(DEEPEST + 1):
        inner: list[Any] = []
        for v in level:
            if isinstance(v, Mapping):
                inner += [x for x in v.values() if isinstance(x, list | tuple | Mapping)]
            elif isinstance(v, list | tuple):
                inner += [x for x in v if isinstance(x, list | tuple | Mapping)]
        if not inner:
            return
        level = inner
    raise _too_deep(where)


def _too_deep(where: str) -> InputError:
    return InputError(
        f"{where} is nested more than {DEEPEST} levels deep.", "Write flatter JSON objects."
    )


def _object(value: Any, where: str, texts: str | None) -> Row:
    if isinstance(value, dict):
        return value
    if texts is not None and isinstance(value, str):
        return {texts: value}
    raise InputError(
        f"{where} is a JSON {_kind(value)}, expected an object with named fields.",
        'Write one JSON object per row: {"id": ..., "instruction": ...}.',
    )


def _kind(value: Any) -> str:
    names = {dict: "object", list: "list", str: "text", bool: "truth value", type(None): "null"}
    return names.get(type(value), "number")


def _shaped(value: Row, name: str) -> tuple[list[Row], str]:
    """The rows of one object, and how they were found."""
    for key, inner in value.items():
        known = key.lower() in _KEYS or (len(value) == 1 and key.lower() not in _ONE_ROW)
        if known and _all_objects(inner):
            others = [k for k in value if k != key]
            rest = f"; left out: {', '.join(others)}" if others else ""
            return inner, f"{name}: the rows under the key {key!r}{rest}."
    if {"columns", "data"} <= set(value) and _is_split(value):
        columns = [str(c) for c in value["columns"]]
        rows = [dict(zip(columns, cells, strict=True)) for cells in value["data"]]
        return rows, f"{name}: columns and data, as pandas' to_json(orient='split') writes them."
    by_key = list(value.values())
    if by_key and all(isinstance(v, dict) for v in by_key):
        return _frame(value, name)
    if _parallel(value):
        size = len(by_key[0])
        rows = [{key: cells[k] for key, cells in value.items()} for k in range(size)]
        return rows, f"{name}: one list per column."
    return [value], ""


def _all_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, dict) for v in value)


def _is_split(value: Row) -> bool:
    columns, data = value["columns"], value["data"]
    return (
        isinstance(columns, list)
        and isinstance(data, list)
        and all(isinstance(cells, list) and len(cells) == len(columns) for cells in data)
    )


def _frame(value: Mapping[str, Row], name: str) -> tuple[list[Row], str]:
    """``{column: {index: cell}}`` or ``{index: {column: cell}}``, as pandas writes both."""
    keys = list(value)
    inner = list(dict.fromkeys(k for cells in value.values() for k in cells))
    if all(map(str.isdecimal, keys)) and not all(map(str.isdecimal, inner)):
        return list(value.values()), f"{name}: one object per index."
    if inner and all(set(cells) == set(inner) for cells in value.values()):
        rows = [{column: value[column][index] for column in keys} for index in inner]
        return rows, f"{name}: one object per column, as pandas' to_json writes a table."
    if len(value) > 1 and not any(key.lower() in _ONE_ROW for key in keys):
        return list(value.values()), f"{name}: one object per key; the keys are left out."
    return [dict(value)], ""


def _parallel(value: Row) -> bool:
    """Several lists of one length, none of which holds the turns of a conversation."""
    lists: Sequence[Any] = list(value.values())
    return (
        len(lists) > 1
        and all(isinstance(v, list) for v in lists)
        and len({len(v) for v in lists}) == 1
        and not any(_all_objects(v) and {"role", "from", "content"} & set(v[0]) for v in lists)
    )
