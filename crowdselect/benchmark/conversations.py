"""A file of conversations with answers as what a benchmark asks about, each under a name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from crowdselect.benchmark.sources import local_file
from crowdselect.errors import InputError
from crowdselect.lm import conversations
from crowdselect.lm.conversations import Conversation
from crowdselect.reading import read_table
from crowdselect.registry import content_key


def read_rows(path: str | Path, texts: str | None = None) -> Iterator[tuple[int, dict[str, Any]]]:
    """Rows of a file that a person gave, with their numbers from 1; see ``read_table``.

    Raises NotFoundError, or InputError naming file and row.
    """
    yield from read_table(local_file(path), texts=texts)


def read_conversations(path: str | Path) -> list[Conversation]:
    """Conversations with an answer at their end; ids that recur are told apart by their place.

    A row without an id is called by a hash of its text. See
    :func:`crowdselect.lm.conversations.read_conversations` for the formats and what is raised;
    a preference file, and a conversation that does not end with an answer, are refused by name.
    """
    found = conversations.read_conversations(local_file(path))
    if found.format == "preference":
        raise InputError(
            f"{found.path.name} holds preference pairs, which have two answers.",
            "Give rows with one: messages, prompt and completion, or instruction and output.",
        )
    seen: dict[str, int] = {}
    named = []
    for row in found.rows:
        if row.messages[-1]["role"] != "assistant":
            raise InputError(
                f"{row.where} has no answer at its end.",
                "The last message must be the assistant's.",
            )
        name = row.id or content_key(row.messages)
        seen[name] = seen.get(name, 0) + 1
        named.append(replace(row, id=name if seen[name] == 1 else f"{name}#{seen[name]}"))
    return named
