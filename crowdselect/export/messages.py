"""Chat messages, one conversation per line: for trl and most trainers, and for OpenAI's API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crowdselect.export.base import Example, Format, as_messages, write_jsonl
from crowdselect.registry import option


@dataclass(frozen=True)
class Messages(Format):
    """``{"id", "messages": [{"role", "content"}, ...]}``, optionally with where each came from."""

    name = "messages"
    title = "Chat messages (JSONL)"
    file = "data.jsonl"
    columns = (
        ("id", "the instruction's id"),
        ("messages", "role and content of every turn"),
    )

    provenance: bool = option(False, "Add model, rank, score and cluster to every line")

    def __call__(self, examples: Sequence[Example], path: Path) -> None:
        """Write one line per example."""
        write_jsonl(path, (self._row(self.prepared(e)) for e in examples))

    def _row(self, example: Example) -> dict[str, Any]:
        row: dict[str, Any] = {"id": example.id, "messages": as_messages(example.turns)}
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

    def __call__(self, examples: Sequence[Example], path: Path) -> None:
        """Write one line per example."""
        rows = ({"messages": as_messages(self.prepared(e).turns)} for e in examples)
        write_jsonl(path, rows)
