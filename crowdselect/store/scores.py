"""Score columns: numbers per instruction that a person imported or a model made, by id."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from crowdselect.errors import InputError, NotFoundError
from crowdselect.files import read_json, write_aside
from crowdselect.plans import Column, Table
from crowdselect.reading import name_list
from crowdselect.registry import did_you_mean
from crowdselect.store.connect import quote, readable
from crowdselect.store.inputs import Inputs
from crowdselect.store.numbers import ROW, number_sql, refuse_text
from crowdselect.store.questions import id_sql
from crowdselect.store.rewards import slug
from crowdselect.values import FloatArray, Frozen, Scores

REASON = "__reason"
"""Suffix of the column that says why a score is missing or what it is."""
_INFO = b"crowdselect"
"""Key of the description in a score file's own metadata: values and what they are, in one file."""
_IDS = ("id", "uuid", "instruction_id", "prompt_id", "question_id", "custom_id")


class ScoreInfo(Frozen):
    """What a file of scores is and how it was made."""

    name: str
    title: str = ""
    direction: str = ""
    """What a higher value means, as ``higher = harder``."""
    unit: str = ""
    source: str = ""
    """In words: ``imported from scores.csv``, ``SelectIT by Qwen2.5-3B`` ..."""
    columns: tuple[str, ...] = ()
    """Its value columns; filled in when written."""
    made: dict[str, Any] = Field(default_factory=dict)
    """Options, versions and figures of how it was made."""


@dataclass(frozen=True)
class Imported:
    """Outcome of importing a score file."""

    columns: tuple[str, ...]
    matched: int
    """Rows of the file whose id is an instruction's."""
    unmatched: int
    """Rows of the file whose id is no instruction's; they were left out."""
    without: int
    """Instructions that got no row."""
    missing: Mapping[str, int] = field(default_factory=dict)
    """Column -> matched rows without a number (empty, NaN or infinite)."""

    @property
    def summary(self) -> str:
        """One sentence for a person."""
        got = {c: self.matched - self.missing.get(c, 0) for c in self.columns}
        words = [f"{c}: {n:,} instructions got a score." for c, n in got.items()]
        if len(set(got.values())) == 1:
            words = [f"{', '.join(got)}: {next(iter(got.values())):,} instructions got a score."]
        lacking = {c: n for c, n in self.missing.items() if n}
        words += [f"{n:,} rows hold no number in {c}." for c, n in lacking.items()]
        gone = f" {self.unmatched:,} rows name an id that is not here." if self.unmatched else ""
        none = f" {self.without:,} instructions have no score." if self.without else ""
        return " ".join(words) + gone + none


class ScoreFiles:
    """The folder ``scores/`` of one crowd."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def infos(self) -> dict[str, ScoreInfo]:
        """Return every value column with its file's info, by column name."""
        found: dict[str, ScoreInfo] = {}
        for path in sorted(self._folder.glob("[!.]*.parquet")):
            try:
                info = _read_info(path)
            except pa.ArrowException:  # a damaged file hides no other
                continue
            found |= dict.fromkeys(info.columns, info)
        return found

    def write(self, name: str, frame: pd.DataFrame, info: ScoreInfo) -> None:
        """Write ``frame`` (``id``, number columns, optional ``<column>__reason``) as ``name``.

        Raises InputError for a frame without ids or numbers, or a column another file has.
        """
        columns = [c for c in frame.columns if c != "id" and not str(c).endswith(REASON)]
        _check_names(name, columns, frame)
        for column, other in self.infos().items():
            if column in columns and other.name != name:
                raise InputError(
                    f"The scores {other.name!r} have a column {column!r} already.",
                    f"Rename it, or call these scores {other.name!r}, which replaces those.",
                )
        out = {"id": pa.array(frame["id"].astype(str).tolist())}
        for column in columns:
            values = pd.to_numeric(frame[column], errors="raise").to_numpy(np.float64)
            out[column] = pa.array(values, mask=~np.isfinite(values))
            if f"{column}{REASON}" in frame.columns:
                reasons = frame[f"{column}{REASON}"]
                out[f"{column}{REASON}"] = pa.array(
                    [None if pd.isna(r) else str(r) for r in reasons], type=pa.string()
                )
        described = info.model_copy(update={"name": name, "columns": tuple(columns)})
        path = self._folder / f"{slug(name)}.parquet"
        with write_aside(path) as temporary:
            table = pa.table(out).replace_schema_metadata({_INFO: described.model_dump_json()})
            pq.write_table(table, temporary, compression="zstd")
        path.with_suffix(".json").unlink(missing_ok=True)

    def read(self, name: str, row_of: Mapping[str, int], ids: Any) -> Scores:
        """Return the scores called ``name`` (a file's or a column's name), in row order."""
        info = self._info(name)
        wanted = [name] if name in info.columns else list(info.columns)
        table = pq.read_table(self._folder / f"{slug(info.name)}.parquet", columns=["id", *wanted])
        rows = np.array([row_of.get(i, -1) for i in table["id"].to_pylist()], dtype=np.int64)
        columns: dict[str, FloatArray] = {}
        for column in wanted:
            values = np.full(len(ids), np.nan)
            values[rows[rows >= 0]] = table[column].to_numpy()[rows >= 0]
            columns[column] = values
        return Scores(ids=ids, columns=columns)

    def reasons(self, column: str) -> dict[str, str]:
        """Return id -> reason of a column; empty where none were written."""
        path = self._folder / f"{slug(self._info(column).name)}.parquet"
        if f"{column}{REASON}" not in pq.read_schema(path).names:
            return {}
        table = pq.read_table(path, columns=["id", f"{column}{REASON}"])
        pairs = zip(table["id"].to_pylist(), table[f"{column}{REASON}"].to_pylist(), strict=True)
        return {i: reason for i, reason in pairs if reason is not None}

    def _info(self, name: str) -> ScoreInfo:
        infos = self.infos()
        by_file = {i.name: i for i in infos.values()}
        if name not in infos and name not in by_file:
            raise NotFoundError(
                f"There are no scores called {name!r}.", did_you_mean(name, {*infos, *by_file})
            )
        return infos.get(name) or by_file[name]


def _read_info(path: Path) -> ScoreInfo:
    """A score file's description: in the file itself, or beside it as older versions wrote it."""
    kept = (pq.read_schema(path).metadata or {}).get(_INFO)
    if kept is not None:
        return ScoreInfo.parse(json.loads(kept), path.name)
    beside = path.with_suffix(".json")
    if beside.exists():
        return ScoreInfo.parse(read_json(beside), beside.name)
    columns = [n for n in pq.read_schema(path).names if n != "id" and not n.endswith(REASON)]
    return ScoreInfo(name=path.stem, columns=tuple(columns), source="a file without description")


def _check_names(name: str, columns: Sequence[str], frame: pd.DataFrame) -> None:
    if "id" not in frame.columns or not columns:
        raise InputError(
            f"The scores {name!r} need a column 'id' and a column of numbers; found "
            f"{', '.join(map(str, frame.columns)) or 'nothing'}.",
            "Give one row per instruction: its id and its scores.",
        )
    for column in columns:
        if not str(column).strip() or set("@=,") & set(str(column)):
            raise InputError(
                f"{column!r} cannot be the name of a score column.",
                "Rename it: weights are written like name=1 and name@judge=1.",
            )
    repeated = frame["id"].astype(str)
    if repeated.duplicated().any():
        first = repeated[repeated.duplicated()].iloc[0]
        raise InputError(
            f"The scores {name!r} have the id {first!r} twice.", "Keep one row per instruction."
        )


def read_score_file(
    path: Path, id_column: str | None, columns: Sequence[str] | None
) -> pd.DataFrame:
    """Read a person's score file as a frame ``id`` + numbers.

    ``columns`` None: every column of numbers. Raises InputError naming row, column and value
    where a number should be, and the rows of an id that repeats.
    """
    con = duckdb.connect(":memory:")
    try:
        con.execute("ATTACH ':memory:' AS scratch")
        with TemporaryDirectory(prefix="crowdselect-") as scratch:
            table = Inputs(con, Path(scratch)).open_files([path])
            return _numbers_by_id(con, table, id_column, columns)
    except duckdb.Error as error:
        raise readable(error, path.name) from error
    finally:
        con.close()


def _numbers_by_id(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    id_column: str | None,
    columns: Sequence[str] | None,
) -> pd.DataFrame:
    names = [c.name for c in table.columns]
    key = id_column or next((n for n in names if n.lower() in _IDS), None)
    if key is None or key not in names:
        raise InputError(
            f"{table.label} has no column {id_column or 'id'!r}; found {name_list(names)}.",
            "Say which column holds the ids: --id-column NAME.",
        )
    wanted = list(columns or (c.name for c in table.columns if _holds_numbers(c, key)))
    if not wanted:  # 50%, high: the first value says what is wrong
        wanted = [c.name for c in table.columns if c.name != key and c.kind == "text"]
    for column in wanted:
        if column not in names:
            raise InputError(
                f"{table.label} has no column {column!r}.", did_you_mean(column, names)
            )
        refuse_text(con, table, (column,))
    asked = id_sql(con, table, key)
    twice = con.execute(
        f"SELECT id, min(src), max(src) FROM (SELECT {asked} AS id, {ROW} AS src "
        f"FROM scratch.{table.handle}) GROUP BY id HAVING count(*) > 1 ORDER BY 2 LIMIT 1"
    ).fetchall()
    if twice:
        identity, first, last = twice[0]
        raise InputError(
            f"{table.where(last)}: the id {identity!r} is that of {table.where(first)}, too.",
            "Keep one row per instruction.",
        )
    numbers = ", ".join(f"{number_sql((c,), table)} AS {quote(c)}" for c in wanted)
    comma = ", " if numbers else ""
    return con.execute(
        f"SELECT {asked} AS id{comma}{numbers} FROM scratch.{table.handle} ORDER BY {ROW}"
    ).df()


def with_ids_of(frame: pd.DataFrame, ids: Sequence[str], label: str) -> pd.DataFrame:
    """Return ``frame`` with the crowd's own spelling of its ids: 7.0 and 07 meet 7.

    Ids that fit as they are stay so. Raises InputError, with one id of each side, where none fits.
    """
    known = set(ids)
    plain = {_plain(i): i for i in ids}
    found = [i if i in known else plain.get(_plain(i), i) for i in frame["id"].astype(str)]
    if len(set(found)) < len(found):
        found = list(frame["id"].astype(str))
    if not known.intersection(found):
        raise InputError(
            f"{label}: none of its {len(frame):,} ids is an instruction's: there is {found[0]!r} "
            f"here and {ids[0]!r} there."
            if found
            else f"{label} holds no rows.",
            "Check which column holds the ids: --id-column NAME.",
        )
    return frame.assign(id=found)


def _plain(identity: str) -> str:
    """An id as a number would come out: without leading zeros and ``.0``."""
    return re.sub(r"^(-?)0+(?=\d)", r"\1", re.sub(r"^(-?\d+)\.0+$", r"\1", identity.strip()))


def _holds_numbers(column: Column, key: str) -> bool:
    return column.name != key and (column.kind == "number" or column.looks_numeric)
