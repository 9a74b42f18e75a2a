"""How a source says which column means what: written by ``ingest``, carried out by ``store``."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from crowdselect.progress import Progress
from crowdselect.values import Model

ColumnKind = Literal["text", "number", "struct", "empty", "other"]

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

    def where(self, position: int) -> str:
        """Return ``FILE, row N`` (1-based, header not counted) of the row at ``position``."""
        k = bisect_right(self.starts, position) - 1
        return f"{self.files[k]}, row {position - self.starts[k] + 1:,}"

    @property
    def label(self) -> str:
        """The file's name, or the first and how many more."""
        rest = len(self.files) - 1
        return self.files[0] + (f" and {rest} more" if rest else "")


@dataclass(frozen=True)
class Instructions:
    """Which columns hold the instructions."""

    table: Table
    text: str
    id: str | None = None
    """None: the id is the first 16 hex digits of the sha256 of the text."""
    extra: tuple[str, ...] = ()
    """Columns kept beside each instruction: data set, kind, level ..."""


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
        self, paths: Sequence[Path], *, encoding: str = "utf-8", progress: Progress = ...
    ) -> Table:
        """Open files of one layout as one table."""

    def open_records(
        self, label: str, batches: Iterator[Any], *, progress: Progress = ...
    ) -> Table:
        """Take pyarrow tables of one layout as one table; ``label`` names them in errors."""

    def load(
        self, plan: Plan, *, dedupe_ids: str = "no", progress: Progress = ..., source: str = ""
    ) -> tuple[str, ...]:
        """Read everything as ``plan`` says; return the names of the models."""

    def read_models(self, path: Path) -> tuple[Model, ...]:
        """Read a table of models (CSV: model, family, size_b)."""

    def set_models(self, models: Sequence[Model]) -> None:
        """Say family and size of the models; those not named stay unknown."""

    def note(self, line: str) -> None:
        """Add a line to the ingest report."""
