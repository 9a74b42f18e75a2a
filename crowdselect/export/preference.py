"""Preference pairs: for DPO, ORPO, SimPO and reward models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from crowdselect.export.base import Example, Format, as_messages, described, write_jsonl
from crowdselect.registry import option


@dataclass(frozen=True)
class Preference(Format):
    """``{"id", "prompt", "chosen", "rejected", "margin"}`` with lists of messages, as TRL reads.

    Which answers make a pair is the rule of ``crowdselect finetune --method dpo``.
    """

    name = "preference"
    title = "Preference pairs (JSONL)"
    file = "data.jsonl"
    columns = (
        ("id", "the instruction's id"),
        ("prompt", "everything before the answers"),
        ("chosen", "the better answer"),
        ("rejected", "the worse answer"),
        ("margin", "by how much its reward is lower, in the judge's unit"),
    )
    pairs: ClassVar[bool] = True
    tools: ClassVar[bool] = True

    judge: str = option("", "By whose rewards (the recipe's judge, by default)")
    margin: float = option(0.5, "Least distance of the two in standard deviations", low=0)
    worse: str = option(
        "worst", "Which one is the worse answer", choices=("worst", "closest", "random")
    )

    def __call__(self, examples: Sequence[Example], path: Path) -> None:
        """Write one line per example that has a rejected answer."""
        write_jsonl(
            path, (self._row(self.prepared(e)) for e in examples if e.rejected or e.rejected_calls)
        )

    def _row(self, example: Example) -> dict[str, Any]:
        return {
            "id": example.id,
            "prompt": as_messages(example.prompt),
            "chosen": as_messages(example.turns[-1:]),
            "rejected": as_messages([example.rejected_turn]),
            "margin": example.margin,
            **described(example),
        }
