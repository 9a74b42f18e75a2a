"""Open files as tables with a row number, ready for a plan."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from crowdselect import reading
from crowdselect.errors import InputError
from crowdselect.plans import ORIGIN, Column, Table
from crowdselect.progress import Progress, silent
from crowdselect.store.connect import file_list, quote, readable, run_polled
from crowdselect.store.describe import Described, declared, describe_columns, kind_of_type
from crowdselect.store.numbers import ROW
from crowdselect.store.parquetfiles import check_parquet
from crowdselect.store.textfiles import (
    Readable,
    check_names,
    keys_sql,
    mended,
    prepare,
    sql_of,
)

_FORMATS = {
    "parquet": "parquet",
    "arrow": "parquet",
    "delimited": "csv",
    "lines": "json",
    "document": "json",
}
_SAMPLE = 10_000
_BATCH = 2_000
_RENAMED = re.compile(r"(.+)_\d+")


class Inputs:
    """The input tables of one crowd that is being built."""

    def __init__(self, con: duckdb.DuckDBPyConnection, scratch: Path) -> None:
        self._con = con
        self._scratch = scratch
        self._count = 0
        self._ready: dict[Path, Readable] = {}
        self.remarks: list[str] = []
        """What a person should know about how the files were read."""

    def peek(self, path: Path, *, encoding: str = "utf-8") -> tuple[Column, ...]:
        """Return the columns of a file as it declares them, without looking at the values."""
        source = self._prepared(path, encoding)
        if source.format == "csv":
            assert source.layout is not None
            return tuple(Column(c, "text") for c in source.layout.columns)
        source, found = self._described(source, _SAMPLE)
        return tuple(declared(name, kind) for name, kind in found)

    def open_files(
        self,
        paths: Sequence[Path],
        *,
        encoding: str = "utf-8",
        same: Mapping[str, str] | None = None,
        progress: Progress = silent,
    ) -> Table:
        """Open files of one layout as one table; text files are copied into the scratch file.

        ``same``: column -> the column that it is part of, where files call one thing differently.

        Raises
        ------
        InputError
            For a file that is missing, truncated, malformed or in another encoding: it names the
            file and, where there is one, the line.
        """
        sources = [self._prepared(path, encoding) for path in paths]
        formats = {_FORMATS[reading.kind_of(path)] for path in paths}
        if len(formats) != 1:
            raise InputError(
                f"The files are of several formats: {', '.join(sorted(formats))}.",
                "Convert them to one format, Parquet by preference.",
            )
        names = tuple(s.name for s in sources)
        label = names[0] + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")
        try:
            if formats == {"parquet"}:
                return self._open_parquet(sources, names, same or {})
            return self._open_text(sources, names, same or {}, progress)
        except duckdb.Error as error:
            raise readable(error, label, ours=False) from error

    def open_records(
        self,
        label: str,
        batches: Iterator[pa.Table],
        *,
        origin: Table | None = None,
        progress: Progress = silent,
    ) -> Table:
        """Take pyarrow tables as one table; later ones may bring columns of their own.

        ``label`` names them in errors, unless they were made from the table ``origin``.
        """
        handle, rows = self._new_handle(), 0
        known: set[str] = set()
        positions: list[np.ndarray] = []
        for given in batches:
            batch = given
            if origin is not None:
                positions.append(given.column(ORIGIN).to_numpy())
                batch = given.drop_columns([ORIGIN])
            self._con.register("incoming", batch)
            if rows == 0:
                self._con.execute(f"CREATE TABLE scratch.{handle}_data AS FROM incoming LIMIT 0")
                known = set(batch.column_names)
            for name in (n for n in batch.column_names if n not in known):
                kind = self._con.sql(f"SELECT {quote(name)} FROM incoming LIMIT 0").types[0]
                self._con.execute(
                    f"ALTER TABLE scratch.{handle}_data ADD COLUMN {quote(name)} {kind}"
                )
                known.add(name)
            self._con.execute(f"INSERT INTO scratch.{handle}_data BY NAME FROM incoming")
            self._con.unregister("incoming")
            rows += batch.num_rows
            progress(rows, None, f"reading {label}")
        if rows == 0:
            raise InputError(f"{label} holds no rows.", "Give a source that holds data.")
        columns = self._describe(f"scratch.{handle}_data")
        self._number_rows(handle, columns, {})
        found = describe_columns(self._con, handle, columns, typed=True)
        made = None if origin is None else (origin, np.concatenate(positions).tolist())
        files = (label,) if origin is None else origin.files
        return Table(handle, files, (0,) * len(files), rows, found, made)

    def rows(self, table: Table) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield (position, row): lists and objects as such, also where they were text."""
        nested = [
            c.name for c in table.columns if c.nested or c.kind in ("list", "struct", "other")
        ]
        cursor = self._con.cursor()
        replaced = 0
        found = cursor.sql(f"SELECT * FROM scratch.{table.handle} ORDER BY {ROW}")
        for batch in found.to_arrow_reader(_BATCH):
            for row in batch.to_pylist():
                position = row.pop(ROW)
                for name in nested:
                    if isinstance(row[name], str):
                        row[name], halves = _unpacked(row[name])
                        replaced += halves
                yield position, row
        self.remarks += [
            r for r in reading.replaced_remark(table.label, replaced) if r not in self.remarks
        ]

    def varying(self, table: Table, by: str, columns: Sequence[str]) -> frozenset[str]:
        """Return the columns that differ between rows with the same value of ``by``."""
        if not columns:
            return frozenset()
        inner = ", ".join(
            f"min({quote(c)}) IS DISTINCT FROM max({quote(c)}) AS c{k}"
            for k, c in enumerate(columns)
        )
        outer = ", ".join(f"bool_or(c{k})" for k in range(len(columns)))
        row = self._con.execute(
            f"SELECT {outer} FROM (SELECT {inner} FROM scratch.{table.handle} GROUP BY {quote(by)})"
        ).fetchall()[0]
        return frozenset(c for c, varies in zip(columns, row, strict=True) if varies)

    # ------------------------------------------------------------------ files

    def _prepared(self, path: Path, encoding: str) -> Readable:
        if path not in self._ready:
            if not path.is_file():
                raise InputError(f"There is no file {path}.", "Check the path.")
            source = prepare(path, encoding, self._scratch)
            if source.format == "parquet":
                check_parquet(source.path, source.name)
            if source.longest == 0:
                source = mended(source, self._scratch)
            self.remarks += source.remarks
            self._ready[path] = source
        return self._ready[path]

    def _mended(self, source: Readable) -> Readable:
        better = mended(source, self._scratch)
        self._ready = {p: better if s is source else s for p, s in self._ready.items()}
        self.remarks += better.remarks[len(source.remarks) :]
        return better

    def _described(self, source: Readable, sample: int = -1) -> tuple[Readable, Described]:
        try:
            found = self._describe(sql_of(source, sample=sample))
        except duckdb.Error as error:
            if source.format == "parquet":
                raise readable(error, source.name, ours=False) from error
            source = self._mended(source)
            found = self._describe(sql_of(source, sample=sample))
        if source.format == "json":
            self._check_keys(source, [name for name, _ in found])
        return source, found

    def _check_keys(self, source: Readable, names: list[str]) -> None:
        """DuckDB renames the second of two keys that differ by capitals: find them."""
        lower = {n.lower() for n in names}
        renamed = [m[1].lower() for n in names if (m := _RENAMED.fullmatch(n))]
        if lower.intersection(renamed):
            keys = self._con.execute(keys_sql(source)).fetchall()
            check_names(sorted(k for (k,) in keys), source.name)

    def _describe(self, relation: str) -> Described:
        found = self._con.sql(f"FROM {relation} LIMIT 0")
        return list(zip(found.columns, found.types, strict=True))

    def _new_handle(self) -> str:
        self._count += 1
        return f"input_{self._count}"

    def _open_parquet(
        self, sources: Sequence[Readable], names: tuple[str, ...], same: Mapping[str, str]
    ) -> Table:
        paths = [s.path for s in sources]
        reader = f"read_parquet({file_list(paths)}, union_by_name = true)"
        columns = self._describe(reader)
        counts = self._con.execute(
            f"SELECT num_rows FROM parquet_file_metadata({file_list(paths)})"
        ).fetchall()
        starts = (0, *accumulate(int(n) for (n,) in counts))
        handle = self._new_handle()
        offsets = "[" + ", ".join(map(str, starts[:-1])) + "]"
        self._con.execute(
            f"CREATE VIEW scratch.{handle} AS SELECT {offsets}[file_index::BIGINT + 1] "
            f"+ file_row_number AS {ROW}, {_selected(columns, same)} FROM {reader}"
        )
        columns = [(n, k) for n, k in columns if n not in same]
        found = describe_columns(self._con, handle, columns, typed=True)
        return Table(handle, names, starts[:-1], starts[-1], found)

    def _open_text(
        self,
        sources: Sequence[Readable],
        names: tuple[str, ...],
        same: Mapping[str, str],
        progress: Progress,
    ) -> Table:
        """Copy text files into the scratch file, in order, every value as text."""
        handle = self._new_handle()
        typed = all(s.typed for s in sources)
        described = [self._described(source) for source in sources]
        columns = _united([found for _, found in described])
        declared_as = ", ".join(f"{quote(name)} VARCHAR" for name, _ in columns)
        self._con.execute(f"CREATE TABLE scratch.{handle}_data ({declared_as})")
        starts, rows = [], 0
        self._con.execute("SET preserve_insertion_order = true")
        for k, (source, found) in enumerate(described):
            starts.append(rows)
            self._copy(handle, source, found, partial(progress, k, len(sources)))
            (rows,) = self._con.execute(f"SELECT count(*) FROM scratch.{handle}_data").fetchall()[0]
        self._con.execute("SET preserve_insertion_order = false")
        self._number_rows(handle, columns, same)
        columns = [(n, k) for n, k in columns if n not in same]
        looks = describe_columns(self._con, handle, columns, typed=typed)
        return Table(handle, names, tuple(starts), rows, looks)

    def _copy(
        self, handle: str, source: Readable, found: Described, progress: Any, *, last: bool = False
    ) -> None:
        reader = sql_of(source, [name for name, _ in found])
        sql = f"INSERT INTO scratch.{handle}_data BY NAME SELECT * FROM {reader}"
        try:
            run_polled(self._con, sql, partial(progress, f"copying {source.name}"))
        except duckdb.Error:
            if last:
                raise
            self._copy(handle, self._mended(source), found, progress, last=True)

    def _number_rows(self, handle: str, columns: Described, same: Mapping[str, str]) -> None:
        self._con.execute(
            f"CREATE VIEW scratch.{handle} AS SELECT rowid AS {ROW}, {_selected(columns, same)} "
            f"FROM scratch.{handle}_data"
        )


def _united(described: Sequence[Described]) -> Described:
    """Columns of several files by name; of two types that differ neither is believed."""
    found: dict[str, tuple[str, Any]] = {}
    for name, kind in (column for columns in described for column in columns):
        known = found.setdefault(name.lower(), (name, kind))[1]
        if kind_of_type(known) == "empty":
            found[name.lower()] = (found[name.lower()][0], kind)
        elif kind_of_type(kind) not in ("empty", kind_of_type(known)):
            found[name.lower()] = (found[name.lower()][0], duckdb.type("JSON"))
    return list(found.values())


def _selected(columns: Described, same: Mapping[str, str]) -> str:
    parts: dict[str, list[str]] = {name: [name] for name, _ in columns if name not in same}
    for name, whole in same.items():
        parts[whole].append(name)
    return ", ".join(
        quote(name)
        if len(members) == 1
        else f"coalesce({', '.join(map(quote, members))}) AS {quote(name)}"
        for name, members in parts.items()
    )


def _unpacked(text: str) -> tuple[Any, int]:
    """Lists and objects that were written as text: JSON, or as Python prints them.

    And how many halves of characters were replaced in them.
    """
    stripped = text.strip()
    if not stripped.startswith(("[", "{", '"')):
        return text, 0
    mended, halves = reading.without_lone_escapes(stripped)
    try:
        return json.loads(mended), halves
    except (ValueError, RecursionError):
        pass
    try:
        found = ast.literal_eval(mended)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return text, 0
    return (found, halves) if isinstance(found, list | dict) else (text, 0)
