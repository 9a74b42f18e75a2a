"""What a Parquet file says about itself, checked before anything is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from crowdselect import reading
from crowdselect.errors import InputError

MOST_COLUMNS = 10_000
_SMALL = 8 << 20
_LIMIT = 16 << 30
_RATIO = 1_000
"""A file that unpacks to more than 16 GiB and a thousand times its size is refused."""


def check_parquet(path: Path, name: str) -> tuple[str, ...]:
    """Return a Parquet file's columns.

    Raises
    ------
    InputError
        For a damaged file, two fields of one name (also inside of a column), too many columns, and
        a file that would unpack to more than 16 GiB and a thousand times its size.
    """
    reading.check_regular(path)
    try:
        with pq.ParquetFile(path) as file:
            schema, metadata = file.schema_arrow, file.metadata
            _check_fields(schema, name)
            limit = max(_LIMIT, _RATIO * path.stat().st_size)
            chunks = _dense_chunks(metadata, limit)
        if chunks:
            _check_size(path, chunks, limit, name)
    except (pa.ArrowException, OSError, ValueError) as error:
        why = next(iter(str(error).splitlines()), type(error).__name__)
        raise InputError(
            f"{name} cannot be read: {why}.",
            "Check that the file is whole and in the format that its name says.",
        ) from error
    return tuple(schema.names)


def _check_fields(schema: Any, name: str) -> None:
    if len(schema) > MOST_COLUMNS:
        raise InputError(
            f"{name} has {len(schema):,} columns; at most {MOST_COLUMNS:,} are read.",
            "Leave out the columns that are not needed.",
        )
    waiting: list[tuple[str, list[Any]]] = [("", list(schema))]
    while waiting:
        inside, fields = waiting.pop()
        first: dict[str, str] = {}
        for field in fields:
            lower = field.name.lower()
            other = first.get(lower)
            first[lower] = field.name
            if other is not None:
                where = f" inside of {inside!r}" if inside else ""
                raise InputError(
                    f"{name}: two columns are called {field.name!r}{where}."
                    if other == field.name
                    else f"{name}: two columns differ only in capital letters{where}: "
                    f"{other!r} and {field.name!r}.",
                    "Give every column a name of its own; capital letters do not tell names apart.",
                )
            kind = field.type
            while pa.types.is_list(kind) or pa.types.is_large_list(kind):
                kind = kind.value_type
            if pa.types.is_struct(kind):
                waiting.append((field.name, [kind.field(k) for k in range(kind.num_fields)]))


def _dense_chunks(metadata: Any, limit: int) -> list[tuple[int, str]]:
    """Return row group and column of small chunks of text that may unpack to ``limit`` bytes.

    A chunk's values are at most as long as its whole dictionary; where that is small, looking is
    cheap.
    """
    found: list[tuple[int, str]] = []
    total = 0
    for g in range(metadata.num_row_groups):
        group = metadata.row_group(g)
        for c in range(group.num_columns):
            chunk = group.column(c)
            size = chunk.total_uncompressed_size
            if chunk.physical_type == "BYTE_ARRAY" and size <= _SMALL:
                total += size * chunk.num_values
                found.append((g, chunk.path_in_schema))
    return found if total > limit else []


def _check_size(path: Path, chunks: list[tuple[int, str]], limit: int, name: str) -> None:
    """Count the bytes of texts without unpacking them: dictionaries stay dictionaries."""
    total = 0
    words = sorted({column for _, column in chunks})
    with pq.ParquetFile(path, read_dictionary=words) as file:
        for group, column in chunks:  # also one inside of a list or a struct, by its path
            for array in file.read_row_group(group, columns=[column]).column(0).chunks:
                total += reading.unpacked_bytes(array)
            if total > limit:
                raise InputError(
                    f"{name} unpacks to more than {limit >> 30:,} GiB from "
                    f"{path.stat().st_size:,} bytes, which is the limit here.",
                    "Write the file without texts that repeat so often, or split it.",
                )
