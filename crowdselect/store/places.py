"""Give every row of a tidy table its place: the instruction's row and the model's column."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from crowdselect.errors import InputError
from crowdselect.plans import Instructions, Table, Tidy
from crowdselect.store.connect import quote
from crowdselect.store.numbers import ROW, number_sql
from crowdselect.store.questions import id_sql, question_sql, trimmed

SHOWN = 5
"""How many offending ids an error lists."""


@dataclass(frozen=True)
class Placed:
    """The models in the order of appearance, and what had no place."""

    models: tuple[str, ...]
    dropped: int
    unknown: int
    remarks: tuple[str, ...] = ()


class Places:
    """The table ``scratch.places``: src (row of the input), row, model."""

    def __init__(self, con: duckdb.DuckDBPyConnection, keep_first: bool, samples: str) -> None:
        self._con = con
        self._keep_first = keep_first
        self._samples = "no" if keep_first else samples

    def fill(self, plan: Tidy) -> Placed:
        """Place every row; raises InputError for several answers of one model, and for no ids."""
        self._name_rows(plan)
        remarks: tuple[str, ...] = ()
        if self._samples == "each":
            self._number_samples()
        self._con.execute(
            "CREATE TABLE scratch.models AS SELECT name, "
            "(row_number() OVER (ORDER BY min(src)) - 1)::SMALLINT AS model "
            "FROM scratch.named GROUP BY name"
        )
        best = "first(n.src ORDER BY n.worth DESC NULLS LAST, n.src)"
        chosen = best if self._samples == "best" else "min(n.src)"
        self._con.execute(
            f"CREATE TABLE scratch.places AS SELECT {chosen} AS src, "
            "n.row, m.model, count(*) AS times, min(n.src) AS first, max(n.src) AS last "
            "FROM scratch.named AS n JOIN scratch.models AS m USING (name) "
            "WHERE n.row IS NOT NULL GROUP BY n.row, m.model"
        )
        dropped = self._repeated_answers(plan.table)
        if dropped and self._samples in ("mean", "best"):
            remarks = (_sampled(self._samples, dropped),)
            dropped = 0
        unknown, line = self._unknown(plan)
        names = self._con.execute("SELECT name FROM scratch.models ORDER BY model").fetchall()
        return Placed(tuple(n for (n,) in names), dropped, unknown, (*remarks, *line))

    def select(self, plan: Tidy) -> str:
        """Return the SQL that yields row, model, text and the rewards of every place."""
        rewards = [number_sql((column,), plan.table) for column in plan.rewards.values()]
        text = "NULL" if plan.response is None else quote(plan.response)
        mine = "".join(f", {sql} AS r{k}" for k, sql in enumerate(rewards))
        if self._samples == "mean" and rewards:
            means = "".join(f", avg(r{k}) AS r{k}" for k in range(len(rewards)))
            mine = "".join(f", a.r{k}" for k in range(len(rewards)))
            inner = "".join(f", {_finite(sql)} AS r{k}" for k, sql in enumerate(rewards))
            join = (
                f" JOIN (SELECT row, name{means} FROM (SELECT n.row, n.name{inner} "
                f"FROM scratch.{plan.table.handle} AS t JOIN scratch.named AS n "
                f"ON n.src = t.{ROW}) GROUP BY row, name) AS a USING (row, name)"
            )
            return (
                f"SELECT p.row, p.model, {text}::VARCHAR AS text{mine} "
                f"FROM scratch.{plan.table.handle} AS t "
                "JOIN (SELECT * FROM scratch.places JOIN scratch.models USING (model)) AS p "
                f"ON p.src = t.{ROW}{join}"
            )
        return (
            f"SELECT p.row, p.model, {text}::VARCHAR AS text{mine} "
            f"FROM scratch.{plan.table.handle} AS t JOIN scratch.places AS p ON p.src = t.{ROW}"
        )

    def in_order(self) -> bool:
        """Tell whether the tidy rows already lie in the order of the instructions."""
        (back,) = self._con.execute(
            "SELECT count(*) FROM (SELECT row < lag(row) OVER (ORDER BY src) AS back "
            "FROM scratch.places) WHERE back"
        ).fetchall()[0]
        return bool(back == 0)

    def _name_rows(self, plan: Tidy) -> None:
        """Fill ``named``: src, the instruction's row (or NULL), the model, and its first reward."""
        if plan.id is None:
            here = plan.instructions
            if here.table is not plan.table:
                here = Instructions(plan.table, plan.text or "")
            mine, theirs = f"sha256({question_sql(here)})", "sha256(text)"
        else:
            mine, theirs = id_sql(self._con, plan.table, plan.id), "key"
        first = next(iter(plan.rewards.values()), None)
        worth = "NULL" if first is None else _finite(number_sql((first,), plan.table))
        self._con.execute(
            "CREATE TABLE scratch.named AS SELECT src, f.row, n.key, name, worth FROM ("
            f"SELECT {ROW} AS src, {mine} AS key, {trimmed(plan.model)} AS name, "
            f"{worth}::DOUBLE AS worth FROM scratch.{plan.table.handle}) AS n "
            f"LEFT JOIN (SELECT {theirs} AS key, min(row) AS row FROM scratch.found GROUP BY 1) "
            "AS f ON f.key = n.key"
        )
        if plan.id is not None and plan.instructions.table is not plan.table:
            self._con.execute(
                f"UPDATE scratch.named SET row = f.row FROM (SELECT {_whole('key')} AS key, "
                "min(row) AS row FROM scratch.found GROUP BY 1 HAVING count(*) = 1) AS f "
                f"WHERE named.row IS NULL AND f.key = {_whole('named.key')}"
            )

    def _number_samples(self) -> None:
        """Call the samples of a model that has several ``MODEL #1``, ``MODEL #2`` ..."""
        self._con.execute(
            "CREATE OR REPLACE TABLE scratch.named AS SELECT src, row, key, "
            "CASE WHEN several THEN name || ' #' || nth ELSE name END AS name, worth FROM ("
            "SELECT *, max(nth) OVER (PARTITION BY name) > 1 AS several FROM (SELECT *, "
            "row_number() OVER (PARTITION BY row, name ORDER BY src) AS nth FROM scratch.named))"
        )

    def _repeated_answers(self, table: Table) -> int:
        found = self._con.execute(
            "SELECT f.key, m.name, p.times, p.first, p.last FROM scratch.places AS p "
            "JOIN scratch.found AS f USING (row) JOIN scratch.models AS m USING (model) "
            "WHERE p.times > 1 ORDER BY p.first"
        ).fetchall()
        dropped = sum(times - 1 for _, _, times, *_ in found)
        if dropped and not self._keep_first and self._samples == "no":
            shown = "; ".join(
                f"{key!r} by {name!r} ({table.where(a)} and {table.where(b)})"
                for key, name, _, a, b in found[:SHOWN]
            )
            more = f" and {len(found) - SHOWN:,} more" if len(found) > SHOWN else ""
            raise InputError(
                f"{len(found):,} times one model answers one instruction more than once: "
                f"{shown}{more}.",
                "If they are samples (best of n), say what they count as: --samples mean, best, or "
                "each (every sample a model of its own); or keep the first: "
                "--dedupe-ids keep-first.",
            )
        return int(dropped)

    def _unknown(self, plan: Tidy) -> tuple[int, tuple[str, ...]]:
        total, unknown = self._con.execute(
            "SELECT count(*), count(*) FILTER (row IS NULL) FROM scratch.named"
        ).fetchall()[0]
        if not unknown:
            return 0, ()
        mine: str | None = "another text"
        theirs: str | None = mine
        if plan.id is not None:
            (mine,) = self._con.execute(
                "SELECT arg_min(key, src) FROM scratch.named WHERE row IS NULL"
            ).fetchall()[0]
            (theirs,) = self._con.execute(
                "SELECT arg_min(key, row) FROM scratch.found WHERE row NOT IN "
                "(SELECT row FROM scratch.named WHERE row IS NOT NULL)"
            ).fetchall()[0]
        if unknown == total:
            raise InputError(
                f"No row of {plan.table.label} names an instruction of "
                f"{plan.instructions.table.label}: there the ids are like {theirs!r}, here like "
                f"{mine!r}.",
                "Check which columns hold the ids (--id-column).",
            )
        other = "" if theirs is None else f"; an instruction without answers is {theirs!r}"
        return int(unknown), (f"An id that no instruction has is {mine!r}{other}.",)


def _whole(key: str) -> str:
    """Return the SQL of an id without the ``.0`` that whole numbers got on their way."""
    return f"regexp_replace({key}, '^(-?\\d+)\\.0+$', '\\1')"


def _finite(sql: str) -> str:
    """A reward for means and maxima: NaN and infinite ones are missing."""
    return f"CASE WHEN isfinite({sql}) THEN {sql} END"


def _sampled(rule: str, dropped: int) -> str:
    if rule == "mean":
        return (
            f"{dropped:,} further samples of a model's answer: its reward is the mean over its "
            "samples, its response the first of them."
        )
    return (
        f"{dropped:,} further samples of a model's answer were left out: the best by the first "
        "judge stands."
    )


def repeated(problem: str, n: int) -> InputError:
    """The error for ids that should be unique; ``problem`` lists the first of ``n``."""
    more = f" and {n - SHOWN:,} more" if n > SHOWN else ""
    return InputError(
        f"{problem}{more}.",
        "Make the ids unique, or keep the first of each: --dedupe-ids keep-first.",
    )
