"""A file of prompts -> conversations that wait for an answer, each under an id of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crowdselect.errors import InputError
from crowdselect.lm.calls import written
from crowdselect.lm.conversations import (
    ID_COLUMNS,
    QUESTIONS,
    TALKS,
    Row,
    naming_row,
    question_of,
    with_system,
)
from crowdselect.lm.messages import Message, json_list, read_messages
from crowdselect.reading import read_table, small_letters


@dataclass(frozen=True)
class Prompt:
    """What is asked: system text and earlier turns, if any, and the question."""

    id: str
    """The row's own id, else its number."""
    messages: tuple[Message, ...]

    @property
    def text(self) -> str:
        """See :func:`question_text`."""
        return question_text(self.messages)


def question_text(messages: Sequence[Message]) -> str:
    """The whole question as one text: every turn, parted by an empty line; calls as text."""
    said = map(written, messages)
    return "\n\n".join(text for text in said if text.strip())


_SPEAKERS = {"system": "System", "user": "User", "assistant": "Assistant", "tool": "Tool"}


def spoken_text(messages: Sequence[Message]) -> str:
    """The question as one text that says who speaks; one user's turn stands as it is.

    For prompts that a scorer was published with as text: a question of one turn reads as there.
    """
    if len(messages) == 1 and messages[0]["role"] == "user":
        return messages[0]["content"]
    said = ((_SPEAKERS[m["role"]], written(m)) for m in messages)
    return "\n\n".join(f"{who}: {text}" for who, text in said if text.strip())


def first_exchange(messages: Sequence[Message]) -> tuple[tuple[Message, ...], str] | None:
    """The first user turn, with the system text before it, and the answer; None: there is none."""
    asked = next((k for k, m in enumerate(messages) if m["role"] == "user"), len(messages))
    answer = next((m["content"] for m in messages[asked:] if m["role"] == "assistant"), None)
    if answer is None or not answer.strip():
        return None
    system = [m for m in messages[:asked] if m["role"] == "system"]
    return (*system, messages[asked]), answer


def read_prompts(path: str | Path) -> list[Prompt]:
    """Read prompts that a model is to answer.

    Rows have an instruction (with ``input``), prompt or question, as text or messages, or a whole
    conversation, whose last answer is left out; ``system`` and ``history`` belong to it. A list of
    texts, and a ``.txt`` file with one prompt per line, are read too.

    Raises
    ------
    NotFoundError
        If there is no such file.
    InputError
        Naming file and row, for one that asks nothing, and for an id that recurs.
    """
    table = read_table(path, texts="prompt")
    if not len(table):
        raise InputError(f"{table.path.name} holds no prompts.", "Give a file with at least one.")
    found, seen = [], dict[str, int]()
    for number, given in table:
        row = small_letters(given)
        with naming_row(table, number):
            messages = asked_of(row)
        own = next((row[c] for c in ID_COLUMNS if row.get(c) not in (None, "")), number)
        first = seen.setdefault(str(own), number)
        if first != number:
            raise InputError(
                f"{table.where(number)}: the id {own} is that of row {first:,}, too.",
                "Give every row an id of its own, or none at all.",
            )
        found.append(Prompt(str(own), messages))
    return found


def asked_of(row: Row) -> tuple[Message, ...]:
    """What a row asks: system text, earlier turns, and at the end the question.

    Raises ValueError in words that follow ``FILE, row N:``.
    """
    talk = next((row[c] for c in TALKS if row.get(c)), None)
    turns = json_list(row.get("turns"))
    if talk is not None:
        messages = read_messages(talk)
        if messages[-1]["role"] == "assistant":
            messages.pop()
    elif turns and not any(row.get(c) for c in QUESTIONS):
        if len(turns) > 1:
            raise ValueError("its turns follow on each other's answers; give one prompt per row")
        messages = read_messages(turns)
    else:
        messages = question_of(row)
    if not messages or messages[-1]["role"] not in ("user", "tool"):
        raise ValueError("no question stands at its end")
    if not messages[-1]["content"].strip():
        raise ValueError("its question is empty")
    return with_system(row, messages)
