"""The demo crowd's held-out tasks: a program checks every answer exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from crowdselect.benchmark.answering import subject_answers
from crowdselect.benchmark.base import Benchmark, Context, Item
from crowdselect.benchmark.sources import file_hash
from crowdselect.lm.generation import Request
from crowdselect.registry import option
from crowdselect.settings import demo_data
from crowdselect.tasks import Task, load_heldout, verify


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

    @property
    def label(self) -> str:
        """The name, and the file where it is not the demo's."""
        return f"{self.name}:{Path(self.path).stem}" if self.path else self.name

    def protocol(self, context: Context) -> dict[str, Any]:
        """As every benchmark's; the demo's own tasks count by their content too."""
        found = super().protocol(context)
        return {**found, "inputs": {"path": file_hash(self._file())}}

    def _file(self) -> Path:
        return Path(self.path).expanduser() if self.path else demo_data() / "heldout.parquet"

    def run(self, context: Context) -> Sequence[Item]:
        """Answer greedily and check."""
        tasks = load_heldout(self._file())[: context.limit]
        requests = [Request(t.id, ({"role": "user", "content": t.instruction},)) for t in tasks]
        answers = subject_answers(context, requests, self.max_new_tokens)
        return [self._item(task, answers[task.id]) for task in tasks]

    def _item(self, task: Task, record: dict[str, Any]) -> Item:
        if record["problem"]:
            return Item(task.id, task.kind, None, task.instruction, "", record["problem"])
        credit = verify(task, record["text"])
        value = credit if self.partial else float(credit == 1.0)
        details = {"reference": task.reference, "level": task.level, "credit": credit}
        return Item(task.id, task.kind, value, task.instruction, record["text"], details=details)
