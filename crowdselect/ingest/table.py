"""Tables: tidy (one row per instruction and model) or wide (one column per model)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from crowdselect.errors import InputError
from crowdselect.ingest.columns import MODELS, NOT_JUDGES, Found, Named, find_columns
from crowdselect.ingest.source import Source, files_of
from crowdselect.plans import Builder, Column, Instructions, ModelCells, SideBySide, Table, Tidy
from crowdselect.progress import Progress, silent
from crowdselect.registry import option

SUFFIXES = tuple(
    f"{s}{gz}"
    for s in (".parquet", ".pq", ".csv", ".tsv", ".jsonl", ".ndjson", ".json")
    for gz in ("", ".gz")
)
_WHAT = "reward|score|rating|response|output|answer|completion"
_AFTER = re.compile(rf"(?P<model>.+?)[_./:| ]+(?P<what>{_WHAT})", re.IGNORECASE)
_BEFORE = re.compile(rf"(?P<what>{_WHAT})[_./:| ]+(?P<model>.+)", re.IGNORECASE)
_REWARDS = ("reward", "score", "rating")


@dataclass(frozen=True)
class TableSource(Source):
    """CSV, TSV, Parquet or JSONL files; columns are recognised by name, and can be told."""

    name: ClassVar[str] = "table"
    title: ClassVar[str] = "Tables, tidy or wide: CSV, Parquet, JSONL"

    id_column: str = option("", "column that holds the instruction's id")
    instruction_column: str = option("", "column that holds the instruction's text")
    model_column: str = option("", "tidy: column that holds the model's name")
    response_column: str = option("", "tidy: column that holds the response")
    judge_columns: str = option("", "columns that hold rewards, separated by commas")
    judge: str = option("reward", "wide: what to call the judge whose rewards these are")
    layout: str = option("auto", "how the table is laid out", choices=("auto", "tidy", "wide"))
    encoding: str = option("utf-8", "encoding of text files, such as latin-1")

    def __call__(self, paths: Sequence[str], builder: Builder, progress: Progress = silent) -> None:
        """Read tidy or wide tables; instructions may lie in a table of their own."""
        files = files_of(paths, SUFFIXES)
        source = self
        tables = [f for f in files if f.name == "models.csv"]
        if tables and not self.models and len(files) > 1:
            source = replace(self, models=str(tables[0]))
        files = [f for f in files if f.name != "models.csv" or len(files) == 1]
        source.read([f for f in files if str(f) != self.models], builder, progress)

    def read(self, files: Sequence[Path], builder: Builder, progress: Progress) -> None:
        """Sort the files into answers and instructions, and load them."""
        answers, texts = self._sort(files, builder)
        table = builder.open_files(answers, encoding=self.encoding, progress=progress)
        found = find_columns(table.columns, self._named(table), table.label)
        if self._is_tidy(found):
            aside = builder.open_files(texts, encoding=self.encoding) if texts else None
            self.load(self._tidy(table, found, aside, builder), builder, progress)
            return
        if texts:
            raise _unclear(table)
        self.load(self._wide(table, builder), builder, progress)

    def _sort(self, files: Sequence[Path], builder: Builder) -> tuple[list[Path], list[Path]]:
        """Files with a column of models hold answers; the others, if any, instructions."""
        answers: list[Path] = []
        others: list[Path] = []
        for file in files:
            columns = builder.peek(file, encoding=self.encoding)
            if sum(c.kind == "struct" for c in columns) > 1:
                raise InputError(
                    f"{file.name} is nested: it has a struct per model.",
                    "Use the source magpie: crowdselect ingest magpie FILE.",
                )
            names = {c.name.lower() for c in columns}
            tidy = self.model_column.lower() in names or (
                not self.model_column and bool(names & set(MODELS))
            )
            (answers if tidy and self.layout != "wide" else others).append(file)
        return (answers, others) if answers else (others, [])

    def _named(self, table: Table) -> Named:
        """The options that name a column; those of a table of instructions are optional."""
        judges = tuple(j.strip() for j in self.judge_columns.split(",") if j.strip())
        return Named(
            self.id_column, self.instruction_column, self.model_column, self.response_column, judges
        )

    def _is_tidy(self, found: Found) -> bool:
        if self.layout == "auto":
            return found.model is not None and (found.response is not None or bool(found.judges))
        return self.layout == "tidy"

    def _tidy(self, table: Table, found: Found, aside: Table | None, builder: Builder) -> Tidy:
        if found.model is None:
            raise InputError(
                f"{table.label} has no column of models; found "
                f"{', '.join(c.name for c in table.columns)}.",
                "Say which it is: --model-column NAME.",
            )
        if aside is None:
            if found.text is None:
                raise _no_text(table)
            texts = Instructions(table, found.text, found.id, found.extra)
        else:
            texts = self._instructions(aside)
            if found.extra:
                builder.note(f"Columns left out of {table.label}: {', '.join(found.extra)}.")
        shared_id = found.id if texts.id is not None else None
        if shared_id is None and found.text is None:
            raise InputError(
                f"{table.label} does not say which instruction a row answers.",
                "Say which column holds the id: --id-column NAME.",
            )
        rewards = {j: j for j in found.judges}
        return Tidy(texts, table, found.model, shared_id, found.text, found.response, rewards)

    def _instructions(self, table: Table) -> Instructions:
        named = Named(
            self.id_column if _has(table, self.id_column) else "",
            self.instruction_column if _has(table, self.instruction_column) else "",
        )
        found = find_columns(table.columns, named, table.label)
        if found.text is None:
            raise _no_text(table)
        extra = tuple(
            c.name
            for c in table.columns
            if c.name not in (found.text, found.id) and c.kind in ("text", "number")
        )
        return Instructions(table, found.text, found.id, extra)

    def _wide(self, table: Table, builder: Builder) -> SideBySide:
        texts = self._instructions(table)
        told = [j.strip() for j in self.judge_columns.split(",") if j.strip()]
        columns = [c for c in table.columns if c.name not in (texts.text, texts.id)]
        rewards, responses = wide_models(columns, told)
        names = list(dict.fromkeys([*rewards, *responses]))
        if not names:
            raise _unclear(table)
        models = tuple(
            ModelCells(
                name,
                (responses[name],) if name in responses else None,
                {self.judge: (rewards[name],)} if name in rewards else {},
            )
            for name in names
        )
        used = {*rewards.values(), *responses.values()}
        builder.note(f"Read as a wide table, one column per model: {', '.join(names)}.")
        extra = tuple(n for n in texts.extra if n not in used)
        return SideBySide(replace(texts, extra=extra), models)


def wide_models(
    columns: Sequence[Column], told: Sequence[str] = ()
) -> tuple[dict[str, str], dict[str, str]]:
    """Return model -> reward column and model -> response column of a wide table.

    A column of numbers is a model's reward, named ``MODEL``, ``MODEL_reward`` or
    ``reward_MODEL`` (or score, rating); a column of text named ``MODEL_response`` (output,
    answer, completion), or like a model that has rewards, holds its responses.
    """
    rewards: dict[str, str] = {}
    responses: dict[str, str] = {}
    for column in columns:
        match = _AFTER.fullmatch(column.name) or _BEFORE.fullmatch(column.name)
        what = match["what"].lower() if match else ""
        model = match["model"] if match else column.name
        numeric = column.kind == "number" or (column.kind == "text" and column.looks_numeric)
        if what and what not in _REWARDS:
            responses[model] = column.name
        elif column.name in told or (not told and (what or (numeric and _may_be_model(column)))):
            rewards[model] = column.name
    for column in columns:
        taken = {*rewards.values(), *responses.values()}
        if column.kind == "text" and column.name in rewards and column.name not in taken:
            responses.setdefault(column.name, column.name)
    return rewards, responses


def _may_be_model(column: Column) -> bool:
    return column.name.lower() not in NOT_JUDGES


def _has(table: Table, name: str) -> bool:
    return any(c.name == name for c in table.columns)


def _no_text(table: Table) -> InputError:
    return InputError(
        f"{table.label} has no column of instructions; found "
        f"{', '.join(c.name for c in table.columns)}.",
        "Say which it is: --instruction-column NAME.",
    )


def _unclear(table: Table) -> InputError:
    return InputError(
        f"{table.label} is neither tidy (a column of models) nor wide (a column of numbers per "
        f"model); found {', '.join(c.name for c in table.columns)}.",
        "Say what the columns mean: --model-column, --judge-columns, --layout.",
    )
