"""Open Parquet, CSV and JSONL files as tables with a row number, ready for a plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from crowdselect.errors import InputError
from crowdselect.plans import Column, Table
from crowdselect.progress import Progress, silent
from crowdselect.store.connect import file_list, literal, quote, readable, run_polled
from crowdselect.store.diagnose import check_lines, csv_layout, utf8_copy

ROW = "__crowdselect_row"
"""The 0-based row number that every opened table has."""

NOT_A_NUMBER = ("", "na", "n/a", "null", "none", "-", "#n/a")
"""Texts that mean: no value here. ``nan`` is not one of them: it is a number that is missing."""

_FORMATS = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "json",
    ".ndjson": "json",
    ".json": "json",
}
_UTF8 = ("utf-8", "utf8")
_INTEGERS = {f"{sign}{size}int" for sign in ("", "u") for size in ("tiny", "small", "", "big")}
_FRACTIONAL = {"float", "double", "decimal"}
_NUMBERS = {*_INTEGERS, *_FRACTIONAL, "integer", "uinteger", "hugeint", "uhugeint"}
_TEXTS = {"uuid", "boolean", "date", "time", "timestamp", "timestamp with time zone"}
_SAMPLE = 10_000

_Described = list[tuple[str, Any]]
"""Name and DuckDB type of each column."""


def format_of(path: Path) -> str:
    """Return ``parquet``, ``csv`` or ``json`` by the file's name (``.gz`` allowed for text)."""
    suffixes = [s.lower() for s in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    kind = _FORMATS.get(suffixes[-1] if suffixes else "")
    if kind is None:
        raise InputError(
            f"{path.name} is not a kind of file that can be read.",
            "Give .parquet, .csv, .tsv, .jsonl, .ndjson or .json (the text ones also as .gz).",
        )
    return kind


class Inputs:
    """The input tables of one crowd that is being built."""

    def __init__(self, con: duckdb.DuckDBPyConnection, scratch: Path) -> None:
        self._con = con
        self._scratch = scratch
        self._count = 0
        self._copies: dict[Path, Path] = {}

    def peek(self, path: Path, *, encoding: str = "utf-8") -> tuple[Column, ...]:
        """Return the columns of a file as it declares them, without looking at the values."""
        (copy,) = self._as_utf8([path], encoding)
        try:
            found = self._describe(_reader([copy], sample=_SAMPLE))
            return tuple(_column(name, kind, None) for name, kind in found)
        except duckdb.Error as error:
            if format_of(path) != "parquet":
                check_lines(copy, path.name)
            raise readable(error, path.name, ours=False) from error

    def open_files(
        self, paths: Sequence[Path], *, encoding: str = "utf-8", progress: Progress = silent
    ) -> Table:
        """Open files of one layout as one table; text files are copied into the scratch file.

        Raises
        ------
        InputError
            For a file that is missing, truncated, malformed or in another encoding: it names the
            file and, where there is one, the line.
        """
        formats = {format_of(p) for p in paths}
        if len(formats) != 1:
            raise InputError(
                f"The files are of several formats: {', '.join(sorted(formats))}.",
                "Convert them to one format, Parquet by preference.",
            )
        names = tuple(p.name for p in paths)
        label = names[0] + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")
        copies = self._as_utf8(paths, encoding)
        try:
            if formats == {"parquet"}:
                return self._open_parquet(copies, names)
            return self._open_text(copies, names, progress)
        except duckdb.Error as error:
            if formats != {"parquet"}:
                for copy, name in zip(copies, names, strict=True):
                    check_lines(copy, name)  # slow, but it names the very line
            raise readable(error, label, ours=False) from error

    def open_records(
        self, label: str, batches: Iterator[pa.Table], *, progress: Progress = silent
    ) -> Table:
        """Take pyarrow tables of one layout as one table; ``label`` names them in errors."""
        handle, rows = self._new_handle(), 0
        for batch in batches:
            self._con.register("incoming", batch)
            if rows == 0:
                self._con.execute(f"CREATE TABLE scratch.{handle}_data AS FROM incoming LIMIT 0")
            self._con.execute(f"INSERT INTO scratch.{handle}_data BY NAME FROM incoming")
            self._con.unregister("incoming")
            rows += batch.num_rows
            progress(rows, None, f"reading {label}")
        if rows == 0:
            raise InputError(f"{label} holds no rows.", "Give a source that holds data.")
        columns = self._describe(f"scratch.{handle}_data")
        self._number_rows(handle, columns)
        return Table(handle, (label,), (0,), rows, self._columns(handle, columns, typed=True))

    def _as_utf8(self, paths: Sequence[Path], encoding: str) -> list[Path]:
        for path in paths:
            if not path.is_file():
                raise InputError(f"There is no file {path}.", "Check the path.")
            format_of(path)
        if format_of(paths[0]) == "parquet" or encoding.lower().replace("_", "-") in _UTF8:
            return list(paths)
        for path in paths:
            if path not in self._copies:
                self._copies[path] = utf8_copy(path, encoding, self._scratch)
        return [self._copies[path] for path in paths]

    def _describe(self, relation: str) -> _Described:
        found = self._con.sql(f"FROM {relation} LIMIT 0")
        return list(zip(found.columns, found.types, strict=True))

    def _describe_text(self, paths: Sequence[Path]) -> _Described:
        if format_of(paths[0]) == "json":
            return self._describe(_reader(paths))
        found = [column for path in paths for column in self._describe(_reader([path]))]
        return list({name.lower(): (name, kind) for name, kind in reversed(found)}.values())[::-1]

    def _new_handle(self) -> str:
        self._count += 1
        return f"input_{self._count}"

    def _open_parquet(self, paths: Sequence[Path], names: tuple[str, ...]) -> Table:
        reader = _reader(paths)
        columns = self._describe(reader)
        counts = self._con.execute(
            f"SELECT num_rows FROM parquet_file_metadata({file_list(paths)})"
        ).fetchall()
        starts = (0, *accumulate(int(n) for (n,) in counts))
        handle = self._new_handle()
        offsets = "[" + ", ".join(map(str, starts[:-1])) + "]"
        self._con.execute(
            f"CREATE VIEW scratch.{handle} AS SELECT {offsets}[file_index::BIGINT + 1] "
            f"+ file_row_number AS {ROW}, {_names(columns)} FROM {reader}"
        )
        found = self._columns(handle, columns, typed=True)
        return Table(handle, names, starts[:-1], starts[-1], found)

    def _open_text(
        self, paths: Sequence[Path], names: tuple[str, ...], progress: Progress
    ) -> Table:
        """Copy text files into the scratch file, in order, every value as text."""
        handle = self._new_handle()
        columns = self._describe_text(paths)
        declared = ", ".join(f"{quote(name)} VARCHAR" for name, _ in columns)
        self._con.execute(f"CREATE TABLE scratch.{handle}_data ({declared})")
        starts, rows = [], 0
        self._con.execute("SET preserve_insertion_order = true")
        for k, (path, file) in enumerate(zip(paths, names, strict=True)):
            starts.append(rows)
            reader = _reader([path], [name for name, _ in columns])
            run_polled(
                self._con,
                f"INSERT INTO scratch.{handle}_data BY NAME SELECT * FROM {reader}",
                partial(progress, k, len(paths), f"copying {file}"),
            )
            (rows,) = self._con.execute(f"SELECT count(*) FROM scratch.{handle}_data").fetchall()[0]
        self._con.execute("SET preserve_insertion_order = false")
        self._number_rows(handle, columns)
        found = self._columns(handle, columns, typed=format_of(paths[0]) != "csv")
        return Table(handle, names, tuple(starts), rows, found)

    def _number_rows(self, handle: str, columns: _Described) -> None:
        self._con.execute(
            f"CREATE VIEW scratch.{handle} AS SELECT rowid AS {ROW}, {_names(columns)} "
            f"FROM scratch.{handle}_data"
        )

    def _columns(self, handle: str, columns: _Described, *, typed: bool) -> tuple[Column, ...]:
        """Tell each column's kind, by its declared type and by its first values."""
        texts = [name for name, kind in columns if kind.id in ("varchar", "enum")]
        seen = self._number_shares(handle, texts)
        return tuple(_column(name, kind, seen.get(name), typed) for name, kind in columns)

    def _number_shares(self, handle: str, names: list[str]) -> dict[str, tuple[int, int]]:
        """Return, per text column, how many of the first values are there, and are numbers."""
        if not names:
            return {}
        parts = []
        for name in names:
            value = f"trim({quote(name)}::VARCHAR)"
            parts.append(f"count(*) FILTER ({is_there(value)})")
            parts.append(f"count(TRY_CAST({value} AS DOUBLE)) FILTER ({is_there(value)})")
        row = self._con.execute(
            f"SELECT {', '.join(parts)} FROM (FROM scratch.{handle} LIMIT {_SAMPLE})"
        ).fetchall()[0]
        return {name: (row[2 * k], row[2 * k + 1]) for k, name in enumerate(names)}


def is_there(value: str) -> str:
    """Return the SQL condition that a text expression holds a value at all."""
    nothing = ", ".join(map(literal, NOT_A_NUMBER))
    return f"{value} IS NOT NULL AND lower({value}) NOT IN ({nothing})"


def _names(columns: _Described) -> str:
    return ", ".join(quote(name) for name, _ in columns)


def _reader(paths: Sequence[Path], columns: Sequence[str] | None = None, sample: int = -1) -> str:
    """Return the SQL table function that reads files of one format (of CSV: one file).

    ``columns`` None: those that the first ``sample`` JSON objects have (-1: all of them).
    """
    kind, files = format_of(paths[0]), file_list(paths)
    if kind == "parquet":
        return f"read_parquet({files}, union_by_name = true)"
    if kind == "csv":
        # Told everything: DuckDB's own guess fails on one short line without naming it.
        layout = csv_layout(paths[0])
        return (
            f"read_csv({files}, auto_detect = false, header = true, quote = '\"', escape = '\"', "
            f"delim = {literal(layout.delimiter)}, columns = {_all_text(layout.columns)}, "
            "max_line_size = 16000000, buffer_size = 32000000)"
        )
    common = (
        f"read_json({files}, format = 'auto', records = 'true', maximum_object_size = 256000000"
    )
    if columns is None:
        return (
            f"{common}, union_by_name = true, sample_size = {sample}, maximum_depth = 2, "
            "convert_strings_to_integers = false)"
        )
    return f"{common}, columns = {_all_text(columns)})"


def _all_text(columns: Sequence[str]) -> str:
    return "{" + ", ".join(f"{literal(name)}: 'VARCHAR'" for name in columns) + "}"


def _column(name: str, kind: Any, seen: tuple[int, int] | None, typed: bool = False) -> Column:
    """Describe a column; ``seen``: how many texts are there, and how many of them are numbers.

    Where the file has types (``typed``), text is meant as text, unless JSON mixes both.
    """
    if kind.id in ("varchar", "enum"):
        there, numbers = seen or (1, 0)
        free = not typed or str(kind) == "JSON"
        return Column(name, "text" if there else "empty", free and 0 < there <= 2 * numbers)
    if kind.id in _NUMBERS:
        return Column(name, "number", True, fractional=kind.id in _FRACTIONAL)
    if kind.id == "struct":
        return Column(name, "struct", fields=tuple(_column(n, k, None) for n, k in kind.children))
    if kind.id in ("null", "sqlnull"):
        return Column(name, "empty")
    return Column(name, "text" if kind.id in _TEXTS else "other")
