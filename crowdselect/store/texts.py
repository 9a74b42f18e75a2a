"""Texts and their lengths, read from the crowd's file on demand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, Literal

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from crowdselect.values import BoolArray, FloatArray, IntArray

Unit = Literal["chars", "words", "tokens"]
_UNITS: dict[Unit, str] = {"chars": "chars", "words": "words", "tokens": "tokens"}


_BATCH = 100_000
"""Rows read at once."""


def batches(con: duckdb.DuckDBPyConnection, sql: str) -> Iterator[pa.RecordBatch]:
    """The rows of a query, so many at a time."""
    yield from con.cursor().sql(sql).to_arrow_reader(_BATCH)


def strings(con: duckdb.DuckDBPyConnection, sql: str, n: int) -> npt.NDArray[Any]:
    """The ``n`` texts (None: NULL) of a query of one column, shape (n,), Python strings."""
    found = np.empty(n, dtype=object)
    first = 0
    for batch in batches(con, sql):
        coded = batch.column(0).dictionary_encode()  # equal texts of a batch become one object
        texts = np.array([*coded.dictionary.to_pylist(), None], dtype=object)
        found[first : first + batch.num_rows] = texts[coded.indices.fill_null(-1).to_numpy()]
        first += batch.num_rows
    return found


class _Instructions(Sequence[str]):
    """Every instruction's text; none is kept."""

    def __init__(self, con: duckdb.DuckDBPyConnection, n: int) -> None:
        self._con, self._n = con, n

    def __len__(self) -> int:
        return self._n

    def __iter__(self) -> Iterator[str]:
        for batch in batches(self._con, "SELECT text FROM crowd.instructions ORDER BY row"):
            yield from batch["text"].to_pylist()

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return list(self)[place]
        row = range(self._n)[place]
        sql = "SELECT text FROM crowd.instructions WHERE row = ?"
        return self._con.cursor().execute(sql, [row]).fetchall()[0][0]


class StoredTexts:
    """A :class:`crowdselect.values.CrowdTexts` over ``crowd.duckdb``.

    ``columns`` maps a model's column in the file to its place among the crowd's models.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, n: int, columns: IntArray) -> None:
        self._con = con
        self._n = n
        self._columns = columns

    def instruction_lengths(self, unit: Unit) -> FloatArray:
        """Length of each instruction, shape (n,), as counted at ingest (``store.lengths``)."""
        found = self._con.cursor().execute(
            f"SELECT length.{_UNITS[unit]} AS length FROM crowd.instructions ORDER BY row"
        )
        return np.asarray(found.fetchnumpy()["length"], dtype=np.float64)

    def response_lengths(self, unit: Unit) -> FloatArray:
        """Length of each response, shape (n, m); NaN where there is none."""
        if unit not in self._lengths:
            values = np.full((self._n, len(self._columns)), np.nan)
            for batch in batches(
                self._con,
                f"SELECT row, model, length.{_UNITS[unit]} AS length "
                f"FROM crowd.answers WHERE length.{_UNITS[unit]} IS NOT NULL",
            ):
                models = self._columns[batch["model"].to_numpy()]
                values[batch["row"].to_numpy(), models] = batch["length"].to_numpy()
            values.setflags(write=False)
            self._lengths[unit] = values
        return self._lengths[unit]

    @cached_property
    def _lengths(self) -> dict[Unit, FloatArray]:
        return {}

    def answered(self) -> BoolArray:
        """Which models gave a response that is not empty, shape (n, m)."""
        there = np.zeros((self._n, len(self._columns)), dtype=bool)
        for batch in batches(
            self._con, "SELECT row, model FROM crowd.answers WHERE length.words > 0"
        ):
            there[batch["row"].to_numpy(), self._columns[batch["model"].to_numpy()]] = True
        return there

    def response_lengths_at(self, rows: IntArray, columns: IntArray, unit: Unit) -> FloatArray:
        """Lengths of the responses of models ``columns[i]`` in ``rows[i]``; NaN: there is none."""
        lengths = np.full(len(rows), np.nan)
        models = np.argsort(self._columns)[columns]
        found = self._con.cursor().execute(
            f"SELECT w.at, a.length.{_UNITS[unit]} FROM crowd.answers AS a JOIN (SELECT "
            "unnest(?)::INTEGER AS row, unnest(?)::SMALLINT AS model, unnest(range(?)) AS at) "
            f"AS w USING (row, model) WHERE a.length.{_UNITS[unit]} IS NOT NULL",
            [rows, models, len(rows)],
        )
        for place, length in found.fetchall():
            lengths[place] = length
        return lengths

    def response_length_counts(self, unit: Unit) -> tuple[IntArray, IntArray]:
        """The lengths that responses have, ascending, and how many responses have each."""
        found = self._con.cursor().execute(
            f"SELECT length.{_UNITS[unit]}, count(*) FROM crowd.answers "
            f"WHERE length.{_UNITS[unit]} IS NOT NULL GROUP BY 1 ORDER BY 1"
        )
        rows = np.array(found.fetchall(), dtype=np.int64).reshape(-1, 2)
        return rows[:, 0], rows[:, 1]

    def instructions(self) -> Sequence[str]:
        """Every instruction's text in row order; read in batches as one goes through them."""
        return _Instructions(self._con, self._n)

    def responses_of(self, columns: IntArray) -> list[str | None]:
        """For each row i the response of model ``columns[i]`` (-1 or no answer: None)."""
        rows = np.flatnonzero(columns >= 0)
        models = np.argsort(self._columns)[columns[rows]]
        texts: list[str | None] = [None] * len(columns)
        # By row id: the join reads numbers only, and texts are unpacked for what it finds.
        found = self._con.cursor().execute(
            "SELECT row, text FROM crowd.answers WHERE rowid IN (SELECT a.rowid "
            "FROM crowd.answers AS a JOIN (SELECT unnest(?)::INTEGER AS row, "
            "unnest(?)::SMALLINT AS model) AS w ON a.row = w.row AND a.model = w.model)",
            [rows, models],
        )
        while batch := found.fetchmany(10_000):
            for row, text in batch:
                texts[row] = text
        return texts
