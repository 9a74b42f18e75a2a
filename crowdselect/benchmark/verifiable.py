"""The demo crowd's held-out tasks: a program checks every answer exactly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import pyarrow.parquet as pq

from crowdselect.benchmark.answering import subject_answers
from crowdselect.benchmark.base import Benchmark, Context, Item
from crowdselect.benchmark.sources import file_hash
from crowdselect.errors import CrowdSelectError, InputError
from crowdselect.lm.generation import Request
from crowdselect.registry import option
from crowdselect.settings import demo_data
from crowdselect.tasks import Task, load_heldout, verify

if TYPE_CHECKING:
    from crowdselect.benchmark.config import BenchmarkConfig

QUESTION = "{question}"
"""Stands for the question in a plain form."""


@dataclass(frozen=True)
class Verifiable(Benchmark):
    """Accuracy on tasks of the demo world that no model has seen."""

    name: ClassVar[str] = "verifiable"
    title: ClassVar[str] = "Held-out tasks of the demo world"
    unit: ClassVar[str] = "share exactly right"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    source: ClassVar[str] = "this project, crowdselect/tasks"
    kind: ClassVar[Literal["own"]] = "own"

    path: str = option("", "Parquet of held-out tasks; empty: the demo crowd's own", opens="file")
    max_new_tokens: int = option(48, "Longest answer in tokens", low=1, high=4096)
    partial: bool = option(False, "Count partly right answers by their share")
    plain: str = option(
        "",
        "Ask in plain text, 'Question: {question} Answer:' say, as an untuned model may know it "
        "best; empty: the chat form",
    )

    @property
    def label(self) -> str:
        """The name, and the file where it is not the demo's."""
        return f"{self.name}:{Path(self.path).stem}" if self.path else self.name

    def protocol(self, context: Context) -> dict[str, Any]:
        """As every benchmark's; the demo's own tasks count by their content too."""
        found = super().protocol(context)
        if not self.plain:  # results from before there was a choice stay comparable
            del found["options"]["plain"]
        return {**found, "inputs": {"path": file_hash(self._file())}}

    def conflicts(self, config: BenchmarkConfig) -> Iterator[CrowdSelectError]:
        """A plain form without the question, or for a model that only takes chats."""
        if self.plain and QUESTION not in self.plain:
            yield InputError(
                f"The plain form {self.plain!r} does not say where the question goes.",
                f"Write {QUESTION} in it.",
            )
        if self.plain and config.subject.endpoint:
            yield InputError(
                "A served model is asked in chats, never in plain text.",
                "Leave the option plain out, or give a folder or hub id.",
            )

    def count(self, limit: int | None = None) -> int:
        """As many as the file has rows, or the limit."""
        rows: int = pq.read_metadata(self._file()).num_rows
        return min(rows, limit or rows)

    def _file(self) -> Path:
        return Path(self.path).expanduser() if self.path else demo_data() / "heldout.parquet"

    def run(self, context: Context) -> Sequence[Item]:
        """Answer greedily and check."""
        tasks = load_heldout(self._file())[: context.limit]
        requests = [self._request(task) for task in tasks]
        answers = subject_answers(context, requests, self.max_new_tokens)
        return [self._item(task, answers[task.id]) for task in tasks]

    def _request(self, task: Task) -> Request:
        plain = self.plain.replace(QUESTION, task.instruction) if self.plain else None
        return Request(task.id, ({"role": "user", "content": task.instruction},), plain=plain)

    def _item(self, task: Task, record: dict[str, Any]) -> Item:
        if record["problem"]:
            return Item(task.id, task.kind, None, task.instruction, "", record["problem"])
        credit = verify(task, record["text"])
        value = credit if self.partial else float(credit == 1.0)
        details = {"reference": task.reference, "level": task.level, "credit": credit}
        return Item(task.id, task.kind, value, task.instruction, record["text"], details=details)
