"""What every export format gets (examples) and gives (one data file)."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

from crowdselect.registry import option

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True)
class Turn:
    """One message of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True)
class Example:
    """One training example: a conversation and where it comes from.

    A conversation is an optional system turn, then user and assistant turns in alternation,
    ending with the assistant.
    """

    id: str
    turns: tuple[Turn, ...]
    model: str | None = None
    """Who wrote the responses."""
    rank: int = 0
    """1 = the best-scored of the selection."""
    score: float = float("nan")
    cluster: int = -1
    contributions: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""
    rejected: str = ""
    """A worse answer, for formats of pairs; empty: there is none."""
    margin: float = 0.0
    """By how much its reward is lower, in the judge's unit."""

    @property
    def system(self) -> str:
        """The system turn's text; empty: there is none."""
        first = self.turns[0]
        return first.content if first.role == "system" else ""

    @property
    def talk(self) -> tuple[Turn, ...]:
        """The turns without the system turn."""
        return self.turns[1:] if self.turns[0].role == "system" else self.turns

    @property
    def prompt(self) -> tuple[Turn, ...]:
        """Everything before the last assistant turn."""
        return self.turns[:-1]

    @property
    def instruction(self) -> str:
        """The last user turn's text."""
        return self.turns[-2].content

    @property
    def response(self) -> str:
        """The last assistant turn's text."""
        return self.turns[-1].content


@dataclass(frozen=True)
class Format(ABC):
    """A file format. Subclass, set the class variables, write the file, add one line to FORMATS."""

    name: ClassVar[str]
    title: ClassVar[str]
    file: ClassVar[str]
    """Name of the data file."""
    columns: ClassVar[tuple[tuple[str, str], ...]]
    """Fields and what they mean, for the dataset card."""
    pairs: ClassVar[bool] = False
    """Whether it holds a better and a worse answer: only examples with both are written."""

    system: str = option("", "System prompt put before every conversation that has none")

    @property
    def test_file(self) -> str:
        """Name of the file of what is held back for testing."""
        return f"test{Path(self.file).suffix}"

    @abstractmethod
    def __call__(self, examples: Sequence[Example], path: Path) -> None:
        """Write ``examples`` to ``path``; the same examples give the same bytes."""

    def dataset_info(self, name: str, examples: Sequence[Example]) -> dict[str, Any] | None:
        """The entry for LLaMA-Factory's ``dataset_info.json``; None: no entry."""
        return None

    def prepared(self, example: Example) -> Example:
        """``example`` with this format's system prompt, unless it brings its own."""
        if not self.system or example.system:
            return example
        turns = (Turn("system", self.system), *example.turns)
        return Example(**{**example.__dict__, "turns": turns})


def as_messages(turns: Iterable[Turn]) -> list[dict[str, str]]:
    """Turns in the role/content form that most libraries read."""
    return [{"role": t.role, "content": t.content} for t in turns]


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """One JSON object per line, UTF-8, keys in the given order, line feeds on every system."""
    with path.open("w", encoding="utf-8", newline="\n") as handle:
        for row in rows:
            handle.write(json.dumps(row, ensure_ascii=False) + "\n")


def write_json_array(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """A JSON array with one object per line, so that it can be read and compared by people."""
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text(f"[\n{lines}\n]\n" if lines else "[]\n", encoding="utf-8", newline="\n")
