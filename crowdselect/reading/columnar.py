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
        with pq.ParquetFile(path, read_dictionary=texts_of(pq.read_metadata(path))) as file:
            _refuse_repeated(file, path.name, limit)
            return _rows(file.iter_batches(batch_size=_BATCH), schema, path.name, limit)


def _refuse_repeated(file: Any, name: str, limit: int) -> None:
    """Count a file's values before they are made, where its first ones say that it may be needed.

    A dictionary makes a small file of a value that recurs; apart, its values fill the memory.
    """
    first = next(file.iter_batches(batch_size=_BATCH), None)
    if first is None:
        return
    guess = sum(map(unpacked_bytes, first.columns)) / len(first) * file.metadata.num_rows
    if guess <= limit:
        return
    size = 0
    for batch in file.iter_batches(batch_size=_BATCH):
        size += sum(map(unpacked_bytes, batch.columns))
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


def texts_of(metadata: Any) -> list[str]:
    """Paths of a Parquet file's columns of text or bytes, also inside of lists and structs.

    Read as dictionaries, a value that recurs is there once, whatever the file would unpack to.
    """
    if not metadata.num_row_groups:
        return []
    group = metadata.row_group(0)
    chunks = (group.column(c) for c in range(group.num_columns))
    return [chunk.path_in_schema for chunk in chunks if chunk.physical_type == "BYTE_ARRAY"]


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
        size += sum(map(unpacked_bytes, batch.columns))
        if size > limit:
            raise too_large(name, limit)
        rows += batch.drop_columns(index).to_pylist() if index else batch.to_pylist()
    return rows, [f"{name}: the index column {n!r} is left out." for n in index]


def unpacked_bytes(values: Any) -> int:
    """Bytes of an array once its values stand apart: a dictionary's entry counts each time."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind, types = values.type, pa.types
    if types.is_dictionary(kind) and len(values.dictionary):
        if not _has_lengths(kind.value_type):
            return int(values.dictionary.nbytes / len(values.dictionary) * len(values))
        lengths = pc.binary_length(values.dictionary)
        taken = lengths.take(values.indices).cast(pa.int64())
        return int(pc.sum(taken).as_py() or 0)
    if types.is_map(kind):
        return unpacked_bytes(values.keys) + unpacked_bytes(values.items)
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return unpacked_bytes(values.flatten())
    if types.is_struct(kind):
        return sum(map(unpacked_bytes, values.flatten()))
    return int(values.nbytes)


def _has_lengths(kind: Any) -> bool:
    import pyarrow.types as types

    texts = (types.is_string, types.is_large_string, types.is_binary, types.is_large_binary)
    return any(is_one(kind) for is_one in texts)
