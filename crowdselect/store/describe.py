"""What the columns of an opened table look like: kinds, numbers, decimal commas, row numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crowdselect.plans import Column, ColumnKind, Decimal
from crowdselect.reading import VERDICTS
from crowdselect.store.connect import literal, quote
from crowdselect.values import FloatArray

NOT_A_NUMBER = ("", "na", "n/a", "null", "none", "-", "#n/a")
"""Texts that mean: no value here. ``nan`` is not one of them: it is a number that is missing."""

Described = list[tuple[str, Any]]
"""Name and DuckDB type of each column."""

_INTEGERS = {f"{sign}{size}int" for sign in ("", "u") for size in ("tiny", "small", "", "big")}
_FRACTIONAL = {"float", "double", "decimal"}
_NUMBERS = {*_INTEGERS, *_FRACTIONAL, "integer", "uinteger", "hugeint", "uhugeint"}
_TEXTS = {
    "uuid", "date", "time", "timestamp", "timestamp with time zone", "timestamp_ns",
    "timestamp_s", "timestamp_ms", "time with time zone", "interval",
}  # fmt: skip
_SAMPLE = 10_000
_CELLS = 2_000_000
"""At most so many cells are looked at to tell row numbers from rewards."""
_LOOKED_AT = 60
"""Characters of a text that tell whether it is a number."""
_NUMBER = r"(?i)^[+-]?(\d[\d_]*\.?\d*([e][+-]?\d+)?|\.\d+([e][+-]?\d+)?|nan|inf|infinity)$"
_FEWEST = 4
"""Below so many rows, numbers that rise by one may be anything."""
_BLOCK = 400
"""Columns per statement: the cost of one rises faster than its length."""


def is_there(value: str) -> str:
    """Return the SQL condition that a text expression holds a value at all."""
    nothing = ", ".join(map(literal, NOT_A_NUMBER))
    return f"{value} IS NOT NULL AND lower({value}) NOT IN ({nothing})"


def kind_of_type(kind: Any) -> ColumnKind:
    """Return what a DuckDB type holds, by its declaration alone."""
    name = str(kind.id)
    if str(kind) == "JSON":
        return "other"
    if name in ("varchar", "enum"):
        return "text"
    if name in _NUMBERS:
        return "number"
    if name == "boolean":
        return "truth"
    if name in ("struct", "list"):
        return "struct" if name == "struct" else "list"
    if name == "array":
        return "list"
    if name in ("null", "sqlnull"):
        return "empty"
    return "text" if name in _TEXTS else "other"


def declared(name: str, kind: Any) -> Column:
    """Describe a column by its declared type alone."""
    found = kind_of_type(kind)
    fields = tuple(declared(str(n), k) for n, k in kind.children) if found == "struct" else ()
    fractional = str(kind.id) in _FRACTIONAL
    return Column(name, found, found == "number", fractional=fractional, fields=fields)


def describe_columns(
    con: duckdb.DuckDBPyConnection, handle: str, columns: Described, *, typed: bool
) -> tuple[Column, ...]:
    """Tell each column's kind, by its declared type and by its first values.

    ``typed``: the file has types, so that text is meant as text, unless JSON mixes both.
    """
    found = [declared(name, kind) for name, kind in columns]
    mixed = {name for name, kind in columns if str(kind) == "JSON"}
    texts = [c.name for c in found if c.kind == "text" or c.name in mixed]
    seen = dict(zip(texts, _looks(con, handle, texts), strict=True))
    for k, column in enumerate(found):
        if column.name in seen:
            found[k] = seen[column.name].applied(column, typed and column.name not in mixed)
    numbers = [c.name for c in found if c.kind == "number" or c.looks_numeric]
    rising = dict(zip(numbers, _counting(con, handle, numbers), strict=True))
    return tuple(
        _with(column, counting=True) if rising.get(column.name) else column for column in found
    )


class _Look:
    """How many of a text column's first values are there, and what they are."""

    def __init__(self, counts: Sequence[int]) -> None:
        self.there, self.numbers, self.truths, self.commas, self.talks, self.nested, said = counts
        self.verdicts = said == self.there

    def applied(self, column: Column, typed: bool) -> Column:
        if not self.there:
            return _with(column, kind="empty")
        if 2 * self.nested >= self.there:
            return _with(column, kind="text", nested=True)
        if 2 * self.talks >= self.there:
            return _with(column, kind="text", dialogue=True)
        if typed:
            return _with(column, kind="text", verdicts=self.verdicts)
        if self.truths == self.there:
            return _with(column, kind="truth")
        comma = self.commas > 0 and 2 * (self.commas + self.numbers) >= self.there
        numeric = comma or self.there <= 2 * (self.numbers + self.truths)
        mark: Decimal = "comma" if comma else "point"
        return _with(
            column, kind="text", looks_numeric=numeric, decimal=mark, verdicts=self.verdicts
        )


def _with(column: Column, **changes: Any) -> Column:
    return Column(**{**column.__dict__, **changes})


def _looks(con: duckdb.DuckDBPyConnection, handle: str, names: list[str]) -> list[_Look]:
    """Look at the first texts of columns; in Arrow, as a statement's cost rises with its length."""
    if not names:
        return []
    rows = max(50, min(_SAMPLE, _CELLS // len(names)))
    columns = ", ".join(f"{quote(n)}::VARCHAR AS c{k}" for k, n in enumerate(names))
    got = con.sql(f"SELECT {columns} FROM scratch.{handle} LIMIT {rows}").to_arrow_table()
    return [_Look(_counts(got.column(k))) for k in range(len(names))]


def _counts(texts: Any) -> list[int]:
    """Count values that are there: numbers, truths, decimal commas, dialogues, nested, verdicts."""
    whole = pc.utf8_ltrim_whitespace(pc.drop_null(texts))
    short = pc.utf8_rtrim_whitespace(pc.utf8_slice_codeunits(whole, 0, _LOOKED_AT))
    there = pc.invert(pc.is_in(pc.utf8_lower(short), pa.array(NOT_A_NUMBER)))
    whole, short = whole.filter(there), short.filter(there)
    talks = whole.filter(pc.starts_with(short, "Human:"))
    found = [
        pc.match_substring_regex(short, _NUMBER),
        pc.is_in(pc.utf8_lower(short), pa.array(["true", "false"])),
        # As many digits as you like after the comma, unless all may part thousands (1,234).
        pc.and_not(
            pc.match_substring_regex(short, r"^[+-]?\d*,\d+([eE][+-]?\d+)?$"),
            pc.match_substring_regex(short, r"^[+-]?[1-9]\d{0,2}(,\d{3})+$"),
        ),
        pc.match_substring(talks, "Assistant:"),
        pc.match_substring_regex(short, r"^(\[\s*[\[{\"']|\{\s*[\"'])"),
        pc.is_in(pc.utf8_lower(short), pa.array(list(VERDICTS))),
    ]
    return [len(short), *(int(pc.sum(f).as_py() or 0) for f in found)]


def _counting(con: duckdb.DuckDBPyConnection, handle: str, names: list[str]) -> list[bool]:
    if not names:
        return []
    rows = max(50, min(_SAMPLE, _CELLS // len(names)))
    found: list[bool] = []
    for first in range(0, len(names), _BLOCK):
        block = names[first : first + _BLOCK]
        values = ", ".join(f"TRY_CAST({quote(n)} AS DOUBLE) AS c{k}" for k, n in enumerate(block))
        got = con.execute(f"SELECT {values} FROM scratch.{handle} LIMIT {rows}").fetchnumpy()
        found += [_counts_up(np.ma.filled(got[f"c{k}"], np.nan)) for k in range(len(block))]
    return found


def _counts_up(values: FloatArray) -> bool:
    """Tell whether values are whole and rise by one: row numbers, or numbers within a group."""
    there = np.asarray(values, dtype=np.float64)
    there = there[np.isfinite(there)]
    if len(there) < _FEWEST or len(there) < 0.9 * len(values) or np.any(there != np.floor(there)):
        return False
    steps = np.diff(there)
    rises, falls = steps == 1, steps < 0
    if there.max() - there.min() < 2:
        return False  # zeros and ones are verdicts
    if np.all(steps == 1) or (np.all((steps == 0) | rises) and rises.sum() >= 2):
        return True
    again = np.flatnonzero(falls) + 1  # 0, 1, 2, 0, 1, 2: each run begins where the first began
    lengths = np.diff(np.concatenate(([0], again, [len(there)])))
    return bool(
        np.all(rises | falls)
        and np.all(there[again] == there[0])
        and there[0] in (0, 1)
        and len(set(lengths.tolist())) == 1
    )
