"""The Alpaca form: instruction, input, output; earlier turns in ``history``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crowdselect.errors import InputError
from crowdselect.export.base import Example, Format, write_json_array


@dataclass(frozen=True)
class Alpaca(Format):
    """A JSON array of ``{"instruction", "input", "output"}``; ``system``, ``history`` if any."""

    name = "alpaca"
    title = "Alpaca (JSON)"
    file = "data.json"
    columns = (
        ("instruction", "the last user turn"),
        ("input", "always empty: the instruction holds everything"),
        ("output", "the response"),
    )

    def __call__(self, examples: Sequence[Example], path: Path) -> None:
        """Write one array with an object per example."""
        write_json_array(path, (self._row(self.prepared(e)) for e in examples))

    def _row(self, example: Example) -> dict[str, Any]:
        row: dict[str, Any] = {
            "instruction": example.instruction,
            "input": "",
            "output": example.response,
        }
        if example.system:
            row["system"] = example.system
        earlier = [turn.content for turn in example.talk[:-2]]
        if earlier:
            if len(earlier) % 2 or any(
                turn.role != ("user", "assistant")[k % 2]
                for k, turn in enumerate(example.talk[:-2])
            ):
                raise InputError(
                    f"{example.id}: its earlier turns are no pairs of question and answer, which "
                    "is all that the alpaca form holds.",
                    "Choose another format: --format messages.",
                )
            row["history"] = [list(pair) for pair in zip(earlier[::2], earlier[1::2], strict=True)]
        return row
