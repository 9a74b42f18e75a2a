"""Prompt and completion, so that only the completion carries loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from crowdselect.errors import InputError
from crowdselect.export.base import Example, Format, as_messages, described, write_jsonl
from crowdselect.registry import option


@dataclass(frozen=True)
class PromptCompletion(Format):
    """``{"id", "prompt", "completion"}``: lists of messages, or plain text with ``text``."""

    name = "prompt-completion"
    title = "Prompt and completion (JSONL)"
    file = "data.jsonl"
    columns = (
        ("id", "the instruction's id"),
        ("prompt", "everything before the last response"),
        ("completion", "the last response"),
    )

    tools: ClassVar[bool] = True

    text: bool = option(False, "Plain strings instead of messages: for a base model, single-turn")

    def __call__(self, examples: Sequence[Example], path: Path) -> None:
        """Write one line per example."""
        write_jsonl(path, (self._row(self.prepared(e)) for e in examples))

    def _row(self, example: Example) -> dict[str, Any]:
        if not self.text:
            prompt = as_messages(example.prompt)
            return {
                "id": example.id,
                "prompt": prompt,
                "completion": as_messages(example.turns[-1:]),
                **described(example),
            }
        if len(example.turns) != 2 or example.calls:
            raise InputError(
                f"{example.id} has {len(example.turns)} turns; plain text holds one question "
                "and one response, without a system prompt or tools.",
                "Leave the option text away, or choose the format messages.",
            )
        return {"id": example.id, "prompt": example.instruction, "completion": example.response}
