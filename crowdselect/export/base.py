"""What every export format gets (examples) and gives (one data file)."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

from crowdselect.errors import InputError
from crowdselect.registry import option

Role = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True)
class Turn:
    """One message of a conversation."""

    role: Role
    content: str
    tool_calls: tuple[dict[str, Any], ...] = ()
    """What an assistant calls: ``{"type": "function", "function": {"name", "arguments"}}``."""
    name: str = ""
    tool_call_id: str = ""


@dataclass(frozen=True)
class Example:
    """One training example: a conversation and where it comes from.

    A conversation is an optional system turn, then user and assistant turns in alternation,
    ending with the assistant. Turns of tools follow the assistant's that calls them.
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
    rejected_calls: tuple[dict[str, Any], ...] = ()
    """What the worse answer calls."""
    truth: str | None = None
    """The data's own right answer, for formats of prompts; None: it has none."""
    pass_rate: float = float("nan")
    """Share of the crowd's answers that solve it, for formats of prompts."""
    tools: tuple[dict[str, Any], ...] = ()
    """Descriptions of the tools that the assistant may call."""

    @property
    def calls(self) -> bool:
        """Whether tools are described or called."""
        return bool(self.tools) or any(t.role == "tool" or t.tool_calls for t in self.turns)

    @property
    def rejected_turn(self) -> Turn:
        """The worse answer."""
        return Turn("assistant", self.rejected, self.rejected_calls)

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
        return next((t.content for t in self.turns[-2::-1] if t.role == "user"), "")

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

    answers: ClassVar[bool] = True
    """Whether it holds answers: rows without one are left out."""
    tools: ClassVar[bool] = False
    """Whether it holds calls of tools; an example with some is refused elsewhere."""

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

    def beside(self, tested: bool) -> Mapping[str, str]:
        """Further small files of the folder, name -> text; ``tested``: a test file is there."""
        return {}

    def prepared(self, example: Example) -> Example:
        """``example`` with this format's system prompt, unless it brings its own."""
        if not self.system or example.system:
            return example
        turns = (Turn("system", self.system), *example.turns)
        return Example(**{**example.__dict__, "turns": turns})


def as_messages(turns: Iterable[Turn]) -> list[dict[str, Any]]:
    """Turns in the role/content form that most libraries read, with the keys of tools' calls."""
    return [_as_message(turn) for turn in turns]


def _as_message(turn: Turn) -> dict[str, Any]:
    more = {
        "tool_calls": list(turn.tool_calls),
        "name": turn.name,
        "tool_call_id": turn.tool_call_id,
    }
    return {"role": turn.role, "content": turn.content, **{k: v for k, v in more.items() if v}}


def described(example: Example) -> dict[str, str]:
    """The key ``tools`` where an example has some: JSON, because a column of objects with other
    keys in every row is none that Arrow keeps as it is; trainers read both.
    """
    if not example.tools:
        return {}
    return {"tools": json.dumps(list(example.tools), ensure_ascii=False)}


def check_tools(form: Format, examples: Iterable[Example]) -> None:
    """Raise InputError naming the first example whose calls of tools the format cannot hold."""
    odd = None if form.tools else next((e for e in examples if e.calls), None)
    if odd is not None:
        raise InputError(
            f"{odd.id} has tools or calls them, which the format {form.name} cannot hold.",
            "Choose another format: --format messages.",
        )


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """One JSON object per line, UTF-8, keys in the given order, line feeds on every system."""
    with path.open("w", encoding="utf-8", newline="\n") as handle:
        for row in rows:
            handle.write(json.dumps(row, ensure_ascii=False) + "\n")


def write_json_array(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """A JSON array with one object per line, so that it can be read and compared by people."""
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text(f"[\n{lines}\n]\n" if lines else "[]\n", encoding="utf-8", newline="\n")
