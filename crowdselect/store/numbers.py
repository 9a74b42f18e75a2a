"""SQL for cells that should hold numbers, and the error that names the one that does not."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from crowdselect.errors import InputError
from crowdselect.plans import Cell, Column, Table
from crowdselect.reading import VERDICTS
from crowdselect.store.connect import literal, quote
from crowdselect.store.describe import is_there

ROW = "__crowdselect_row"
"""The 0-based row number that every opened table has."""


_BLOCK = 50
"""Cells per statement: the cost of one rises faster than its length."""


def cell_sql(cell: Cell) -> str:
    """Return the SQL expression of a column, or of a struct column's field."""
    column, *field = cell
    return f"struct_extract({quote(column)}, {literal(field[0])})" if field else quote(column)


def number_sql(cell: Cell, table: Table) -> str:
    """Return the SQL that reads a cell as DOUBLE; text is checked by :func:`refuse_text`.

    True and false, yes and no, pass and fail count as 1 and 0, a list of one number as that number.
    """
    column = _declared(table, cell)
    if column.kind == "number":
        return f"{cell_sql(cell)}::DOUBLE"
    if column.kind == "truth" and not column.looks_numeric:
        return _verdict(_text(cell, column))
    value = _text(cell, column)
    return f"CASE WHEN {is_there(value)} THEN {_parsed(value, column)} END"


def _text(cell: Cell, column: Column) -> str:
    value = f"trim({cell_sql(cell)}::VARCHAR)"
    if column.kind in ("list", "other"):
        one = literal(r"^\[\s*\"?([^\[\],{}\"]*)\"?\s*\]$")
        return f"trim(regexp_replace({value}, {one}, '\\1'))"
    return value


def _parsed(value: str, column: Column) -> str:
    comma = column.decimal == "comma"
    number = f"replace({value}, ',', '.')" if comma else value
    return f"coalesce(TRY_CAST({number} AS DOUBLE), {_verdict(value)})"


def _verdict(value: str) -> str:
    whens = " ".join(f"WHEN {literal(word)} THEN {counts}" for word, counts in VERDICTS.items())
    return f"CASE lower({value}) {whens} END"


def refuse_text(con: duckdb.DuckDBPyConnection, table: Table, cell: Cell) -> None:
    """Raise InputError, naming row, column and value, where text is no number."""
    column = _declared(table, cell)
    if column.kind in ("number", "truth"):
        return
    value = _text(cell, column)
    found = con.execute(
        f"SELECT {ROW}, {value} FROM scratch.{table.handle} WHERE {is_there(value)} "
        f"AND {_parsed(value, column)} IS NULL ORDER BY {ROW} LIMIT 1"
    ).fetchall()
    if found:
        position, text = found[0]
        raise InputError(
            f"{table.where(position)}, column {'.'.join(cell)!r} should hold a number; "
            f"found {text[:40]!r}.",
            _remedy(text, column),
        )


def refuse_texts(con: duckdb.DuckDBPyConnection, table: Table, cells: Sequence[Cell]) -> None:
    """Do as :func:`refuse_text` does for many cells, many in one statement."""
    open_ = [c for c in cells if _declared(table, c).kind not in ("number", "truth")]
    for first in range(0, len(open_), _BLOCK):
        block = open_[first : first + _BLOCK]
        parts = []
        for cell in block:
            column = _declared(table, cell)
            value = _text(cell, column)
            parts.append(f"bool_or({is_there(value)} AND {_parsed(value, column)} IS NULL)")
        row = con.execute(f"SELECT {', '.join(parts)} FROM scratch.{table.handle}").fetchall()[0]
        for cell, wrong in zip(block, row, strict=True):
            if wrong:
                refuse_text(con, table, cell)


def _remedy(text: str, column: Column) -> str:
    if column.decimal == "comma" or ("," in text and text.replace(",", "").strip("+-").isdigit()):
        return "Write a decimal point, as in 0.75, and no marks between thousands."
    if text.startswith("["):
        return "Write one number per answer, or one row per sampled answer."
    if text.endswith("%"):
        return "Write a number without the sign: 0.5 or 50."
    return "Correct the value or leave it empty (an empty value counts as missing)."


def _declared(table: Table, cell: Cell) -> Column:
    column = table.column(cell[0])
    for part in cell[1:]:
        column = next(c for c in column.fields if c.name == part)
    return column
