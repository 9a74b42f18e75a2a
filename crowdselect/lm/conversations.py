"""A file that a person gave -> conversations: the one reader of training and benchmark files.

A row is recognised by its columns, whose capital letters do not count; what cannot be read is
named by its row. Alpaca's ``input`` (and Dolly's ``context``) follows the instruction after one
line break, as LLaMA-Factory joins them and as such rows have always been trained on here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crowdselect.errors import InputError
from crowdselect.lm.messages import Message, json_list, read_messages, text_of, unused_keys
from crowdselect.reading import (
    Table,
    mended_cells,
    name_list,
    read_table,
    replaced_remark,
    small_letters,
)

Row = Mapping[str, Any]

ID_COLUMNS = (
    "id", "uuid", "instruction_id", "prompt_id", "question_id", "conversation_id", "example_id",
    "custom_id", "uid", "key",
)  # fmt: skip
QUESTIONS = ("instruction", "prompt", "question", "query", "user_prompt", "problem")
"""Columns that hold what is asked, the likeliest first; ``input`` where there is no other."""
ANSWERS = ("output", "completion", "response", "answer", "solution", "target")
SYSTEMS = ("system", "system_prompt", "system_message", "sys_prompt", "system_instruction",
           "system_msg", "systemprompt", "sys")  # fmt: skip
INPUTS = ("input", "context", "input_text")
"""A second half of the question, as in Alpaca's and Dolly's rows."""
HISTORIES = (
    "history", "conversation_history", "chat_history", "dialogue_history", "message_history",
    "previous_turns", "earlier_turns", "previous_messages", "earlier_messages",
)  # fmt: skip
"""Turns before the question."""
TALKS = ("messages", "conversations", "conversation", "dialogue", "dialog", "chat")
_LABELS = ("label", "kto_tag")
_TOOLS = ("tools", "functions")
_PARSED = (*TALKS, *_TOOLS, *HISTORIES, "turns", "chosen", "rejected")
"""Columns whose cells may be lists or objects written as text."""


@dataclass(frozen=True)
class Conversation:
    """One row."""

    row: int
    """Row of the file (or of all the files of a folder), from 1."""
    messages: tuple[Message, ...]
    """The whole conversation; for a preference pair: prompt and chosen answer."""
    rejected: tuple[Message, ...] = ()
    """For a preference pair: prompt and rejected answer."""
    prompt_turns: int = 0
    """For a preference pair: how many leading messages are the prompt."""
    id: str = ""
    """The row's own id; empty: it has none."""
    category: str = ""
    tools: tuple[dict[str, Any], ...] = ()
    """Descriptions of the tools that the assistant may call."""
    place: str = field(default="", compare=False)
    """``FILE, row N``, where it was read from one."""

    @property
    def where(self) -> str:
        """Its place in words, for messages."""
        return self.place or f"Row {self.row}"

    @property
    def answered(self) -> bool:
        """Whether an answer is there to be learned, and differs from the rejected one."""
        said = any(
            m["content"].strip() or m.get("tool_calls")
            for m in self.messages
            if m["role"] == "assistant" and m.get("weight", 1) != 0
        )
        return said and self.messages != self.rejected


@dataclass(frozen=True)
class Conversations:
    """What a file holds."""

    path: Path
    format: str
    """Of the first row: ``messages``, ``sharegpt``, ``prompt-completion``, ``alpaca`` or
    ``preference``."""
    rows: tuple[Conversation, ...]
    remarks: tuple[str, ...] = ()
    """What a person should know about how the file was read."""


def read_conversations(path: str | Path) -> Conversations:
    """Read a file or a folder of conversations with answers.

    Raises
    ------
    NotFoundError
        If there is no such file.
    InputError
        Naming file and row, if a row is in no known format or not what its format says.
    """
    table = read_table(path)
    if not len(table):
        raise InputError(f"{table.path} holds no rows.", "Give a file with at least one row.")
    found: list[Conversation] = []
    formats: dict[frozenset[str], _Format] = {}
    kinds: list[str] = []
    unused: set[str] = set()
    halves = 0
    for number, given in table:
        row, more = mended_cells(small_letters(given), _PARSED)
        halves += more
        columns = frozenset(k for k, v in row.items() if v is not None)
        if columns not in formats:
            formats[columns] = _recognise(columns, table, number, kinds)
        kinds.append(formats[columns].name)
        with naming_row(table, number):
            found.append(_converted(formats[columns], row, number, table.where(number)))
        for turn in next((json_list(row[c]) or [] for c in TALKS if row.get(c)), []):
            unused |= unused_keys(turn)
    if "preference" in kinds and set(kinds) != {"preference"}:
        odd = next(k for k, kind in enumerate(kinds, start=1) if kind != kinds[0])
        raise InputError(
            f"{table.where(odd)} is a {kinds[odd - 1]} row, the first one a {kinds[0]} row.",
            "Make two files of them.",
        )
    replaced = replaced_remark(table.path.name, halves)
    remarks = [*table.remarks, *replaced, *_taken(next(iter(formats)))]
    if unused:
        remarks.append(f"Not used of the messages: {', '.join(sorted(unused))}.")
    return Conversations(table.path, kinds[0], tuple(found), tuple(remarks))


@contextmanager
def naming_row(table: Table, number: int) -> Iterator[None]:
    """Say the row of what is wrong inside of the block: a ValueError becomes an InputError."""
    try:
        yield
    except ValueError as error:
        raise InputError(
            f"{table.where(number)}: {error}.", "Correct the row, or leave it out."
        ) from error


@dataclass(frozen=True)
class _Format:
    name: str
    needs: tuple[tuple[str, ...], ...]
    """One column of each tuple."""
    convert: Callable[[Row, int], Conversation]

    def fits(self, columns: frozenset[str]) -> bool:
        return all(columns.intersection(names) for names in self.needs)


_REFUSED: tuple[tuple[frozenset[str], str, str], ...] = (
    (
        frozenset(("input_ids",)),
        "already tokenised",
        "Give the texts: messages, or prompt and completion.",
    ),
    (
        frozenset(("completions",)),
        "several completions per row",
        "Ingest the file as a crowd, or keep one: prompt and completion, or chosen and rejected.",
    ),
    (
        frozenset(("text",)),
        "question and answer in one text",
        "Part them: messages, or prompt and completion.",
    ),
)


def _recognise(columns: frozenset[str], table: Table, number: int, kinds: Sequence[str]) -> _Format:
    found = next((f for f in _FORMATS if f.fits(columns)), None)
    if found is not None:
        _refuse_labels(found, small_letters(table.rows[number - 1]), table.where(number))
        return found
    for names, what, remedy in _REFUSED:
        if names <= columns:
            raise InputError(
                f"{table.where(number)} holds {what} (column {', '.join(names)}), which is no "
                "known format of conversations.",
                remedy,
            )
    row = small_letters(table.rows[number - 1])
    if any(f.fits(frozenset(row)) for f in _FORMATS):
        empty = [c for c, value in row.items() if value is None]
        raise InputError(
            f"{table.where(number)} holds nothing (null) in {name_list(empty)}.",
            "Correct the row, or leave it out.",
        )
    known = "; ".join(f"{f.name}: {', '.join(n[0] for n in f.needs)}" for f in _FORMATS[:-1])
    before = f"; the rows before it are {kinds[-1]}" if kinds else ""
    raise InputError(
        f"{table.where(number)} has the columns {name_list(sorted(columns))}, "
        f"which is no known format{before}.",
        f"Known formats and the columns they need: {known}.",
    )


def _refuse_labels(found: _Format, row: Row, where: str) -> None:
    """Refuse unpaired preferences: the answers labelled bad would be learned."""
    column = next((c for c in _LABELS if isinstance(row.get(c), bool)), None)
    if column is not None and found.name != "preference":
        raise InputError(
            f"{where}: its column {column!r} says whether the answer is good (unpaired "
            "preferences, as KTO takes them); bad ones would be learned.",
            f"Keep the rows whose {column} is true, without that column; or make pairs of chosen "
            "and rejected.",
        )


def _taken(columns: frozenset[str]) -> list[str]:
    """Say what columns with other names than the format's own were taken for."""
    if columns.intersection(TALKS) or {"chosen", "rejected"} <= columns:
        return []
    question, answer = _first(columns, (*QUESTIONS, "input")), _first(columns, ANSWERS)
    more = _first(columns - {question}, INPUTS)
    usual = {("instruction", "output"), ("prompt", "completion")}
    if (question, answer) in usual and more in (None, "input"):
        return []
    extra = f" with {more}" if more else ""
    return [f"{question}{extra} is taken for the question, {answer} for the answer."]


def _first(columns: frozenset[str] | Row, names: Sequence[str]) -> str | None:
    return next((name for name in names if name in columns), None)


def _converted(format_: _Format, row: Row, number: int, place: str) -> Conversation:
    made = format_.convert(row, number)
    name = next((row[c] for c in ID_COLUMNS if row.get(c) not in (None, "")), "")
    category = row.get("category")
    return Conversation(
        number,
        made.messages,
        made.rejected,
        made.prompt_turns,
        str(name),
        "" if category is None else str(category),
        tools_in(row),
        place,
    )


def tools_in(row: Row) -> tuple[dict[str, Any], ...]:
    """Descriptions of tools in a row's own column; raises ValueError where they are none."""
    value = next((row[c] for c in _TOOLS if row.get(c)), None)
    if value is None:
        return ()
    listed = json_list(value)
    if listed is None or not all(isinstance(tool, Mapping) for tool in listed):
        raise ValueError("tools is no list of descriptions")
    return tuple(
        dict(t) if "function" in t else {"type": "function", "function": dict(t)} for t in listed
    )


def system_of(row: Row) -> tuple[Message, ...]:
    """The system message of a row's own column; raises ValueError where it is no text."""
    column = next((c for c in SYSTEMS if row.get(c)), None)
    if column is None:
        return ()
    return ({"role": "system", "content": text_of(row[column], column)},)


def with_system(row: Row, messages: Sequence[Message]) -> tuple[Message, ...]:
    """Messages with the row's system column before them; raises ValueError where two differ."""
    system = system_of(row)
    own = messages[0] if messages and messages[0]["role"] == "system" else None
    if not system or own is None:
        return (*system, *messages)
    if own["content"].strip() != system[0]["content"].strip():
        raise ValueError("its system column differs from the system message of its conversation")
    return tuple(messages)


def turns_or_text(value: Any, role: str, what: str) -> list[Message]:
    """A text as one message of ``role``; one message, or a list of messages, as they are."""
    if isinstance(value, str) and not value.lstrip().startswith('[{"'):
        return [{"role": role, "content": value}]
    if isinstance(value, Mapping):
        value = [value]
    if json_list(value) is not None:
        return read_messages(value)
    return [{"role": role, "content": text_of(value, what)}]


def history_of(row: Row) -> list[Message]:
    """Earlier turns: Alpaca's pairs of question and answer, or messages."""
    column = next((c for c in HISTORIES if row.get(c) not in (None, "", [], "[]")), None)
    if column is None:
        return []
    turns = json_list(row[column])
    if turns is None:
        raise ValueError(f"{column} is no list of earlier turns")
    if all(isinstance(t, Mapping) for t in turns):
        return read_messages(turns)
    found: list[Message] = []
    for pair in turns:
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise ValueError(f"{column} is no list of pairs of question and answer")
        found += [
            {"role": "user", "content": text_of(pair[0], "a question in history")},
            {"role": "assistant", "content": text_of(pair[1], "an answer in history")},
        ]
    return found


def question_of(row: Row) -> list[Message]:
    """What a row asks, by its columns: earlier turns, the question, and ``input`` or ``context``.

    Raises ValueError where a column holds something else than text or messages.
    """
    names = (*QUESTIONS, "input")
    column = next((c for c in names if row.get(c)), _first(row, names))
    if column is None or row[column] is None:
        raise ValueError(f"it asks nothing; expected a column {', '.join(QUESTIONS)}")
    turns = turns_or_text(row[column], "user", column)
    more = next((c for c in INPUTS if c != column and row.get(c)), None)
    if more is not None:
        if len(turns) != 1:
            raise ValueError(f"its {column} is a conversation and it has a column {more}, too")
        parts = (turns[0]["content"], text_of(row[more], more))
        turns = [{"role": "user", "content": "\n".join(filter(None, parts))}]
    return [*history_of(row), *turns]


def _from_talk(row: Row, number: int) -> Conversation:
    value = next(row[c] for c in TALKS if row.get(c) is not None)
    return Conversation(number, with_system(row, read_messages(value)))


def _from_columns(row: Row, number: int) -> Conversation:
    column = next(c for c in ANSWERS if row.get(c) is not None)
    answer = turns_or_text(row[column], "assistant", column)
    return Conversation(number, (*with_system(row, question_of(row)), *answer))


def _from_preference(row: Row, number: int) -> Conversation:
    chosen, rejected = (turns_or_text(row[c], "assistant", c) for c in ("chosen", "rejected"))
    asked = _asked(row)
    if chosen[0]["role"] == rejected[0]["role"] == "assistant":
        if not asked:
            raise ValueError(
                "chosen and rejected share no prompt, and there is no prompt column (dialogues "
                "in one text are not parted here)"
            )
        prompt = with_system(row, asked)
        return Conversation(number, (*prompt, *chosen), (*prompt, *rejected), len(prompt))
    if len(rejected) == 1:  # only the other answer was written
        rejected = [*chosen[:-1], *rejected]
    elif len(chosen) == 1:
        chosen = [*rejected[:-1], *chosen]
    chosen, rejected = (list(with_system(row, side)) for side in (chosen, rejected))
    shared = 0
    while shared < min(len(chosen), len(rejected)) and chosen[shared] == rejected[shared]:
        shared += 1
    if not shared:
        raise ValueError("chosen and rejected share no prompt")
    told = {m["content"].strip() for m in chosen[:shared]}
    if any(m["content"].strip() not in told for m in asked):
        raise ValueError("its prompt is no part of the conversations in chosen and rejected")
    return Conversation(number, tuple(chosen), tuple(rejected), shared)


def _asked(row: Row) -> list[Message]:
    """The prompt of a preference pair; empty: it is told by what the conversations share."""
    if _first({k: v for k, v in row.items() if v}, (*QUESTIONS, "input")):
        return question_of({k: v for k, v in row.items() if v})
    talk = row.get("conversations")
    return read_messages(talk) if talk else []


_FORMATS = (
    _Format("preference", (("chosen",), ("rejected",)), _from_preference),
    _Format("messages", (("messages", "conversation", "dialogue", "dialog", "chat"),), _from_talk),
    _Format("sharegpt", (("conversations",),), _from_talk),
    _Format("prompt-completion", (("prompt",), ("completion",)), _from_columns),
    _Format("alpaca", (("instruction",), ("output",)), _from_columns),
    _Format("prompt-completion", ((*QUESTIONS, "input"), ANSWERS), _from_columns),
)
