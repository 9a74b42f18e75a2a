"""The demo crowd's held-out tasks: a program checks every answer exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from crowdselect.benchmark.answering import answer_all
from crowdselect.benchmark.base import Benchmark, Context, Item
from crowdselect.benchmark.generate import Request
from crowdselect.demo.tasks import Task, load_heldout, verify
from crowdselect.registry import option
from crowdselect.settings import demo_data


@dataclass(frozen=True)
class Verifiable(Benchmark):
    """Accuracy on tasks of the demo world that no model has seen."""

    name: ClassVar[str] = "verifiable"
    title: ClassVar[str] = "Held-out tasks of the demo world"
    unit: ClassVar[str] = "share exactly right"
    source: ClassVar[str] = "this project, crowdselect/demo/tasks"
    kind: ClassVar[Literal["own"]] = "own"

    path: str = option("", "Parquet of held-out tasks; empty: the demo crowd's own")
    max_new_tokens: int = option(48, "Longest answer in tokens", low=1, high=4096)
    partial: bool = option(False, "Count partly right answers by their share")

    def run(self, context: Context) -> Sequence[Item]:
        """Answer greedily and check."""
        path = Path(self.path) if self.path else demo_data() / "heldout.parquet"
        tasks = load_heldout(path)[: context.limit]
        requests = [Request(t.id, ({"role": "user", "content": t.instruction},)) for t in tasks]
        answers = answer_all(context, requests, self.max_new_tokens)
        return [self._item(task, answers[task.id]) for task in tasks]

    def _item(self, task: Task, record: dict[str, Any]) -> Item:
        credit = verify(task, record["text"])
        value = credit if self.partial else float(credit == 1.0)
        details = {"reference": task.reference, "level": task.level, "credit": credit}
        return Item(task.id, task.kind, value, task.instruction, record["text"], details=details)
