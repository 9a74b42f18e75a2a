"""A file in one of the usual formats -> conversations; what cannot be read is named by its row."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crowdselect.errors import InputError, NotFoundError

Message = dict[str, str]
"""``{"role": "system" | "user" | "assistant" | "tool", "content": text}``."""

_ROLES = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "bot": "assistant",
    "chatgpt": "assistant",
    "model": "assistant",
    "system": "system",
    "tool": "tool",
    "observation": "tool",
}


@dataclass(frozen=True)
class Conversation:
    """One row of training data."""

    row: int
    """Row of the file, from 1."""
    messages: tuple[Message, ...]
    """The whole conversation; for a preference pair: prompt and chosen answer."""
    rejected: tuple[Message, ...] = ()
    """For a preference pair: prompt and rejected answer."""
    prompt_turns: int = 0
    """For a preference pair: how many leading messages are the prompt."""


@dataclass(frozen=True)
class TrainingData:
    """What a file holds."""

    path: Path
    format: str
    """``messages``, ``sharegpt``, ``prompt-completion``, ``alpaca`` or ``preference``."""
    conversations: tuple[Conversation, ...]
    empty: tuple[int, ...]
    """Rows left out because their (chosen) answer is empty, or equals the rejected one."""


def read_data(path: str | Path, *, preference: bool = False) -> TrainingData:
    """Read training data; the format is recognised by the first row's columns.

    Raises
    ------
    NotFoundError
        If there is no such file.
    InputError
        Naming file and row, if a row is not what its format says, or the file holds no
        preference pairs where ``preference`` asks for them.
    """
    path = Path(path)
    if not path.is_file():
        raise NotFoundError(
            f"There is no data file {path}.", "Give a JSONL, JSON, Parquet or CSV file."
        )
    rows = list(_rows(path))
    if not rows:
        raise InputError(f"{path} holds no rows.", "Export a selection that is not empty.")
    name, convert = _recognise(rows[0], path)
    if preference != (name == "preference"):
        raise InputError(
            f"{path} holds {name} rows, but the method "
            + ("compares a chosen with a rejected answer." if preference else "is sft."),
            "Give rows with prompt, chosen and rejected."
            if preference
            else "Use --method dpo, orpo or simpo, or give rows with one answer.",
        )
    conversations, empty = _convert_all(rows, convert, path)
    if not conversations:
        raise InputError(f"Every row of {path} has an empty answer.", "Check the answer column.")
    return TrainingData(path, name, tuple(conversations), tuple(empty))


def _convert_all(
    rows: Sequence[Any], convert: Callable[[Mapping[str, Any], int], Conversation], path: Path
) -> tuple[list[Conversation], list[int]]:
    conversations, empty = [], []
    for number, row in enumerate(rows, start=1):
        try:
            conversation = convert(row, number)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            what = f"the column {error} is missing" if isinstance(error, KeyError) else str(error)
            raise InputError(
                f"{path}, row {number}: {what}.", "Correct the row, or leave it out."
            ) from error
        if _says_nothing(conversation):
            empty.append(number)
        else:
            conversations.append(conversation)
    return conversations, empty


def _says_nothing(conversation: Conversation) -> bool:
    answers = [m for m in conversation.messages if m["role"] == "assistant"]
    return (
        not any(m["content"].strip() for m in answers)
        or conversation.messages == conversation.rejected
    )


def _rows(path: Path) -> Iterator[Any]:
    kind = path.suffix.lower()
    if kind in (".jsonl", ".ndjson"):
        yield from _json_lines(path)
    elif kind == ".json":
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise InputError(f"{path} is not JSON: {error}.", "Correct that place.") from error
        yield from value if isinstance(value, list) else [value]
    elif kind in (".parquet", ".csv"):
        yield from _table(path)
    else:
        raise InputError(
            f"{path} ends in {kind or 'nothing'}; expected .jsonl, .json, .parquet or .csv.",
            "Rename or convert the file.",
        )


def _json_lines(path: Path) -> Iterator[Any]:
    number = 0
    with path.open(encoding="utf-8") as lines:
        try:
            for line in lines:
                number += 1
                if line.strip():
                    yield json.loads(line)
        except UnicodeDecodeError as error:
            raise InputError(f"{path} is not UTF-8: {error}.", "Save it as UTF-8.") from error
        except ValueError as error:
            raise InputError(
                f"{path}, line {number}: not JSON: {error}.", "Correct or remove that line."
            ) from error


def _table(path: Path) -> Iterator[Any]:
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    try:
        if path.suffix.lower() == ".csv":
            table = pyarrow.csv.read_csv(
                path, parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True)
            )
        else:
            table = pyarrow.parquet.read_table(path)
    except pa.ArrowInvalid as error:
        raise InputError(f"{path} cannot be read: {error}.", "Write the file again.") from error
    yield from table.to_pylist()


def _recognise(
    row: Any, path: Path
) -> tuple[str, Callable[[Mapping[str, Any], int], Conversation]]:
    columns = set(row) if isinstance(row, Mapping) else set()
    for name, needed, convert in _FORMATS:
        if needed <= columns:
            return name, convert
    known = "; ".join(f"{name}: {', '.join(sorted(needed))}" for name, needed, _ in _FORMATS)
    raise InputError(
        f"{path}: its first row has the columns {', '.join(sorted(columns)) or 'none'}, "
        "which is no known format.",
        f"Known formats and the columns they need: {known}.",
    )


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{where} is {type(value).__name__}, expected text")
    return value


def _message(value: Any, role_key: str, text_key: str) -> Message:
    role = _ROLES.get(str(value[role_key]).lower())
    if role is None:
        raise ValueError(f"{value[role_key]!r} is no known role ({', '.join(_ROLES)})")
    return {"role": role, "content": _text(value[text_key], f"a {role} message")}


def _messages(value: Any) -> list[Message]:
    if not isinstance(value, Sequence) or isinstance(value, str) or not len(value):
        raise ValueError("expected a list of messages")
    keys = ("from", "value") if "from" in value[0] else ("role", "content")
    return [_message(message, *keys) for message in value]


def _turns(value: Any, role: str) -> list[Message]:
    """Text or messages -> messages."""
    if isinstance(value, str):
        return [{"role": role, "content": value}]
    return _messages(value)


def _from_messages(row: Mapping[str, Any], number: int) -> Conversation:
    return Conversation(number, tuple(_messages(row["messages"])))


def _from_sharegpt(row: Mapping[str, Any], number: int) -> Conversation:
    turns = _messages(row["conversations"])
    return Conversation(number, (*_system(row), *turns))


def _from_prompt(row: Mapping[str, Any], number: int) -> Conversation:
    prompt = _turns(row["prompt"], "user")
    return Conversation(number, (*prompt, *_turns(row["completion"], "assistant")))


def _from_alpaca(row: Mapping[str, Any], number: int) -> Conversation:
    question = _text(row["instruction"], "instruction")
    if row.get("input"):
        question += "\n" + _text(row["input"], "input")
    turns = ({"role": "user", "content": question},)
    answer = {"role": "assistant", "content": _text(row["output"], "output")}
    return Conversation(number, (*_system(row), *turns, answer))


def _from_preference(row: Mapping[str, Any], number: int) -> Conversation:
    chosen, rejected = _turns(row["chosen"], "assistant"), _turns(row["rejected"], "assistant")
    if row.get("prompt") is not None:
        prompt = _turns(row["prompt"], "user")
        return Conversation(number, (*prompt, *chosen), (*prompt, *rejected), len(prompt))
    shared = 0
    while shared < min(len(chosen), len(rejected)) and chosen[shared] == rejected[shared]:
        shared += 1
    if not shared:
        raise ValueError("chosen and rejected share no prompt, and there is no prompt column")
    return Conversation(number, tuple(chosen), tuple(rejected), shared)


def _system(row: Mapping[str, Any]) -> tuple[Message, ...]:
    text = row.get("system")
    return ({"role": "system", "content": _text(text, "system")},) if text else ()


_FORMATS: tuple[tuple[str, set[str], Callable[[Mapping[str, Any], int], Conversation]], ...] = (
    ("preference", {"chosen", "rejected"}, _from_preference),
    ("messages", {"messages"}, _from_messages),
    ("sharegpt", {"conversations"}, _from_sharegpt),
    ("prompt-completion", {"prompt", "completion"}, _from_prompt),
    ("alpaca", {"instruction", "output"}, _from_alpaca),
)
