"""The ShareGPT form: ``conversations`` of ``from`` and ``value``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from crowdselect.errors import InputError
from crowdselect.export.base import Example, Format, Turn, described, write_json_array

_SPEAKER = {"user": "human", "assistant": "gpt", "tool": "observation"}
CALLS = "function_call"


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

    tools: ClassVar[bool] = True

    def __call__(self, examples: Sequence[Example], path: Path) -> None:
        """Write one array with an object per example."""
        write_json_array(path, (self._row(self.prepared(e)) for e in examples))

    def _row(self, example: Example) -> dict[str, Any]:
        talk = [_said(example.id, turn) for turn in example.talk]
        row: dict[str, Any] = {"id": example.id, "conversations": talk}
        if example.system:
            row["system"] = example.system
        return row | described(example)


def _said(identity: str, turn: Turn) -> dict[str, str]:
    if not turn.tool_calls:
        return {"from": _SPEAKER[turn.role], "value": turn.content}
    if turn.content:
        raise InputError(
            f"{identity} speaks and calls a tool in one turn, which this form cannot hold.",
            "Choose another format: --format messages.",
        )
    calls = [call["function"] for call in turn.tool_calls]
    value = calls[0] if len(calls) == 1 else calls
    return {"from": CALLS, "value": json.dumps(value, ensure_ascii=False)}
