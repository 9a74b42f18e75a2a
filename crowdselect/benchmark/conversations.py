"""A file of conversations as messages: what held-out loss and reward scores read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crowdselect.benchmark.sources import local_file
from crowdselect.errors import InputError
from crowdselect.lm.template import Message
from crowdselect.registry import content_key

_ROLES = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant",
          "model": "assistant", "system": "system"}  # fmt: skip


@dataclass(frozen=True)
class Conversation:
    """One row of the file."""

    id: str
    """The row's ``id``, ``question_id`` or ``uuid``; else a hash of its text."""
    messages: tuple[Message, ...]
    category: str = ""


def read_rows(path: str | Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Rows of a JSONL, JSON, Parquet or CSV file with their numbers from 1.

    Raises NotFoundError, or InputError naming file and row.
    """
    file = local_file(path)
    kind = file.suffix.lower()
    if kind == ".parquet":
        import pyarrow.parquet as pq

        yield from enumerate(pq.read_table(file).to_pylist(), start=1)
    elif kind == ".csv":
        import pandas as pd

        frame = pd.read_csv(file, keep_default_na=False)
        yield from enumerate(({str(k): v for k, v in r.items()} for r in frame.to_dict("records")),
                             start=1)  # fmt: skip
    elif kind == ".json":
        yield from _checked(file, enumerate(_json(file, 1, file.read_text("utf-8")), start=1))
    else:
        lines = enumerate(file.read_text("utf-8").split("\n"), start=1)
        parsed = ((n, _json(file, n, line)) for n, line in lines if line.strip())
        yield from _checked(file, parsed)


def _json(file: Path, row: int, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise InputError(f"{file}, row {row} is not JSON: {error}.", "Correct that row.") from error


def _checked(file: Path, rows: Iterator[tuple[int, Any]]) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, row in rows:
        if not isinstance(row, dict):
            raise InputError(
                f"{file}, row {number} is {type(row).__name__}, expected an object.",
                "Write one JSON object per row.",
            )
        yield number, row


def read_conversations(path: str | Path) -> list[Conversation]:
    """Conversations with an answer at their end; ids that recur are told apart by their place.

    Rows hold ``messages``, ``conversations`` (ShareGPT), ``prompt`` and ``completion``, or
    ``instruction``, ``input`` and ``output`` (Alpaca). Raises InputError naming file and row.
    """
    found: list[Conversation] = []
    seen: dict[str, int] = {}
    for number, row in read_rows(path):
        messages = _messages(row)
        if not messages or messages[-1]["role"] != "assistant":
            raise InputError(
                f"{path}, row {number} has no answer at its end; its columns are "
                f"{', '.join(row) or 'none'}.",
                "Rows need messages, conversations, prompt and completion, or instruction and "
                "output.",
            )
        name = str(row.get("id") or row.get("question_id") or row.get("uuid") or "")
        name = name or content_key(messages)
        seen[name] = seen.get(name, 0) + 1
        name = name if seen[name] == 1 else f"{name}#{seen[name]}"
        found.append(Conversation(name, tuple(messages), str(row.get("category") or "")))
    if not found:
        raise InputError(f"{path} holds no rows.", "Give a file with at least one conversation.")
    return found


def _messages(row: Mapping[str, Any]) -> list[Message]:
    if row.get("messages") or row.get("conversations"):
        return _turns(row.get("messages") or row["conversations"])
    if "prompt" in row and "completion" in row:
        return [*_side(row["prompt"], "user"), *_side(row["completion"], "assistant")]
    if "instruction" in row and ("output" in row or "response" in row):
        text = "\n\n".join(filter(None, (str(row["instruction"]), str(row.get("input") or ""))))
        answer = str(row.get("output") or row.get("response") or "")
        return [{"role": "user", "content": text}, {"role": "assistant", "content": answer}]
    return []


def _side(value: Any, role: str) -> list[Message]:
    if isinstance(value, str):
        return [{"role": role, "content": value}]
    return _turns(value)


def _turns(value: Any) -> list[Message]:
    turns: Sequence[Any] = value if isinstance(value, list) else []
    found = []
    for turn in turns:
        if not isinstance(turn, Mapping):
            return []
        role = _ROLES.get(str(turn.get("role", turn.get("from"))))
        content = turn.get("content", turn.get("value"))
        if role is None or not isinstance(content, str):
            return []
        found.append({"role": role, "content": content})
    return found
