"""Carry out a plan: fill the tables ``instructions``, ``extra`` and ``answers`` of a new crowd."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
from duckdb.func import PythonUDFType

from crowdselect.errors import InputError
from crowdselect.plans import Instructions, ModelCells, Plan, SideBySide, Table, Tidy
from crowdselect.progress import Progress
from crowdselect.store.connect import quote, run_polled
from crowdselect.store.judge_names import check_names
from crowdselect.store.lengths import count_lengths
from crowdselect.store.numbers import ROW, cell_sql, number_sql, refuse_texts
from crowdselect.store.places import SHOWN, Places, repeated
from crowdselect.store.questions import (
    PROMPTS,
    has_turns,
    id_sql,
    prompt_sql,
    question_sql,
    trimmed,
)

LENGTH_SQL = "STRUCT(chars INTEGER, words INTEGER, tokens INTEGER)"


@dataclass(frozen=True)
class Loaded:
    """What was read: the models and judges in the order of their columns, and odd things."""

    models: tuple[str, ...]
    judges: tuple[str, ...]
    dropped_ids: int = 0
    dropped_answers: int = 0
    unknown_ids: int = 0
    remarks: tuple[str, ...] = ()


class Loader:
    """Fills one crowd.

    ``dedupe`` is ``no`` or ``keep-first``; ``samples``, what several answers of one model count
    as: ``no``, ``mean``, ``best`` or ``each``.
    """

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        dedupe: str,
        samples: str,
        progress: Progress,
        source: str,
    ) -> None:
        self._con = con
        self._keep_first = dedupe == "keep-first"
        self._samples = samples
        self._progress = progress
        self._source = source
        self._done = 0

    def load(self, plan: Plan) -> Loaded:
        """Read everything as ``plan`` says.

        Raises
        ------
        InputError
            For duplicate or missing ids and models, and for text where a number should be: it
            names file, row, column and value.
        """
        self._con.create_function(
            "text_lengths", self._count, ["VARCHAR"], LENGTH_SQL, type=PythonUDFType.ARROW
        )
        try:
            if isinstance(plan, SideBySide):
                return self._load_side_by_side(plan)
            return self._load_tidy(plan)
        finally:
            self._con.remove_function("text_lengths")

    def _count(self, texts: Any) -> pa.StructArray:
        """Count lengths for SQL; a vectorised function that also tells how far the query is."""
        if isinstance(texts, pa.ChunkedArray):
            texts = texts.combine_chunks()
        self._done += len(texts)
        return count_lengths(texts)

    # ------------------------------------------------------------------ instructions

    def _load_instructions(self, what: Instructions, *, repeats: bool) -> int:
        """Fill ``instructions`` and ``extra``; return how many repeated ids were dropped."""
        source = f"scratch.{what.table.handle}"
        self._refuse_missing(what.table, what.id)
        key = "substr(sha256(text), 1, 16)" if what.id is None else "id"
        if what.id is None and not repeats:
            nth = "row_number() OVER (PARTITION BY sha256(text) ORDER BY src)"
            key = f"{key} || CASE WHEN {nth} > 1 THEN '-' || {nth} ELSE '' END"
        extra = "".join(f", {quote(name)} AS x{k}" for k, name in enumerate(what.extra))
        asked = id_sql(self._con, what.table, what.id)
        self._con.execute(
            f"CREATE TEMP VIEW keyed AS SELECT src, {key} AS key, * EXCLUDE (src, id) FROM ("
            f"SELECT {ROW} AS src, {asked} AS id, {question_sql(what)} AS text, "
            f"{prompt_sql(what)} AS prompt{extra} FROM {source})"
        )
        dropped = 0 if repeats else self._refuserepeated(what.table)
        if repeats and what.id is not None:
            dropped = self._refuse_two_texts(what.table)
        one = _first_values(len(what.extra)) if repeats else _FIRST_ROW
        self._con.execute(
            "CREATE TABLE scratch.found AS SELECT (row_number() OVER (ORDER BY src) - 1)::INTEGER "
            f"AS row, * FROM ({one})"
        )
        self._con.execute("DROP VIEW keyed")
        self._keep(what)
        return dropped

    def _keep(self, what: Instructions) -> None:
        """Write what was found into the crowd, in the order of its rows."""
        self._con.execute("SET preserve_insertion_order = true")
        self._con.execute(
            "CREATE TABLE crowd.instructions AS SELECT row, key AS id, text, "
            "text_lengths(text) AS length FROM scratch.found ORDER BY row"
        )
        if has_turns(what):
            self._con.execute(
                f"CREATE TABLE crowd.{PROMPTS} AS SELECT row, prompt FROM scratch.found "
                "WHERE prompt IS NOT NULL ORDER BY row"
            )
        named = "".join(f", x{k} AS {quote(name)}" for k, name in enumerate(what.extra))
        self._con.execute(
            f"CREATE TABLE crowd.extra AS SELECT row AS {ROW}{named} FROM scratch.found "
            f"ORDER BY {ROW}"
        )
        self._con.execute("SET preserve_insertion_order = false")

    def _refuse_missing(self, table: Table, column: str | None) -> None:
        if column is None:
            return
        found = self._con.execute(
            f"SELECT min({ROW}) FROM scratch.{table.handle} "
            f"WHERE {quote(column)} IS NULL OR {trimmed(column)} = ''"
        ).fetchall()[0][0]
        if found is not None:
            raise InputError(
                f"{table.where(found)}: column {column!r} is empty.",
                f"Every row needs a value in {column!r}; fill it in or remove the row.",
            )

    def _refuserepeated(self, table: Table) -> int:
        found = self._con.execute(
            "SELECT key, count(*), arg_min(src, src, 2) FROM keyed GROUP BY key "
            "HAVING count(*) > 1 ORDER BY min(src)"
        ).fetchall()
        dropped = sum(n - 1 for _, n, _ in found)
        if dropped and not self._keep_first:
            shown = "; ".join(
                f"{key!r} ({table.where(a)} and {table.where(b)})"
                for key, _, (a, b) in found[:SHOWN]
            )
            raise repeated(f"{len(found):,} ids occur more than once: {shown}", len(found))
        return int(dropped)

    def _refuse_two_texts(self, table: Table) -> int:
        found = self._con.execute(
            "SELECT key, count(DISTINCT text), min(src) FROM keyed WHERE text <> '' GROUP BY key "
            "HAVING count(DISTINCT text) > 1 ORDER BY min(src)"
        ).fetchall()
        dropped = sum(n - 1 for _, n, _ in found)
        if dropped and not self._keep_first:
            shown = "; ".join(f"{key!r} (from {table.where(src)})" for key, _, src in found[:SHOWN])
            raise repeated(f"{len(found):,} ids have several instructions: {shown}", len(found))
        return int(dropped)

    # ------------------------------------------------------------------ answers

    def _create_answers(self, judges: tuple[str, ...]) -> None:
        rewards = "".join(f", r{k} DOUBLE" for k in range(len(judges)))
        self._con.execute(
            "CREATE TABLE crowd.answers (row INTEGER, model SMALLINT, "
            f"text VARCHAR USING COMPRESSION zstd, length {LENGTH_SQL}, digest UBIGINT{rewards})"
        )

    def _insert_answers(self, select: str, judges: tuple[str, ...], total: int, order: str) -> None:
        """Run the one big statement; ``select`` yields row, model, text, r0, r1 ..."""
        rewards = [f"r{k}" for k in range(len(judges))]
        there = " OR ".join(f"{c} IS NOT NULL" for c in ["text", *rewards])
        sql = (
            "INSERT INTO crowd.answers SELECT row, model, text, text_lengths(text), "
            f"md5_number_lower(text){''.join(', ' + c for c in rewards)} "
            f"FROM ({select}) WHERE {there} {order}"
        )
        self._done = 0
        label = f"reading {self._source}"
        run_polled(self._con, sql, lambda: self._progress(min(self._done, total), total, label))
        self._progress(total, total, label)

    def _load_side_by_side(self, plan: SideBySide) -> Loaded:
        table = plan.instructions.table
        dropped = self._load_instructions(plan.instructions, repeats=False)
        judges = tuple(dict.fromkeys(j for m in plan.models for j in m.rewards))
        check_names([m.name for m in plan.models], "model", table.label)
        check_names(list(judges), "judge", table.label)
        cells = [cell for model in plan.models for cell in model.rewards.values()]
        refuse_texts(self._con, table, cells)
        structs = ", ".join(_struct(k, m, judges, table) for k, m in enumerate(plan.models))
        # Every row is kept unless ids were dropped: the row number is the position, no join needed.
        join = "JOIN scratch.found AS f ON f.src = t.src" if dropped else ""
        row = "f.row" if dropped else "t.src::INTEGER"
        select = (
            f"SELECT row, unnest([{structs}], recursive := true) FROM ("
            f"SELECT {row} AS row, t.* FROM (SELECT {ROW} AS src, * FROM scratch.{table.handle}) "
            f"AS t {join})"
        )
        self._create_answers(judges)
        self._insert_answers(select, judges, table.rows * len(plan.models), "")
        return Loaded(tuple(m.name for m in plan.models), judges, dropped_ids=dropped)

    def _load_tidy(self, plan: Tidy) -> Loaded:
        repeats = plan.instructions.table is plan.table
        dropped_ids = self._load_instructions(plan.instructions, repeats=repeats)
        judges = tuple(plan.rewards)
        check_names(list(judges), "judge", plan.table.label)
        refuse_texts(self._con, plan.table, [(column,) for column in plan.rewards.values()])
        self._refuse_missing(plan.table, plan.model)
        self._refuse_missing(plan.table, plan.id)
        places = Places(self._con, self._keep_first, self._samples)
        placed = places.fill(plan)
        self._create_answers(judges)
        ordered = places.in_order()
        if not ordered:
            self._con.execute("SET preserve_insertion_order = true")
        order = "" if ordered else "ORDER BY row, model"
        self._insert_answers(places.select(plan), judges, plan.table.rows, order)
        self._con.execute("SET preserve_insertion_order = false")
        return Loaded(
            placed.models, judges, dropped_ids, placed.dropped, placed.unknown, placed.remarks
        )


_FIRST_ROW = "FROM keyed QUALIFY row_number() OVER (PARTITION BY key ORDER BY src) = 1"
"""Where an id should be there once: its first row, as it is."""


def _first_values(extras: int) -> str:
    """Where an id is there once per model: the first row that has a text, or an extra value."""
    firsts = "".join(f", arg_min(x{k}, src) AS x{k}" for k in range(extras))
    return (
        "SELECT key, min(src) AS src, "
        f"coalesce(arg_min(text, src) FILTER (text <> ''), '') AS text, "
        f"arg_min(prompt, src) FILTER (text <> '') AS prompt{firsts} "
        "FROM keyed GROUP BY key"
    )


def _struct(position: int, model: ModelCells, judges: tuple[str, ...], table: Table) -> str:
    text = "NULL" if model.response is None else cell_sql(model.response)
    rewards = "".join(
        f", r{k} := {number_sql(model.rewards[j], table) if j in model.rewards else 'NULL::DOUBLE'}"
        for k, j in enumerate(judges)
    )
    return f"struct_pack(model := {position}::SMALLINT, text := {text}::VARCHAR{rewards})"
