"""Tables: tidy (one row per instruction and model), wide (one column per model), or nested."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from crowdselect.errors import InputError
from crowdselect.ingest.columns import DIFFERS, LISTS, NO_JUDGE, Found, Named, find_columns
from crowdselect.ingest.names import IDS, JUDGES, MODELS, RESPONSES, TEXTS, TRUTHS, is_identifier
from crowdselect.ingest.shapes import (
    ByColumn,
    asks_in_turns,
    holds_lists,
    questions,
    recognise,
    unfold,
)
from crowdselect.ingest.source import Source, files_of, split_names
from crowdselect.ingest.wide import refuse_answers_without_model, wide_models
from crowdselect.plans import (
    TURNS,
    Builder,
    Column,
    ColumnUse,
    Instructions,
    ModelCells,
    Plan,
    SideBySide,
    Table,
    Tidy,
)
from crowdselect.progress import Progress, silent
from crowdselect.reading import SUFFIXES
from crowdselect.registry import option

_ONE_THING = (IDS, TEXTS, MODELS, RESPONSES, JUDGES)
"""Names that, each in files of its own, may be one column."""


@dataclass(frozen=True)
class TableSource(Source):
    """CSV, TSV, Parquet or JSONL files; columns are recognised by name, and can be told."""

    name: ClassVar[str] = "table"
    title: ClassVar[str] = "Tables, tidy, wide or nested: CSV, Parquet, JSONL"

    id_column: str = option("", "column that holds the instruction's id")
    instruction_column: str = option("", "column that holds the instruction's text")
    input_column: str = option("", "column with the second half of the question (Alpaca's input)")
    system_column: str = option("", "column that holds the system prompt")
    model_column: str = option("", "tidy: column that holds the model's name")
    response_column: str = option("", "tidy: column that holds the response")
    judge_columns: str = option("", "columns that hold rewards, separated by commas")
    leave_out: str = option("", "columns to leave out, separated by commas")
    judge: str = option("reward", "wide: what to call the judge whose rewards these are")
    layout: str = option("auto", "how the table is laid out", choices=("auto", "tidy", "wide"))
    encoding: str = option("utf-8", "encoding of text files, such as latin-1")

    def __call__(self, paths: Sequence[str], builder: Builder, progress: Progress = silent) -> None:
        """Read tidy, wide or nested tables; instructions may lie in a table of their own."""
        files, remarks = files_of(paths, SUFFIXES, split=self.split or None)
        for remark in remarks:
            builder.note(remark)
        source = self
        tables = [f for f in files if f.name == "models.csv"]
        if tables and not self.models and len(files) > 1:
            source = replace(self, models=str(tables[0]))
        files = [f for f in files if f.name != "models.csv" or len(files) == 1]
        source.read([f for f in files if str(f) != self.models], builder, progress)

    def read(self, files: Sequence[Path], builder: Builder, progress: Progress) -> None:
        """Sort the files into answers and instructions, and load them."""
        columns = {file: builder.peek(file, encoding=self.encoding) for file in files}
        answers, texts = self._sort(columns)
        same = _one_thing({file: columns[file] for file in answers}, builder)
        table = builder.open_files(answers, encoding=self.encoding, same=same, progress=progress)
        named = self._named(table)
        if texts:
            named = named.here([c.name for c in table.columns])
        found = find_columns(table.columns, named, table.label)
        shape = None if texts else recognise(table, found, builder)
        if shape is not None:
            plan = unfold(table, shape, builder, progress)
            self.load(plan, builder, progress, uses=shape.uses)
        elif self._is_tidy(found):
            found = _judged_answers(table, found, named, builder)
            aside = builder.open_files(texts, encoding=self.encoding) if texts else None
            tidy, uses = self._tidy(table, found, aside, builder, progress)
            self.load(tidy, builder, progress, uses=uses)
        elif texts:
            raise _unclear(table)
        else:
            self._load_wide(table, builder, progress)

    def _sort(self, columns: dict[Path, tuple[Column, ...]]) -> tuple[list[Path], list[Path]]:
        """Files with a column of models hold answers; the others, if any, instructions."""
        answers: list[Path] = []
        others: list[Path] = []
        for file, found in columns.items():
            if _is_nested(found):
                raise InputError(
                    f"{file.name} is nested: it has a struct per model.",
                    "Use the source magpie: crowdselect ingest magpie FILE.",
                )
            names = {c.name.lower() for c in found}
            tidy = self.model_column.lower() in names or (
                not self.model_column and bool(names & set(MODELS))
            )
            (answers if tidy and self.layout != "wide" else others).append(file)
        return (answers, others) if answers else (others, [])

    def _named(self, table: Table) -> Named:
        """The options that name a column."""
        names = [c.name for c in table.columns]
        return Named(
            self.id_column,
            self.instruction_column,
            self.input_column,
            self.system_column,
            self.model_column,
            self.response_column,
            split_names(self.judge_columns, names),
            split_names(self.leave_out, names),
        )

    def _is_tidy(self, found: Found) -> bool:
        if self.layout == "auto":
            return found.model is not None and (found.response is not None or bool(found.judges))
        return self.layout == "tidy"

    def _tidy(
        self,
        table: Table,
        found: Found,
        aside: Table | None,
        builder: Builder,
        progress: Progress,
    ) -> tuple[Tidy, list[ColumnUse]]:
        if found.model is None:
            raise InputError(
                f"{table.label} has no column of models; found "
                f"{', '.join(c.name for c in table.columns)}.",
                "Say which it is: --model-column NAME.",
            )
        uses = list(found.uses())
        if aside is None:
            texts = _instructions(table, found)
        else:
            of_texts = self._beside(aside)
            texts = _instructions(aside, of_texts)
            if asks_in_turns(texts, of_texts.history, builder):
                texts = questions(aside, of_texts, builder, progress)
            why = "the instructions lie in a file of their own"
            uses = [replace(u, meaning="left out", why=why) if u.meaning == "kept" else u
                    for u in uses]  # fmt: skip
            told = {u.column for u in uses}
            uses += [u for u in of_texts.uses() if u.column not in told]
        shared_id = found.id if texts.id is not None else None
        if shared_id is None and found.text is None:
            raise InputError(
                f"{table.label} does not say which instruction a row answers.",
                "Say which column holds the id: --id-column NAME.",
            )
        rewards = {j: j for j in found.judges}
        plan = Tidy(texts, table, found.model, shared_id, found.text, found.response, rewards)
        return plan, uses

    def _beside(self, table: Table) -> Found:
        """The columns of a table of instructions; options name those of the answers, too."""
        named = self._named(table).here([c.name for c in table.columns])
        named = replace(named, model="", response="", judges=())
        found = find_columns(table.columns, named, table.label)
        plain = [c.name for c in table.columns if c.name in (found.model, *found.judges)]
        return replace(found, model=None, response=None, judges=(), extra=(*found.extra, *plain))

    def _load_wide(self, table: Table, builder: Builder, progress: Progress) -> None:
        found = self._beside(table)
        texts = _instructions(table, found)
        told = split_names(self.judge_columns, [c.name for c in table.columns])
        gone = {u.column for u in found.left_out if u.why != LISTS}
        own = {texts.text, texts.id, texts.input, texts.system, found.history, *gone} - {""}
        columns = [c for c in table.columns if c.name not in own or c.name in told]
        models = wide_models(columns, told)
        if not models.names:
            raise _unclear(table)
        if self.layout != "wide" and not told:
            refuse_answers_without_model(table, models)
        cells = tuple(
            ModelCells(
                name,
                (models.responses[name],) if name in models.responses else None,
                {self.judge: (models.rewards[name],)} if name in models.rewards else {},
            )
            for name in models.names
        )
        extra = tuple(n for n in texts.extra if n not in models.columns)
        shown = ", ".join(models.names[:12])
        more = f" and {len(models.names) - 12:,} more" if len(models.names) > 12 else ""
        builder.note(f"Read as a wide table, one column per model: {shown}{more}.")
        uses = [*models.uses(), *(u for u in found.uses() if u.column not in models.columns)]
        sides = SideBySide(replace(texts, extra=extra), cells)
        plan: Plan = sides
        if asks_in_turns(texts, found.history, builder) or holds_lists(sides):
            shape = ByColumn(replace(found, extra=extra, judges=()), models=cells)
            plan = unfold(table, shape, builder, progress)
        self.load(plan, builder, progress, uses=uses)


def _instructions(table: Table, found: Found) -> Instructions:
    if found.text is None:
        raise InputError(
            f"{table.label} has no column of instructions; found "
            f"{', '.join(c.name for c in table.columns)}.",
            "Say which it is: --instruction-column NAME.",
        )
    turns = TURNS if any(c.name == TURNS for c in table.columns) else None
    return Instructions(table, found.text, found.id, found.extra, found.input, found.system, turns)


def _judged_answers(table: Table, found: Found, named: Named, builder: Builder) -> Found:
    """Sort what stands beside the answers by whether it differs between those to one question."""
    key = found.id or found.text
    if key is None or not found.extra:
        return found
    varying = builder.varying(table, key, found.extra)
    truths = tuple(
        c for c in found.extra
        if c in varying and table.column(c).kind == "truth" and not named.judges
    )  # fmt: skip
    out = [ColumnUse(c, "left out", why=_why(table.column(c))) for c in found.extra
           if c in varying and c not in truths]  # fmt: skip
    return replace(
        found,
        judges=(*found.judges, *truths),
        extra=tuple(c for c in found.extra if c not in varying),
        left_out=(*found.left_out, *out),
    )


def _why(column: Column) -> str:
    numbers = column.kind == "number" or column.looks_numeric
    counts = column.counting or is_identifier(column.name)
    return NO_JUDGE if numbers and counts and column.name.lower() not in TRUTHS else DIFFERS


def _one_thing(columns: dict[Path, tuple[Column, ...]], builder: Builder) -> dict[str, str]:
    """Find columns that are one thing under two names: a file has the one or the other."""
    files = [(file.name, {c.name for c in found}) for file, found in columns.items()]
    same: dict[str, str] = {}
    every = list(dict.fromkeys(n for _, names in files for n in names))
    for synonyms in _ONE_THING:
        known = [n for n in every if n.lower() in synonyms]
        known.sort(key=lambda n: synonyms.index(n.lower()))
        if len(known) < 2 or not all(len(names.intersection(known)) == 1 for _, names in files):
            continue
        same |= dict.fromkeys(known[1:], known[0])
        where = ", ".join(
            f"{next(n for n in known if n in names)} in {f}" for f, names in files[:4]
        )
        builder.note(f"Read as one column, {known[0]}: {where}.")
    return same


def _is_nested(columns: Sequence[Column]) -> bool:
    """Tell whether a file has a struct per model: a text and a number in several of them."""
    structs = [c for c in columns if c.kind == "struct"]
    answers = [c for c in structs if any(f.kind == "text" for f in c.fields)
               and not {"role", "from"} & {f.name for f in c.fields}]  # fmt: skip
    return len(answers) > 1


def _unclear(table: Table) -> InputError:
    return InputError(
        f"{table.label} is neither tidy (a column of models) nor wide (a column of numbers per "
        f"model); found {', '.join(c.name for c in table.columns)}.",
        "Say what the columns mean: --model-column, --judge-columns, --layout. For training data "
        "with one answer per row use: crowdselect ingest sft FILE",
    )
