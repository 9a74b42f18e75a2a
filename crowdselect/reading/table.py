"""One table out of whatever a person gave: a file of any kind, or a folder of shards."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crowdselect.errors import InputError, NotFoundError
from crowdselect.reading.columnar import read_arrow, read_parquet
from crowdselect.reading.decoding import read_text, replaced_remark
from crowdselect.reading.delimited import read_delimited
from crowdselect.reading.folders import ALL_SPLITS, Shards, shards_of
from crowdselect.reading.kinds import kind_of, suffix_of
from crowdselect.reading.objects import Row, read_document, read_lines
from crowdselect.reading.opening import MOST_BYTES, MOST_COLUMNS, open_raw

_SHOWN, _LONG_NAME = 20, 60
_BETWEEN = re.compile(r"[\s-]+")


@dataclass(frozen=True)
class Table:
    """Rows with their numbers from 1, over all of the files."""

    path: Path
    files: tuple[Path, ...]
    starts: tuple[int, ...]
    """Number of each file's first row."""
    columns: tuple[str, ...]
    """Every name that a row has, in the order of appearance."""
    rows: tuple[Row, ...]
    remarks: tuple[str, ...]
    """What a person should know about how the files were read; empty: nothing."""

    def __iter__(self) -> Iterator[tuple[int, Row]]:
        """Yield (number, row)."""
        return enumerate(self.rows, start=1)

    def __len__(self) -> int:
        return len(self.rows)

    def where(self, number: int) -> str:
        """``FILE, row N`` of the row with this number."""
        k = max(i for i, start in enumerate(self.starts) if start <= number)
        return f"{self.files[k].name}, row {number - self.starts[k] + 1:,}"


def read_table(
    path: str | Path,
    *,
    encoding: str | None = None,
    split: str | None = None,
    texts: str | None = None,
    limit: int = MOST_BYTES,
) -> Table:
    """Read a table that a person gave, into memory.

    JSON lines, JSON in several shapes, CSV and its kin (cells stay text), Parquet, Arrow; the text
    ones also packed with gzip; folders of shards, of the hub with splits, and of ``save_to_disk``.

    Parameters
    ----------
    encoding
        Of text files; see :func:`read_text`.
    split
        Of a folder with several; None: ``train``, with a remark.
    texts
        Column for rows that are only a text, as in a JSON list of prompts or in the lines of a
        ``.txt`` file; None: such are refused.
    limit
        The most bytes per file, unpacked.

    Raises
    ------
    NotFoundError
        Where there is no such file or folder.
    InputError
        Naming the file, and the line or row where there is one.
    """
    path = Path(path).expanduser()
    shards = _shards(path, split)
    rows: list[Row] = []
    starts, remarks = [], list(shards.remarks)
    for file in shards.files:
        starts.append(len(rows) + 1)
        found, more = _read(file, encoding, texts, limit)
        rows += found
        remarks += more
    columns = tuple(dict.fromkeys(key for row in rows for key in row))
    if len(columns) > MOST_COLUMNS:
        raise InputError(
            f"{path.name} has {len(columns):,} columns; at most {MOST_COLUMNS:,} are read.",
            "Leave out the columns that are not needed.",
        )
    return Table(path, shards.files, tuple(starts), columns, tuple(rows), tuple(remarks))


def sha256_of(path: str | Path) -> str:
    """The sha256 of a file's bytes, or of a folder's: over names and hashes of all its data files.

    Raises as :func:`read_table` does for what is not there.
    """
    path = Path(path).expanduser()
    shards = _shards(path, ALL_SPLITS)
    hashes = []
    for file in shards.files:
        with open_raw(file) as handle:
            hashes.append(hashlib.file_digest(handle, "sha256").hexdigest())
    if shards.files == (path,):
        return hashes[0]
    named = "".join(f"{f.name}:{h}\n" for f, h in zip(shards.files, hashes, strict=True))
    return hashlib.sha256(named.encode()).hexdigest()


def exists(path: Path) -> bool:
    """Whether there is a file or folder; raises InputError for what can be no path."""
    try:
        return path.exists()
    except (OSError, ValueError) as error:
        raise InputError(f"{str(path)!r:.200} is no path: {error}.", "Check it.") from error


def _shards(path: Path, split: str | None) -> Shards:
    if not exists(path):
        raise NotFoundError(f"There is no file or folder {path}.", "Check the path.")
    try:
        return shards_of(path, split) if path.is_dir() else Shards((path,))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error}.", "Check the path.") from error


def _read(
    path: Path, encoding: str | None, texts: str | None, limit: int
) -> tuple[list[Row], list[str]]:
    if texts is not None and suffix_of(path) == ".txt":
        found = read_text(path, encoding, limit)
        lines = [line.strip() for line in found.text.split("\n")]
        return [{texts: line} for line in lines if line], replaced_remark(path.name, found.replaced)
    kind = kind_of(path)
    if kind == "parquet":
        return read_parquet(path, limit)
    if kind == "arrow":
        return read_arrow(path, limit)
    if kind == "delimited":
        cells, remarks = read_delimited(path, encoding, limit)
        return [dict(row) for row in cells], remarks
    read = read_lines if kind == "lines" else read_document
    return read(path, encoding, limit, texts)


def name_list(names: Iterable[object]) -> str:
    """Names for a message: at most twenty, and the beginning of long ones."""
    found = [str(name) for name in names]
    some = [n if len(n) <= _LONG_NAME else f"{n[: _LONG_NAME - 3]}..." for n in found[:_SHOWN]]
    more = [f"and {len(found) - _SHOWN:,} more"] if len(found) > _SHOWN else []
    return ", ".join([*some, *more]) or "none"


def plain_name(name: object) -> str:
    """A column's name as known names are written: ``System Prompt`` is ``system_prompt``."""
    return _BETWEEN.sub("_", str(name).strip().lower())


def small_letters(row: Mapping[str, Any]) -> Row:
    """The row by plain names: in small letters, blanks and hyphens as low lines.

    Of names that differ in that only, the one written so stands.
    """
    found: Row = {}
    for name, value in row.items():
        plain = plain_name(name)
        if plain not in found or plain == name:
            found[plain] = value
    return found
