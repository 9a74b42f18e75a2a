"""Parquet and Arrow files -> rows of Python values."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crowdselect.errors import InputError
from crowdselect.reading.opening import MOST_BYTES, MOST_COLUMNS, check_regular, too_large

_BATCH = 1024
_INDEX = "__index_level_"


def read_parquet(path: Path, limit: int = MOST_BYTES) -> tuple[list[dict[str, Any]], list[str]]:
    """Rows of a Parquet file, and remarks.

    Raises InputError for a damaged file, two fields of one name, and more than ``limit`` bytes of
    values: also where a small file repeats a large one.
    """
    import pyarrow.parquet as pq

    check_regular(path)
    with _complaints(path):
        schema = pq.read_schema(path)
        _check_fields(schema, path.name)
        words = [f.name for f in schema if _is_text(f.type)]
        with pq.ParquetFile(path, read_dictionary=words) as file:
            _refuse_repeated(file, path.name, limit)
            return _rows(file.iter_batches(batch_size=_BATCH), schema, path.name, limit)


def _refuse_repeated(file: Any, name: str, limit: int) -> None:
    """Count a file's values before they are made, where its first ones say that it may be needed.

    A dictionary makes a small file of a value that recurs; apart, its values fill the memory.
    """
    first = next(file.iter_batches(batch_size=_BATCH), None)
    if first is None:
        return
    guess = sum(map(_size, first.columns)) / len(first) * file.metadata.num_rows
    if guess <= limit:
        return
    size = 0
    for batch in file.iter_batches(batch_size=_BATCH):
        size += sum(map(_size, batch.columns))
        if size > limit:
            raise too_large(name, limit)


def read_arrow(path: Path, limit: int = MOST_BYTES) -> tuple[list[dict[str, Any]], list[str]]:
    """Rows of an Arrow file (IPC, of either kind; Feather), and remarks; see read_parquet."""
    import pyarrow as pa

    check_regular(path)
    with _complaints(path), pa.memory_map(str(path)) as source:
        if _has_footer(path):
            reader = pa.ipc.open_file(source)
            batches = (reader.get_batch(k) for k in range(reader.num_record_batches))
        else:
            reader = pa.ipc.open_stream(source)
            batches = iter(reader)
        _check_fields(reader.schema, path.name)
        return _rows(batches, reader.schema, path.name, limit)


def _has_footer(path: Path) -> bool:
    """Whether it is the kind of Arrow file that can be read in any order."""
    with path.open("rb") as handle:
        return handle.read(6) == b"ARROW1"


@contextmanager
def _complaints(path: Path) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, ValueError, OverflowError, TypeError, KeyError) as error:
        why = next(iter(str(error).splitlines()), type(error).__name__)
        raise InputError(
            f"{path.name} cannot be read: {why}.",
            "Check that the file is whole, or write it again.",
        ) from error


def _is_text(kind: Any) -> bool:
    import pyarrow.types as types

    return bool(types.is_string(kind) or types.is_large_string(kind))


def _check_fields(schema: Any, name: str) -> None:
    """Refuse two fields of one name, at any depth, and too many columns."""
    import pyarrow.types as types

    if len(schema) > MOST_COLUMNS:
        raise InputError(
            f"{name} has {len(schema):,} columns; at most {MOST_COLUMNS:,} are read.",
            "Leave out the columns that are not needed.",
        )
    waiting: list[tuple[str, list[Any]]] = [("", list(schema))]
    while waiting:
        inside, fields = waiting.pop()
        names = [f.name for f in fields]
        twice = next((n for n in names if names.count(n) > 1), None) if (
            len(set(names)) < len(names)
        ) else None  # fmt: skip
        if twice is not None:
            where = f" inside of {inside!r}" if inside else ""
            raise InputError(
                f"{name}: two fields are called {twice!r:.80}{where}.",
                "Give every field a name of its own.",
            )
        for f in fields:
            kind = f.type
            while types.is_list(kind) or types.is_large_list(kind):
                kind = kind.value_type
            if types.is_struct(kind):
                waiting.append((f.name, [kind.field(k) for k in range(kind.num_fields)]))


def _rows(
    batches: Any, schema: Any, name: str, limit: int
) -> tuple[list[dict[str, Any]], list[str]]:
    index = [n for n in schema.names if n.startswith(_INDEX)]
    rows: list[dict[str, Any]] = []
    size = 0
    for batch in batches:
        size += sum(map(_size, batch.columns))
        if size > limit:
            raise too_large(name, limit)
        rows += batch.drop_columns(index).to_pylist() if index else batch.to_pylist()
    return rows, [f"{name}: the index column {n!r} is left out." for n in index]


def _size(values: Any) -> int:
    """Bytes of an array once its values stand apart: a dictionary's entry counts each time."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = values.type
    if pa.types.is_dictionary(kind) and len(values.dictionary):
        if not _is_text(kind.value_type):
            return int(values.dictionary.nbytes / len(values.dictionary) * len(values))
        lengths = pc.binary_length(values.dictionary)
        return int(pc.sum(lengths.take(values.indices)).as_py() or 0)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _size(values.flatten())
    if pa.types.is_struct(kind):
        return sum(map(_size, values.flatten()))
    return int(values.nbytes)
