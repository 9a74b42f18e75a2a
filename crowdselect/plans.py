"""How a source says which column means what: written by ``ingest``, carried out by ``store``."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Protocol

from crowdselect.progress import Progress
from crowdselect.values import Model

ColumnKind = Literal["text", "number", "truth", "struct", "list", "empty", "other"]

Decimal = Literal["point", "comma"]

NAMELESS = "__crowdselect_nameless_"
"""Begins the name given to a column that has none, before its place."""

ORIGIN = "__crowdselect_origin"
"""Column of records made from another table: the position there."""

TURNS = "__crowdselect_turns"
"""Column of a table of instructions that holds the whole question's turns as JSON."""

Cell = tuple[str, ...]
"""Where a value lies: ``(column,)``, or ``(column, struct field)``."""


@dataclass(frozen=True)
class Column:
    """One column of an input table, as its file declares it or as its values look."""

    name: str
    kind: ColumnKind
    looks_numeric: bool = False
    """At least half of the first values are numbers, whatever the declared type."""
    fractional: bool = False
    """Declared as floating-point or decimal numbers."""
    counting: bool = False
    """Whole numbers that rise by one from row to row (0, 0, 1, 1 ... or 0, 1, 2, 0, 1, 2 ...)."""
    decimal: Decimal = "point"
    """What stands before the decimals of its numbers, where they are text."""
    nested: bool = False
    """Text whose first values are lists or objects written as text."""
    dialogue: bool = False
    """Text whose first values are written as ``Human: ... Assistant: ...``."""
    verdicts: bool = False
    """Text whose first values are all words such as yes and no, pass and fail."""
    fields: tuple[Column, ...] = ()
    """The fields of a struct column."""


@dataclass(frozen=True)
class Table:
    """One or several files of the same layout, read as one table."""

    handle: str
    files: tuple[str, ...]
    starts: tuple[int, ...]
    """Position of each file's first row."""
    rows: int
    columns: tuple[Column, ...]
    origin: tuple[Table, Sequence[int]] | None = field(default=None, repr=False, compare=False)
    """The table that this one was made from, and the position there of each of its rows."""

    def where(self, position: int) -> str:
        """Return ``FILE, row N`` (1-based, header not counted) of the row at ``position``."""
        if self.origin is not None:
            table, positions = self.origin
            return table.where(int(positions[position]))
        k = bisect_right(self.starts, position) - 1
        return f"{self.files[k]}, row {position - self.starts[k] + 1:,}"

    def column(self, name: str) -> Column:
        """Return the column called ``name``; KeyError where there is none."""
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Column]:
        return {c.name: c for c in self.columns}

    @property
    def label(self) -> str:
        """The file's name, or the first and how many more."""
        rest = len(self.files) - 1
        return self.files[0] + (f" and {rest} more" if rest else "")


Meaning = Literal[
    "id", "instruction", "input", "system prompt", "earlier turns", "model", "response", "judge",
    "kept", "left out",
]  # fmt: skip
"""What a column can be taken for. ``kept``: beside each instruction, to filter and colour by."""


@dataclass(frozen=True)
class ColumnUse:
    """What one column of the input was taken for."""

    column: str
    meaning: Meaning
    of: str = ""
    """The model that a judge's or a response's column belongs to, where each has its own."""
    why: str = ""
    """In words, where it is not plain from the name."""


@dataclass(frozen=True)
class Instructions:
    """Which columns hold the instructions: what a model was asked, up to its answer."""

    table: Table
    text: str
    id: str | None = None
    """None: the id is the first 16 hex digits of the sha256 of the whole question."""
    extra: tuple[str, ...] = ()
    """Columns kept beside each instruction: data set, kind, level ..."""
    input: str | None = None
    """Alpaca's ``input``: a second half of the question."""
    system: str | None = None
    """The system prompt."""
    turns: str | None = None
    """JSON of the turns before the question: a list of ``{"role", "content"}``."""


@dataclass(frozen=True)
class ModelCells:
    """Where one model's answer and rewards lie in a row that holds every model."""

    name: str
    response: Cell | None
    rewards: Mapping[str, Cell]
    """Judge -> cell."""


@dataclass(frozen=True)
class SideBySide:
    """One row per instruction, the models side by side (nested or wide)."""

    instructions: Instructions
    models: tuple[ModelCells, ...]


@dataclass(frozen=True)
class Tidy:
    """One row per instruction and model.

    ``instructions.table`` may be the same table: then the first row of an id holds its text.
    """

    instructions: Instructions
    table: Table
    model: str
    id: str | None
    """Column that names the instruction; None: it is recognised by ``text``."""
    text: str | None
    response: str | None
    rewards: Mapping[str, str]
    """Judge -> column."""


Plan = SideBySide | Tidy


class Builder(Protocol):
    """What a source may ask of the crowd that is being built."""

    def peek(self, path: Path, *, encoding: str = "utf-8") -> tuple[Column, ...]:
        """Return the columns of a file as it declares them, without looking at the values."""

    def open_files(
        self,
        paths: Sequence[Path],
        *,
        encoding: str = "utf-8",
        same: Mapping[str, str] = ...,
        progress: Progress = ...,
    ) -> Table:
        """Open files of one layout as one table; ``same``: column -> the one it is part of."""

    def rows(self, table: Table) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield (position, row) of an opened table: lists and objects as such, texts, numbers."""

    def varying(self, table: Table, by: str, columns: Sequence[str]) -> frozenset[str]:
        """Return the columns that differ between rows with the same value of ``by``."""

    def open_records(
        self,
        label: str,
        batches: Iterator[Any],
        *,
        origin: Table | None = ...,
        progress: Progress = ...,
    ) -> Table:
        """Take pyarrow tables as one table; ``label`` names them in errors.

        ``origin``: the table that they were made from; their column ``ORIGIN`` holds the position
        there of each row, for errors.
        """

    def load(
        self,
        plan: Plan,
        *,
        uses: Sequence[ColumnUse] = ...,
        dedupe_ids: str = "no",
        samples: str = "no",
        progress: Progress = ...,
        source: str = "",
    ) -> tuple[str, ...]:
        """Read everything as ``plan`` says; return the names of the models.

        ``uses``: what each column of the input was taken for, for the report.
        """

    def read_models(self, path: Path) -> tuple[Model, ...]:
        """Read a table of models (CSV: model, family, size_b)."""

    def set_models(self, models: Sequence[Model]) -> None:
        """Say family and size of the models; those not named stay unknown."""

    def note(self, line: str) -> None:
        """Add a line to the ingest report."""
