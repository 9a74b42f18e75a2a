"""The ShareGPT form: ``conversations`` of ``from`` and ``value``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crowdselect.export.base import Example, Format, write_json_array

_SPEAKER = {"user": "human", "assistant": "gpt"}


@dataclass(frozen=True)
class ShareGPT(Format):
    """A JSON array of ``{"id", "conversations": [{"from": "human"|"gpt", "value"}]}``."""

    name = "sharegpt"
    title = "ShareGPT (JSON)"
    file = "data.json"
    columns = (
        ("id", "the instruction's id"),
        ("conversations", "speaker (human, gpt) and text of every turn"),
    )

    def __call__(self, examples: Sequence[Example], path: Path) -> None:
        """Write one array with an object per example."""
        write_json_array(path, (self._row(self.prepared(e)) for e in examples))

    def _row(self, example: Example) -> dict[str, Any]:
        talk = [{"from": _SPEAKER[t.role], "value": t.content} for t in example.talk]
        row: dict[str, Any] = {"id": example.id, "conversations": talk}
        if example.system:
            row["system"] = example.system
        return row
