"""Seeded mangled files: whole ones of every kind, and what mail, editors and crashes do to them."""

from __future__ import annotations

import copy
import csv
import gzip
import io
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

SUFFIXES = ("jsonl", "json", "csv", "tsv", "parquet", "jsonl.gz")
_VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 42.5, 1e308, float("nan"), 10**400, "", " ", "x", "\ud83d", "\0", "é\u2028",
    [], {}, [[]], [None], [1], {"text": "x"}, {"a": None}, [{"role": "user"}], "[", '[{"role": 1}]',
    {"role": "assistant", "content": None}, [{"from": "human", "value": 3}], "9" * 50,
)  # fmt: skip


def whole(rows: list[dict[str, Any]], suffix: str) -> bytes:
    """``rows`` as a sound file."""
    if suffix.endswith(".gz"):
        return gzip.compress(whole(rows, suffix.removesuffix(".gz")), mtime=0)
    if suffix == "parquet":
        sink = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows), sink)
        return sink.getvalue()
    if suffix in ("csv", "tsv"):
        out = io.StringIO()
        writer = csv.DictWriter(out, list(rows[0]), delimiter="\t" if suffix == "tsv" else ",")
        writer.writeheader()
        writer.writerows({k: _cell(v) for k, v in row.items()} for row in rows)
        return out.getvalue().encode()
    if suffix == "json":
        return json.dumps(rows).encode()
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def mangled(rows: list[dict[str, Any]], suffix: str, rng: random.Random) -> bytes:
    """A file of ``rows`` to which one to three things have happened."""
    if rng.random() < 0.6:
        rows = _odd_rows(rows, rng)
    try:
        data = whole(rows, suffix)
    except (pa.ArrowException, AttributeError, ValueError, OverflowError, UnicodeEncodeError):
        data = whole(rows, "jsonl")  # what Parquet cannot hold lies under its name as text
    for _ in range(rng.choice((0, 1, 1, 2))):
        data = rng.choice(_BYTES)(data, rng)
    return data


def _odd_rows(rows: list[dict[str, Any]], rng: random.Random) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = json.loads(json.dumps(rows))
    for _ in range(rng.choice((1, 1, 2, 4))):
        row = rng.choice(made)
        if not row:
            continue
        holder, key = _somewhere(row, rng)
        happening = rng.randrange(6)
        if happening == 0 and isinstance(holder, dict):
            del holder[key]
        elif happening == 1 and isinstance(holder, dict):
            holder[str(key).upper()] = holder.pop(key)
        elif happening == 2:
            holder[key] = _deep(rng.choice((3, 150, 250)))
        else:
            holder[key] = copy.deepcopy(rng.choice(_VALUES))
    return made


def _somewhere(value: Any, rng: random.Random) -> tuple[Any, Any]:
    """A place inside: its list or object, and its index or key."""
    while True:
        key = rng.choice(list(value) if isinstance(value, dict) else range(len(value)))
        inner = value[key]
        if not isinstance(inner, list | dict) or not inner or rng.random() < 0.3:
            return value, key
        value = inner


def _deep(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


def _cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _flip(data: bytes, rng: random.Random) -> bytes:
    made = bytearray(data)
    for _ in range(rng.choice((1, 1, 3, 20))):
        if made:
            made[rng.randrange(len(made))] = rng.randrange(256)
    return bytes(made)


def _insert(data: bytes, rng: random.Random) -> bytes:
    parts = (
        b"\0", b"\r", b"\n", b'"', b"\\", b"{", b"]", b",", b";", b"\xff\xfe", b"\xed\xa0\xbd",
        b"NaN", b"\\ud83d", b"\xc3", b"[" * 3000, b"\xef\xbb\xbf", b'{"a":1}{"a":2}',
    )  # fmt: skip
    place = rng.randrange(len(data) + 1)
    return data[:place] + rng.choice(parts) + data[place:]


def _repeat(data: bytes, rng: random.Random) -> bytes:
    a, b = sorted(rng.randrange(len(data) + 1) for _ in range(2))
    return data[:b] + data[a:b] + data[b:]


def _recoded(data: bytes, rng: random.Random) -> bytes:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return data
    codec = rng.choice(("utf-16", "utf-16-le", "utf-8-sig", "utf-32", "latin-1", "cp1252", "utf-7"))
    return text.encode(codec, "replace")


def _packed(data: bytes, rng: random.Random) -> bytes:
    return gzip.compress(data, mtime=0)


def _joined(data: bytes, rng: random.Random) -> bytes:
    return data.replace(b"\n", rng.choice((b"", b"\r", b"\r\n", b"\n\n")))


def _foreign(data: bytes, rng: random.Random) -> bytes:
    heads = (b"PK\x03\x04", b"PAR1", b"ARROW1\0\0", b"\x1f\x8b\x08", b"%PDF", b"")
    return rng.choice(heads) + data[rng.randrange(5) :]


_BYTES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _cut, _flip, _flip, _insert, _insert, _repeat, _recoded, _packed, _joined, _foreign,
)  # fmt: skip


def plain_rows(path: Path) -> list[dict[str, Any]] | None:
    """What an independent reader finds in a sound file of JSON lines; None: it is not sound."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
        rows = [json.loads(line) for line in text.split("\n") if line.strip()]
        text.encode()
        json.dumps(rows, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return rows if all(isinstance(row, dict) for row in rows) else None
