"""Training data: the conversations of a file that go with a method, and those with an answer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from crowdselect.errors import InputError
from crowdselect.lm.conversations import Conversation, Conversations, read_conversations


@dataclass(frozen=True)
class TrainingData:
    """What a file holds."""

    path: Path
    format: str
    """``messages``, ``sharegpt``, ``prompt-completion``, ``alpaca`` or ``preference``."""
    conversations: tuple[Conversation, ...]
    empty: tuple[int, ...]
    """Rows left out because their (chosen) answer is empty, or equals the rejected one."""
    remarks: tuple[str, ...] = ()
    """What a person should know about how the file was read."""


def read_data(path: str | Path, *, preference: bool = False) -> TrainingData:
    """Read training data: see :func:`crowdselect.lm.conversations.read_conversations`.

    Raises
    ------
    NotFoundError
        If there is no such file.
    InputError
        Naming file and row, if a row is not what its format says, or the file holds no
        preference pairs where ``preference`` asks for them.
    """
    found = read_conversations(path)
    if preference != (found.format == "preference"):
        raise InputError(
            f"{found.path} holds {found.format} rows, but the method "
            + ("compares a chosen with a rejected answer." if preference else "is sft."),
            "Give rows with prompt, chosen and rejected."
            if preference
            else "Use --method dpo, orpo or simpo, or give rows with one answer.",
        )
    if preference:
        _refuse_in_pairs(found)
    kept = tuple(row for row in found.rows if row.answered)
    if not kept:
        raise InputError(f"Every row of {path} has an empty answer.", "Check the answer column.")
    empty = tuple(row.row for row in found.rows if not row.answered)
    return TrainingData(found.path, found.format, kept, empty, found.remarks)


def _refuse_in_pairs(found: Conversations) -> None:
    """What the preference methods of TRL would pass over without a word."""
    for row in found.rows:
        messages = (*row.messages, *row.rejected)
        parts = {
            "tool_calls": any("tool_calls" in m for m in messages),
            "tools": bool(row.tools),
            "weight 0": any(m.get("weight", 1) == 0 for m in messages),
        }
        for part, there in parts.items():
            if there:
                raise InputError(
                    f"{row.where} has {part}, which the preference methods do not use.",
                    "Leave such rows out, or fine-tune with --method sft.",
                )
