"""Which columns of a table mean what: known names first, then what the values look like."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from crowdselect.errors import InputError
from crowdselect.ingest.names import (
    HISTORIES,
    IDS,
    INPUTS,
    JUDGES,
    MODELS,
    RESPONSES,
    SYSTEMS,
    TEXTS,
    TRUTHS,
    is_identifier,
    is_index_name,
)
from crowdselect.ingest.source import choose
from crowdselect.plans import NAMELESS, TURNS, Column, ColumnUse

ROW_NUMBERS = "row numbers"
NO_JUDGE = "whole numbers that count or name something; --judge-columns takes them as rewards"
LISTS = "lists or objects"
DIFFERS = "differs between the answers to one instruction"


@dataclass(frozen=True)
class Named:
    """The columns that a person named; empty: to be found."""

    id: str = ""
    instruction: str = ""
    input: str = ""
    system: str = ""
    model: str = ""
    response: str = ""
    judges: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    def here(self, names: Iterable[str]) -> Named:
        """Return what of it names a column among ``names``: of several tables, each has some."""
        there = {"", *names}
        told = {f: v for f, v in self.__dict__.items() if isinstance(v, str) and v not in there}
        return replace(
            self,
            **dict.fromkeys(told, ""),
            judges=tuple(v for v in self.judges if v in there),
            left_out=tuple(v for v in self.left_out if v in there),
        )


@dataclass(frozen=True)
class Found:
    """The columns of one table by meaning; None: there is none."""

    id: str | None
    text: str | None
    input: str | None
    system: str | None
    history: str | None
    model: str | None
    response: str | None
    judges: tuple[str, ...]
    extra: tuple[str, ...]
    left_out: tuple[ColumnUse, ...] = ()

    def uses(self, *, answers: bool = True) -> tuple[ColumnUse, ...]:
        """Say of every column what it was taken for."""
        named: tuple[tuple[str | None, str], ...] = (
            (self.id, "id"),
            (self.text, "instruction"),
            (self.input, "input"),
            (self.system, "system prompt"),
            (self.history, "earlier turns"),
            (self.model, "model"),
            (self.response, "response"),
        )
        found = [ColumnUse(c, meaning) for c, meaning in named if c is not None]  # type: ignore[arg-type]
        found += [ColumnUse(c, "judge") for c in self.judges]
        found += [ColumnUse(c, "kept") for c in self.extra]
        return (*found, *self.left_out)

    def uses_of(self, meaning: str) -> frozenset[str]:
        """The columns that were taken for ``meaning``."""
        return frozenset(u.column for u in self.uses() if u.meaning == meaning)


def find_columns(columns: Sequence[Column], named: Named, label: str) -> Found:
    """Tell the columns of a tidy table, or of a table of instructions, by meaning.

    Raises InputError for a named column that is not there.
    """
    names = [c.name for c in columns]
    _check_told(names, named, label)
    told = {n for n in (named.id, named.instruction, named.input, named.system, named.model,
                        named.response, *named.judges, *named.left_out) if n}  # fmt: skip
    kinds = {c.name: c for c in columns}
    free = [n for n in names if n not in told and not n.startswith(NAMELESS)]
    scalar = [n for n in free if kinds[n].kind not in ("struct", "list", "other")]

    def pick(synonyms: Sequence[str], name: str, what: str, among: list[str]) -> str | None:
        return choose(names if name else among, synonyms, name, f"{what} in {label}")

    identity = pick(IDS, named.id, "ids", scalar)
    text = pick(TEXTS, named.instruction, "instructions", free)
    model = pick(MODELS, named.model, "models", scalar)
    response = pick(RESPONSES, named.response, "responses", free) if model else None
    worded = [n for n in scalar if kinds[n].kind in ("text", "number", "truth", "empty")
              and n not in (text, response, identity, model)]  # fmt: skip
    if TURNS in names:  # the text is the whole question already
        worded, free = [], []
    more = pick(INPUTS, named.input, "inputs", worded) if text else None
    system = pick(SYSTEMS, named.system, "system prompts", worded)
    history = pick(HISTORIES, "", "earlier turns", [n for n in free if n != text])
    if identity is None and text is None:
        identity = next((n for n in free if is_index_name(n)), None)
    taken = {TURNS, identity, text, more, system, history, model, response, *named.left_out}
    rest = [c for c in columns if c.name not in taken]
    judges = named.judges or tuple(c.name for c in rest if is_judge(c))
    extra, left_out = _beside([c for c in rest if c.name not in judges])
    out = [ColumnUse(n, "left out", why="asked for") for n in named.left_out]
    return Found(
        identity, text, more, system, history, model, response, judges, extra, (*out, *left_out)
    )


def _check_told(names: Sequence[str], named: Named, label: str) -> None:
    for name in (*named.judges, *named.left_out):
        if name not in names:
            what = "a judge" if name in named.judges else "leaving out"
            raise InputError(
                f"There is no column {name!r} for {what} in {label}; found {', '.join(names)}.",
                "Check the name; capital letters count.",
            )


def _beside(columns: Sequence[Column]) -> tuple[tuple[str, ...], list[ColumnUse]]:
    """What is kept beside the instructions, and what is left out with its reason."""
    extra: list[str] = []
    out: list[ColumnUse] = []
    for column in columns:
        why = why_left_out(column)
        if why:
            shown = "" if column.name.startswith(NAMELESS) else column.name
            out.append(ColumnUse(shown, "left out", why=why))
        else:
            extra.append(column.name)
    return tuple(extra), out


def why_left_out(column: Column) -> str:
    """Say why a column that means nothing else is left out; empty: it is kept."""
    if column.kind == "empty":
        return "empty"
    if column.kind in ("struct", "list", "other"):
        return LISTS
    if is_index(column):
        return ROW_NUMBERS
    return ""


def is_index(column: Column) -> bool:
    """Tell whether a column holds the row numbers that pandas, R or people add to a table."""
    if column.name.startswith(NAMELESS):
        return True
    if not is_index_name(column.name):
        return False
    whole = column.kind == "number" or column.looks_numeric
    return whole or column.name.lower().startswith(("unnamed:", "__index_level_"))


def is_judge(column: Column) -> bool:
    """Tell whether a column looks like rewards: numbers not known to mean something else."""
    name = column.name.lower().strip()
    if name in JUDGES:
        return column.kind != "struct"
    if column.kind == "truth" or column.verdicts:
        return name in TRUTHS
    numeric = column.kind == "number" or (column.kind == "text" and column.looks_numeric)
    if not numeric or is_identifier(name) or is_index(column):
        return False
    return not column.counting
