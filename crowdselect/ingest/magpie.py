"""Magpie-100K-Generator-Zoo and its like: nested Parquet with one struct column per model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from crowdselect.errors import InputError
from crowdselect.ingest.columns import LISTS, Found, is_index
from crowdselect.ingest.names import HISTORIES, IDS, INPUTS, RESPONSES, SYSTEMS, TEXTS
from crowdselect.ingest.shapes import ByColumn, asks_in_turns, unfold
from crowdselect.ingest.source import Source, choose, files_of, safe_name
from crowdselect.plans import (
    Builder,
    Column,
    ColumnUse,
    Instructions,
    ModelCells,
    Plan,
    SideBySide,
    Table,
)
from crowdselect.progress import Progress, silent
from crowdselect.registry import option


@dataclass(frozen=True)
class Magpie(Source):
    """Nested Parquet: ``uuid``, ``instruction``, and a struct per model (text, rewards).

    Struct fields are found by name; the judges are all fields of floating-point numbers.
    """

    name: ClassVar[str] = "magpie"
    title: ClassVar[str] = "Magpie-100K-Generator-Zoo: nested Parquet, or a hub id"

    content: str = option("", "struct field that holds the response (content, by default)")
    judges: str = option("", "struct fields that hold rewards, separated by commas")

    def __call__(self, paths: Sequence[str], builder: Builder, progress: Progress = silent) -> None:
        """Read files, folders or globs of Parquet."""
        files, remarks = files_of(paths, (".parquet", ".pq"), split=self.split or None)
        for remark in remarks:
            builder.note(remark)
        table = builder.open_files(files)
        sides, history = self.plan(table, builder)
        uses = _uses(table, sides, history)
        plan: Plan = sides
        asked = sides.instructions
        if asks_in_turns(asked, history, builder):
            found = Found(asked.id, asked.text, asked.input, asked.system, history, None, None, (),
                          asked.extra)  # fmt: skip
            plan = unfold(table, ByColumn(found, models=sides.models), builder, progress)
        self.load(plan, builder, progress, uses=uses)

    def crowd_name(self, paths: Sequence[str]) -> str:
        """Return the data set's or the file's name."""
        return safe_name(paths[0].rstrip("/").rsplit("/", 1)[-1]) if paths else self.name

    def plan(self, table: Table, builder: Builder) -> tuple[SideBySide, str | None]:
        """Find the models among the struct columns, and the column of earlier turns.

        Raises InputError where there is no model.
        """
        names = [c.name for c in table.columns if c.kind != "struct"]
        text = choose(names, TEXTS, "", "instructions")
        history = choose([n for n in names if n != text], HISTORIES, "", "earlier turns")
        if text is None:
            raise InputError(
                f"{table.label} has no column of instructions; found {', '.join(names) or 'none'}.",
                "Name it instruction or prompt.",
            )
        models, ignored = [], []
        for column in table.columns:
            cells = self._cells(column) if column.kind == "struct" else None
            if cells is not None:
                models.append(cells)
            elif column.kind in ("struct", "list", "other") and column.name not in (text, history):
                ignored.append(column.name)
        if not models:
            lists = [c.name for c in table.columns if c.kind == "list"]
            has = f"; it holds lists ({', '.join(lists)})" if lists else ""
            raise InputError(
                f"{table.label} has no struct column with a text or a number in it, one per model"
                f"{has}.",
                "For tables that are tidy, wide or hold lists of answers use: "
                "crowdselect ingest table FILE.",
            )
        if ignored:
            builder.note(f"Columns left out: {', '.join(ignored)}.")
        identity = choose([n for n in names if n != text], IDS, "", "ids")
        free = [n for n in names if n not in (text, identity)]
        words = [c.name for c in table.columns if c.kind == "text" and c.name in free]
        system, more = choose(words, SYSTEMS, "", "system"), choose(words, INPUTS, "", "input")
        extra = tuple(
            c.name
            for c in table.columns
            if c.kind in ("text", "number", "truth")
            and c.name not in (text, identity, system, more, history)
            and not is_index(c)
        )
        asked = Instructions(table, text, identity, extra, more, system)
        return SideBySide(asked, tuple(models)), history

    def _cells(self, column: Column) -> ModelCells | None:
        texts = [f.name for f in column.fields if f.kind in ("text", "empty")]
        response = choose(texts, ("content", *RESPONSES), "", "responses")
        if self.content:
            response = self.content if self.content in texts else None
        told = [j.strip() for j in self.judges.split(",") if j.strip()]
        rewards = {
            f.name: (column.name, f.name)
            for f in column.fields
            if (f.name in told if told else f.kind == "number" and f.fractional)
        }
        if response is None and not rewards:
            return None
        return ModelCells(column.name, (column.name, response) if response else None, rewards)


def _uses(table: Table, plan: SideBySide, history: str | None) -> list[ColumnUse]:
    """Say of every column what it was taken for."""
    models = {m.name: m for m in plan.models}
    asked = plan.instructions
    found = []
    for column in table.columns:
        name = column.name
        if name in models:
            found.append(ColumnUse(name, "response", of=name))
        elif name == asked.text:
            found.append(ColumnUse(name, "instruction"))
        elif name == asked.id:
            found.append(ColumnUse(name, "id"))
        elif name == asked.system:
            found.append(ColumnUse(name, "system prompt"))
        elif name == asked.input:
            found.append(ColumnUse(name, "input"))
        elif name == history:
            found.append(ColumnUse(name, "earlier turns"))
        elif name in asked.extra:
            found.append(ColumnUse(name, "kept"))
        else:
            found.append(ColumnUse(name, "left out", why=LISTS))
    return found
