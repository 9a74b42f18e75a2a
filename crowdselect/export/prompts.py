"""Prompts for reinforcement learning, with what a reward function checks answers against."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from crowdselect.errors import InputError
from crowdselect.export.base import Example, Format, as_messages, described, write_jsonl
from crowdselect.registry import option


@dataclass(frozen=True)
class Prompts(Format):
    """``{"id", "prompt", "ground_truth", "pass_rate"}``, as TRL's GRPO and RLVR trainers read.

    ``prompt`` is a list of messages that ends before the answer; TRL hands every other column to
    the reward functions. Rows without an answer are written, too.
    """

    name = "prompts"
    title = "Prompts for GRPO and RLVR (JSONL)"
    file = "data.jsonl"
    columns = (
        ("id", "the instruction's id"),
        ("prompt", "everything before the answer"),
        ("ground_truth", "the data's own right answer, where it has one"),
        ("pass_rate", "share of the crowd's answers that solve it"),
    )
    answers: ClassVar[bool] = False
    tools: ClassVar[bool] = True

    truth: str = option("", "The data's column with the right answer (found by its name)")
    called: str = option("ground_truth", "What that column is called, such as solution")
    passing: str = option("pass_rate", "Metric column of the pass rate, such as pass_rate@verifier")

    def __post_init__(self) -> None:
        """Raise InputError where the right answer would stand in another column's place."""
        if self.called in ("id", "prompt", "pass_rate", "tools") or not self.called.strip():
            raise InputError(
                f"The right answer cannot be called {self.called!r}: the file has such a column.",
                "Leave called at ground_truth, or give another name, such as solution.",
            )

    def __call__(self, examples: Sequence[Example], path: Path) -> None:
        """Write one line per example."""
        rows = [self.prepared(e) for e in examples]
        # A column is in every line or in none, so that readers take it for one.
        told = any(e.truth is not None for e in rows)
        passed = any(not math.isnan(e.pass_rate) for e in rows)
        write_jsonl(path, (self._row(e, told, passed) for e in rows))

    def _row(self, example: Example, told: bool, passed: bool) -> dict[str, Any]:
        row: dict[str, Any] = {
            "id": example.id,
            "prompt": as_messages(example.prompt),
            **described(example),
        }
        if told:
            row[self.called] = example.truth
        if passed:
            row["pass_rate"] = None if math.isnan(example.pass_rate) else example.pass_rate
        return row
