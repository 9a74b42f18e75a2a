"""A person's text file -> one that DuckDB reads as it is: itself, or a clean copy of it.

Most files are read where they lie. What DuckDB does not read (UTF-16, half an emoji, quotes
escaped by a backslash, JSON in other shapes than rows) is copied by ``crowdselect.reading``, which
also names the line of what nobody can read.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from crowdselect import reading
from crowdselect.errors import InputError
from crowdselect.plans import NAMELESS
from crowdselect.store.connect import file_list, literal

Format = Literal["parquet", "csv", "json"]

_CHUNK = 1 << 23
_LINE, _LONGEST = 16_000_000, 256_000_000
"""The longest line of a CSV file that needs no look, and that DuckDB gets to read."""
_OBJECT = 256_000_000


@dataclass(frozen=True)
class Readable:
    """A file as DuckDB can read it."""

    path: Path
    name: str
    """The person's name for it, for messages."""
    format: Format
    typed: bool = True
    """Whether its values have types; of CSV every cell is text."""
    layout: reading.CsvLayout | None = None
    array: bool = False
    """JSON: one list of objects, not an object per line."""
    longest: int = _LINE
    remarks: tuple[str, ...] = ()


def prepare(path: Path, encoding: str, scratch: Path) -> Readable:
    """Look at a file's beginning and return how to read it, copied into ``scratch`` if need be.

    Raises InputError for what is no readable file, and for columns of one name.
    """
    kind = reading.kind_of(path)
    if kind == "parquet":
        return Readable(path, path.name, "parquet")
    if kind == "arrow":
        return Readable(_parquet_copy(path, scratch), path.name, "parquet")
    with reading.open_bytes(path, 1 << 60) as handle:
        head = handle.peek(4096)[:4096]  # type: ignore[attr-defined]
        packed = path.open("rb").read(2) == b"\x1f\x8b"
    codec = reading.encoding_of(head, encoding, path.name)
    source, remarks = path, []
    plain = codec in ("utf-8", "utf-8-sig")
    if not plain or packed != (path.suffix.lower() == ".gz"):
        source = _free(scratch, path, ".csv" if kind == "delimited" else ".jsonl")
        text = reading.utf8_copy(path, source, encoding, json=kind != "delimited")
        remarks = reading.replaced_remark(path.name, text.replaced)
        head = source.open("rb").read(4096)
    if kind == "delimited":
        return _prepared_csv(source, path.name, tuple(remarks))
    start = head.decode("utf-8", "ignore").removeprefix("\ufeff").lstrip()
    if not start:
        raise InputError(f"{path.name} holds no rows.", "Give a file that holds data.")
    found = Readable(source, path.name, "json", array=start[0] == "[", remarks=tuple(remarks))
    if kind == "document" and start[0] == "{" and not _is_lines(source):
        return _copied_rows(found, scratch, *reading.read_document(source))
    return found


def mended(source: Readable, scratch: Path) -> Readable:
    """Return a copy of a text file that DuckDB could not read, made by the exact reader.

    Raises InputError naming the line of what cannot be read at all.
    """
    if source.format == "csv":
        assert source.layout is not None
        cells, remarks = _named(reading.read_delimited, source)
        return replace(_copied_rows(source, scratch, cells, remarks), typed=False)
    read = reading.read_document if source.array else reading.read_lines
    rows, remarks = _named(read, source)
    return _copied_rows(source, scratch, rows, remarks)


def sql_of(source: Readable, columns: Iterable[str] | None = None, sample: int = -1) -> str:
    """Return the SQL table function that reads one file.

    ``columns`` None: for JSON those that the first ``sample`` objects have (-1: all of them).
    """
    file = file_list([source.path])
    if source.format == "parquet":
        return f"read_parquet({file})"
    if source.format == "csv":
        layout = source.layout
        assert layout is not None
        # Told everything: DuckDB's own guess fails on one short line without naming it.
        escape = "\\" if layout.backslash else '"'
        return (
            f"read_csv({file}, auto_detect = false, header = true, quote = '\"', "
            f"escape = {literal(escape)}, delim = {literal(layout.delimiter)}, "
            f"skip = {layout.header_line - 1}, columns = {_all_text(layout.columns)}, "
            f"max_line_size = {source.longest}, buffer_size = {2 * source.longest})"
        )
    form = "array" if source.array else "newline_delimited"
    common = (
        f"read_json({file}, format = '{form}', records = 'true', maximum_object_size = {_OBJECT}"
    )
    if columns is None:
        return (
            f"{common}, union_by_name = true, sample_size = {sample}, maximum_depth = 2, "
            "convert_strings_to_integers = false)"
        )
    return f"{common}, columns = {_all_text(columns)})"


def keys_sql(source: Readable) -> str:
    """Return the SQL that lists every key of a JSON file's objects once."""
    form = "array" if source.array else "newline_delimited"
    file = file_list([source.path])
    return (
        f"SELECT DISTINCT unnest(json_keys(json)) FROM read_json_objects({file}, "
        f"format = '{form}', maximum_object_size = {_OBJECT})"
    )


def _all_text(columns: Iterable[str]) -> str:
    return "{" + ", ".join(f"{literal(name)}: 'VARCHAR'" for name in columns) + "}"


def _prepared_csv(path: Path, name: str, remarks: tuple[str, ...]) -> Readable:
    layout = reading.csv_layout(path, "utf-8")
    names = [c or f"{NAMELESS}{k}" for k, c in enumerate(layout.columns)]
    check_names(names, f"{name}, line {layout.header_line}")
    longest = _longest_line(path)
    found = Readable(path, name, "csv", False, replace(layout, columns=tuple(names)))
    if longest > _LONGEST or layout.blank_after_delimiter:
        return replace(found, format="csv", longest=0, remarks=remarks)  # for the exact reader
    return replace(found, longest=max(_LINE, 2 * longest), remarks=remarks)


def check_names(names: list[str], where: str) -> None:
    """Raise InputError where two columns have one name, or names that differ by capitals only."""
    first: dict[str, str] = {}
    for name in names:
        other = first.get(name.lower())
        first[name.lower()] = name
        if other is None:
            continue
        raise InputError(
            f"{where}: two columns are called {name!r}."
            if other == name
            else f"{where}: two columns differ only in capital letters: {other!r} and {name!r}.",
            "Give every column a name of its own; capital letters do not tell names apart.",
        )


def _longest_line(path: Path) -> int:
    """Return at least the length of the longest line, counted in whole chunks."""
    longest = run = 0
    with reading.open_bytes(path, 1 << 60) as handle:
        for chunk in iter(lambda: handle.read(_CHUNK), b""):
            first = chunk.find(b"\n")
            if first < 0:
                run += len(chunk)
            else:
                longest = max(longest, run + first)
                run = len(chunk) - chunk.rfind(b"\n")
    return max(longest, run)


def _is_lines(path: Path) -> bool:
    """Tell whether a first line is a whole object and something follows it."""
    with reading.open_bytes(path, 1 << 60) as handle:
        lines = (line for line in handle if line.strip())
        first, second = next(lines, b""), next(lines, b"")
    try:
        json.loads(first.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return False
    return bool(second)


def _named(read: Any, source: Readable) -> tuple[Any, list[str]]:
    """Call a reader of files; its complaints name the person's file, not the copy."""
    try:
        rows, remarks = read(source.path, "utf-8")
    except InputError as error:
        told = error.problem.replace(source.path.name, source.name)
        raise InputError(told, error.remedy) from error
    return rows, [line.replace(source.path.name, source.name) for line in remarks]


def _copied_rows(
    source: Readable, scratch: Path, rows: list[dict[str, Any]], remarks: list[str]
) -> Readable:
    if not rows:
        raise InputError(f"{source.name} holds no rows.", "Give a file that holds data.")
    keys = list(dict.fromkeys(itertools.chain.from_iterable(rows)))
    check_names([str(k) for k in keys], source.name)
    target = _free(scratch, source.path, ".jsonl")
    with target.open("w", encoding="utf-8", newline="\n") as out:
        for row in rows:
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
    told = tuple(line.replace(source.path.name, source.name) for line in remarks)
    return Readable(target, source.name, "json", remarks=(*source.remarks, *told))


def _parquet_copy(path: Path, scratch: Path) -> Path:
    """Copy an Arrow file as Parquet, which DuckDB reads."""
    target = _free(scratch, path, ".parquet")
    try:
        with pa.memory_map(str(path)) as source:
            head = source.read(6)
            source.seek(0)
            opened = pa.ipc.open_file if head == b"ARROW1" else pa.ipc.open_stream
            reader = opened(source)
            with pq.ParquetWriter(target, reader.schema) as writer:
                for batch in _batches(reader):
                    writer.write_batch(batch)
    except (pa.ArrowException, OSError, ValueError) as error:
        why = next(iter(str(error).splitlines()), type(error).__name__)
        raise InputError(
            f"{path.name} cannot be read: {why}.", "Check that the file is whole."
        ) from error
    return target


def _batches(reader: Any) -> Iterator[pa.RecordBatch]:
    if hasattr(reader, "num_record_batches"):
        return (reader.get_batch(k) for k in range(reader.num_record_batches))
    return iter(reader)


def _free(scratch: Path, path: Path, suffix: str) -> Path:
    return scratch / f"copy-{len(list(scratch.glob('copy-*')))}-{path.name.split('.')[0]}{suffix}"
