"""What the terminal shows: JSON, tables, and progress with the time left."""

from __future__ import annotations

import dataclasses
import json
import math
import re
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import numpy as np
import typer
from pydantic import BaseModel
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from crowdselect.errors import Damaged
from crowdselect.progress import Progress

SHOW_AFTER_S = 1.0
_quiet: ContextVar[bool] = ContextVar("quiet", default=False)
LINE_EVERY_S = 10.0


def plain(value: Any) -> Any:
    """``value`` as JSON types: arrays become lists, NaN and infinities null."""
    if isinstance(value, BaseModel):
        return plain(value.model_dump(mode="json"))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value


_UNSEEN = re.compile(
    "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ud800-\\udfff]"
)
"""What steers a terminal or turns text around, and half characters, which none can print."""


def visible(text: str) -> str:
    r"""``text`` as it can be shown: what would steer the terminal is written as ``\u001b``."""
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def print_json(value: Any) -> None:
    """Print one JSON document on stdout."""
    typer.echo(visible(json.dumps(plain(value), ensure_ascii=False, indent=2)))


def tell(text: object) -> None:
    """Print a line of a command's result on stdout."""
    typer.echo(visible(str(text)))


def say(text: str) -> None:
    """Print a line for people on stderr, unless they want quiet."""
    if not _quiet.get():
        complain(text)


def complain(text: str) -> None:
    """Print a line on stderr, also for those who want quiet: what went wrong."""
    typer.echo(visible(text), err=True)


def be_quiet(wanted: bool) -> None:
    """Whether :func:`say` and progress are silent from now on."""
    _quiet.set(wanted)


def say_damaged(found: Iterable[Damaged]) -> None:
    """Say on stderr what a listing had to pass over, and what can be done."""
    for each in found:
        say(f"Damaged {each.kind} {each.name}: {each}")


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], title: str = "") -> None:
    """Print a table on stdout; numbers to the right, cell text never read as markup."""
    if not rows:
        return say("None yet.")
    table = Table(
        title=Text(visible(title)) if title else None,
        title_justify="left",
        header_style="bold",
        box=SIMPLE,
        show_header=any(columns),
    )
    for number, column in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[number], int | float | None) for row in rows)
        table.add_column(
            Text(visible(column)),
            justify="right" if numeric else "left",
            overflow="fold",
            no_wrap=numeric or number == 0,
        )
    for row in rows:
        table.add_row(*(Text(visible(_cell(value))) for value in row))
    return Console(width=None if sys.stdout.isatty() else 160).print(table)


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


@contextmanager
def progress() -> Iterator[Progress]:
    """Yield a progress callable: a bar with the time left on stderr for anything that takes long.

    Where stderr is not a terminal, a line is written every ten seconds.
    """
    shown = sys.stderr.isatty() and not _quiet.get()
    report = _OnTerminal() if shown else _AsLines()
    try:
        yield report
    finally:
        report.stop()


class _OnTerminal:
    """A bar that appears once a second has passed, one per step."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._bar: Bar | None = None
        self._label = ""
        self._task = TaskID(0)

    def __call__(self, done: int, total: int | None, label: str = "") -> None:
        label = visible(label)
        if self._bar is None:
            if time.monotonic() - self._started < SHOW_AFTER_S:
                return
            self._bar = bar_of(Console(stderr=True))
            self._bar.start()
            self._task = self._bar.add_task(label, total=total)
        elif label != self._label:
            self._bar.reset(self._task, total=total, description=label)
        self._label = label
        self._bar.update(self._task, completed=done, total=total, description=label)

    def stop(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()


class _AsLines:
    """A line now and then, for logs."""

    def __init__(self) -> None:
        self._last = self._began = time.monotonic()
        self._label = ""
        self._first = 0

    def __call__(self, done: int, total: int | None, label: str = "") -> None:
        now = time.monotonic()
        if label != self._label:
            self._label, self._began, self._first = label, now, done
        if now - self._last < LINE_EVERY_S:
            return
        self._last = now
        say(_line(done, total, label, now - self._began, done - self._first))

    def stop(self) -> None:
        """Nothing is left to take away."""


def _line(done: int, total: int | None, label: str, elapsed_s: float, advanced: int) -> str:
    if not total:
        return f"{label}: {done:,}"
    left = f", {(total - done) * elapsed_s / advanced:,.0f} s left" if advanced > 0 else ""
    return f"{label}: {done:,} of {total:,} ({done / total:.0%}){left}"


def bar_of(console: Console) -> Bar:
    """A rich progress bar with counts, elapsed time and time left; it goes away when stopped."""
    return Bar(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
