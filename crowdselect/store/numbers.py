"""SQL for cells that should hold numbers, and the error that names the one that does not."""

from __future__ import annotations

import duckdb

from crowdselect.errors import InputError
from crowdselect.plans import Cell, ColumnKind, Table
from crowdselect.store.connect import literal, quote
from crowdselect.store.inputs import ROW, is_there


def cell_sql(cell: Cell) -> str:
    """Return the SQL expression of a column, or of a struct column's field."""
    column, *field = cell
    return f"struct_extract({quote(column)}, {literal(field[0])})" if field else quote(column)


def number_sql(cell: Cell, table: Table) -> str:
    """Return the SQL that reads a cell as DOUBLE; text is checked by :func:`refuse_text`."""
    if _declared(table, cell) == "number":
        return f"{cell_sql(cell)}::DOUBLE"
    value = f"trim({cell_sql(cell)}::VARCHAR)"
    return f"CASE WHEN {is_there(value)} THEN TRY_CAST({value} AS DOUBLE) END"


def refuse_text(con: duckdb.DuckDBPyConnection, table: Table, cell: Cell) -> None:
    """Raise InputError, naming row, column and value, where text is no number."""
    if _declared(table, cell) == "number":
        return
    value = f"trim({cell_sql(cell)}::VARCHAR)"
    found = con.execute(
        f"SELECT {ROW}, {value} FROM scratch.{table.handle} WHERE {is_there(value)} "
        f"AND TRY_CAST({value} AS DOUBLE) IS NULL ORDER BY {ROW} LIMIT 1"
    ).fetchall()
    if found:
        position, text = found[0]
        raise InputError(
            f"{table.where(position)}, column {'.'.join(cell)!r} should hold a number; "
            f"found {text[:40]!r}.",
            "Correct the value or leave it empty (an empty value counts as missing).",
        )


def _declared(table: Table, cell: Cell) -> ColumnKind:
    columns = table.columns
    kind: ColumnKind = "other"
    for part in cell:
        column = next(c for c in columns if c.name == part)
        kind, columns = column.kind, column.fields
    return kind
