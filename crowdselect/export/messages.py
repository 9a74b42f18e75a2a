"""Chat messages, one conversation per line: for trl and most trainers, and for OpenAI's API."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from crowdselect.export.base import Example, Format, as_messages, described, write_jsonl
from crowdselect.registry import option


@dataclass(frozen=True)
class Messages(Format):
    """``{"id", "messages": [{"role", "content"}, ...]}``, optionally with where each came from."""

    name = "messages"
    title = "Chat messages (JSONL)"
    file = "data.jsonl"
    columns = (
        ("id", "the instruction's id"),
        ("messages", "role and content of every turn, and calls of tools"),
    )
    tools: ClassVar[bool] = True

    provenance: bool = option(False, "Add model, rank, score and cluster to every line")

    def __call__(self, examples: Sequence[Example], path: Path) -> None:
        """Write one line per example."""
        write_jsonl(path, (self._row(self.prepared(e)) for e in examples))

    def _row(self, example: Example) -> dict[str, Any]:
        row: dict[str, Any] = {
            "id": example.id,
            "messages": as_messages(example.turns),
            **described(example),
        }
        if self.provenance:
            row |= {
                "model": example.model,
                "rank": example.rank,
                "score": None if example.score != example.score else example.score,
                "cluster": example.cluster,
            }
        return row


@dataclass(frozen=True)
class OpenAI(Format):
    """``{"messages": [...]}`` and no other key: what OpenAI's fine-tuning API accepts."""

    name = "openai"
    title = "OpenAI fine-tuning (JSONL)"
    file = "data.jsonl"
    columns = (("messages", "role and content of every turn"),)
    tools: ClassVar[bool] = True

    def __call__(self, examples: Sequence[Example], path: Path) -> None:
        """Write one line per example."""
        write_jsonl(path, (_openai(self.prepared(e)) for e in examples))


def _openai(example: Example) -> dict[str, Any]:
    """With arguments as JSON text, and every call and its answer under one id."""
    messages = as_messages(example.turns)
    open_: list[str] = []
    for number, message in enumerate(messages):
        calls = message.get("tool_calls", ())
        if calls:
            named = [call.get("id") or f"call_{number}_{k}" for k, call in enumerate(calls)]
            message["tool_calls"] = [
                {"id": name, "type": "function", "function": {
                    "name": call["function"]["name"],
                    "arguments": json.dumps(call["function"]["arguments"], ensure_ascii=False),
                }}
                for name, call in zip(named, calls, strict=True)
            ]  # fmt: skip
            open_ = named
        if message["role"] == "tool":
            message.setdefault("tool_call_id", open_[0] if open_ else f"call_{number}")
            open_ = [name for name in open_ if name != message["tool_call_id"]]
    return {"messages": messages, **({"tools": list(example.tools)} if example.tools else {})}
