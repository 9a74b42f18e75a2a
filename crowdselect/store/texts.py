"""Texts and their lengths, read from the crowd's file on demand."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Literal

import duckdb
import numpy as np

from crowdselect.values import FloatArray, IntArray

Unit = Literal["chars", "words", "tokens"]
_UNITS: dict[Unit, str] = {"chars": "chars", "words": "words", "tokens": "tokens"}


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
            found = (
                self._con.cursor()
                .execute(
                    f"SELECT row, model, length.{_UNITS[unit]} AS length "
                    f"FROM crowd.answers WHERE length.{_UNITS[unit]} IS NOT NULL"
                )
                .fetchnumpy()
            )
            values = np.full((self._n, len(self._columns)), np.nan)
            values[found["row"], self._columns[found["model"]]] = np.ma.getdata(found["length"])
            values.setflags(write=False)
            self._lengths[unit] = values
        return self._lengths[unit]

    @cached_property
    def _lengths(self) -> dict[Unit, FloatArray]:
        return {}

    def instructions(self) -> Sequence[str]:
        """Every instruction's text in row order."""
        found = self._con.cursor().execute("SELECT text FROM crowd.instructions ORDER BY row")
        return [text for (text,) in found.fetchall()]

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
