"""CSV, TSV and their kin: the layout by the header, and every cell as the text it is."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from crowdselect.errors import InputError
from crowdselect.reading.decoding import Lines, replaced_remark
from crowdselect.reading.opening import MOST_BYTES, MOST_COLUMNS, open_bytes

_QUOTED = re.compile(r'"[^"]*"')
_TOLD = re.compile(r"sep=(.)\s*", re.IGNORECASE)
_LONGEST_CELL = 1 << 30
_HEADER_LINES = 100


@dataclass(frozen=True)
class CsvLayout:
    """How a file of delimited text is written, as its first lines show."""

    delimiter: str
    columns: tuple[str, ...]
    """The header, without blanks around the names; a column may have no name."""
    header_line: int = 1
    """Line of the header, from 1: Excel's ``sep=;`` and empty lines come before it."""
    blank_after_delimiter: bool = False
    """``a, b, c``: the blank is no part of the cell."""
    backslash: bool = False
    r"""A quote inside of quotes is written ``\"`` and not ``""``."""


def csv_layout(path: Path, encoding: str | None = None) -> CsvLayout:
    """Read the layout of a file from its first lines; quotes by backslash are not looked for.

    Of comma, tab, semicolon and bar the commonest in the header parts the columns.
    Raises InputError for a file without header, and see :func:`open_bytes`.
    """
    with open_bytes(path, 1 << 60) as handle:
        lines = itertools.islice(Lines(handle, path, encoding, newline=""), _HEADER_LINES)
        return _layout(list(lines), path.name)


def read_delimited(
    path: Path, encoding: str | None = None, limit: int = MOST_BYTES
) -> tuple[list[dict[str, str]], list[str]]:
    """Rows of a file of delimited text, each cell as text, and remarks on how they were read.

    Raises
    ------
    InputError
        For a row with more or fewer cells than the header, a quote that is not closed, or a name
        that two columns have: with the line.
    """
    with open_bytes(path, limit) as handle:
        source = Lines(handle, path, encoding, newline="")
        lines = list(source)
    name = path.name
    remarks = replaced_remark(name, source.replaced)
    layout = _layout(lines[:_HEADER_LINES], name)
    try:
        cells = _rows(lines, layout, name)
    except InputError:
        if not any('\\"' in line for line in lines):
            raise
        cells = _by_backslash(lines, layout, name)
        remarks.append(f"{name}: quotes inside of cells are written with a backslash.")
    if layout.delimiter not in ",\t":
        remarks.append(f"{name}: {layout.delimiter!r} parts the columns.")
    keep, left_out = _named_columns(layout, cells, name)
    return [{column: row[k] for k, column in keep} for row in cells], remarks + left_out


def _by_backslash(lines: list[str], layout: CsvLayout, name: str) -> list[list[str]]:
    """Read once more, quotes by backslash; the first complaint stands where that fails too."""
    return _rows(lines, replace(layout, backslash=True), name)


def _layout(lines: list[str], name: str) -> CsvLayout:
    place = next((k for k, line in enumerate(lines) if line.strip()), None)
    if place is None:
        raise InputError(f"{name} has no header.", "Its first line must name the columns.")
    told = _TOLD.fullmatch(lines[place].rstrip("\r\n"))
    if told:
        place += 1
    header = lines[place] if place < len(lines) else ""
    bare = _QUOTED.sub("", header)
    delimiter = told[1] if told else max(",\t;|", key=bare.count)
    parts = bare.rstrip("\r\n").split(delimiter)[1:]
    blank = bool(parts) and delimiter != "\t" and all(p.startswith(" ") for p in parts)
    layout = CsvLayout(delimiter, (), place + 1, blank)
    first = next(_parse(lines[place:], layout, name), (0, []))[1]
    columns = tuple(column.strip() for column in first)
    if not any(columns):
        raise InputError(f"{name} has no header.", "Its first line must name the columns.")
    if len(columns) > MOST_COLUMNS:
        raise InputError(
            f"{name} has {len(columns):,} columns; at most {MOST_COLUMNS:,} are read.",
            "Leave out the columns that are not needed.",
        )
    return replace(layout, columns=columns)


def _parse(lines: Iterable[str], layout: CsvLayout, name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (last line, cells) of each record that is not empty."""
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(
        lines,
        delimiter=layout.delimiter,
        doublequote=not layout.backslash,
        escapechar="\\" if layout.backslash else None,
        skipinitialspace=layout.blank_after_delimiter,
        strict=True,
    )
    try:
        for cells in reader:
            if cells:
                yield layout.header_line + reader.line_num - 1, cells
    except csv.Error as error:
        line = layout.header_line + reader.line_num - 1
        raise InputError(
            f"{name}, line {line:,}: {error}.",
            'Quote cells with ", and write a quote inside of them twice.',
        ) from error


def _rows(lines: list[str], layout: CsvLayout, name: str) -> list[list[str]]:
    found = []
    records = _parse(lines[layout.header_line - 1 :], layout, name)
    next(records, None)
    width = len(layout.columns)
    for line, cells in records:
        if len(cells) != width:
            raise InputError(
                f"{name}, line {line:,} has {len(cells):,} cells, but the header names {width:,}.",
                f"Columns are parted by {layout.delimiter!r}; quote cells that hold it.",
            )
        found.append(cells)
    return found


def _named_columns(
    layout: CsvLayout, cells: list[list[str]], name: str
) -> tuple[list[tuple[int, str]], list[str]]:
    """The columns with a name and their places; an index without a name is left out."""
    keep = [(k, column) for k, column in enumerate(layout.columns) if column]
    names = [column for _, column in keep]
    twice = next((n for n in names if names.count(n) > 1), None) if (
        len(set(names)) < len(names)
    ) else None  # fmt: skip
    if twice is not None:
        raise InputError(
            f"{name}, line {layout.header_line}: two columns are called {twice!r:.80}.",
            "Give every column a name of its own.",
        )
    nameless = [k for k, column in enumerate(layout.columns) if not column]
    filled = [k for k in nameless if any(row[k].strip() for row in cells)]
    if any(k > 0 for k in filled):
        raise InputError(
            f"{name}, line {layout.header_line}: column {filled[-1] + 1} has no name.",
            "Give every column a name of its own.",
        )
    return keep, [f"{name}: its first column has no name and is left out."] if filled else []
