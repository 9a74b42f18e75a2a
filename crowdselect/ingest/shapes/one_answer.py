"""Rows of training data: what was asked, and the one answer that is trained on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from crowdselect.errors import InputError
from crowdselect.ingest.columns import Found
from crowdselect.ingest.names import CONVERSATIONS, JUDGES, RESPONSES
from crowdselect.ingest.shapes.answers import (
    Answer,
    Row,
    Shape,
    is_conversation,
    is_transcript,
    number,
    response_of,
    split_answer,
)
from crowdselect.ingest.source import choose
from crowdselect.lm.conversations import with_system
from crowdselect.lm.messages import json_list, read_messages
from crowdselect.plans import ColumnUse, Table
from crowdselect.reading import plain_name

_ANSWERS = (*RESPONSES, "solution", "target")
_SAID = "the conversation says it"


@dataclass(frozen=True)
class OneAnswer(Shape):
    """One answer per row: in a column of its own, or at the end of a conversation."""

    author: str = ""
    """Whom the crowd names for the answers."""
    response: str = ""
    conversation: str = ""
    judges: tuple[str, ...] = ()
    counts: Counter[str] = field(default_factory=Counter, compare=False)
    """How often something was met that the report tells, in words."""

    def answers(self, row: Row) -> list[Answer]:
        """Return the one answer of a row."""
        rewards = {judge: number(row.get(judge), judge) for judge in self.judges}
        if not self.conversation:
            text = response_of(row.get(self.response), self.response)
            return [Answer(self.author, text, rewards)]
        prompt, text = split_answer(self._answered(row[self.conversation]), self.conversation)
        system = row.get(self.found.system or "")
        if system not in (None, ""):
            prompt = with_system({"system": system}, prompt)
        return [Answer(self.author, text, rewards, prompt)]

    def _answered(self, value: Any) -> Any:
        """The conversation up to its last answer; a question at the end has none."""
        turns = json_list(value)
        if not turns or not is_conversation(turns):
            return value
        last = max((k for k, t in enumerate(turns) if _speaks(t)), default=len(turns) - 1)
        if last < len(turns) - 1:
            self.counts["conversations go on after their last answer; the rest was left out."] += 1
        return turns[: last + 1]


def _speaks(turn: Mapping[str, Any]) -> bool:
    who = str(turn.get("role", turn.get("from", ""))).strip().lower()
    return who in ("assistant", "gpt", "model", "bot", "chatgpt", "ai")


def one_answer(
    table: Table, found: Found, sample: Sequence[Row], author: str, response: str
) -> OneAnswer:
    """Tell where each row's answer is; ``response``: the column that a person named, or empty.

    Raises InputError for preference pairs, and where there is no answer.
    """
    names = [c.name for c in table.columns]
    talks = [n for n in names if n != found.text and any(_is_talk(row.get(n), n) for row in sample)]
    conversation = None if response else choose(talks, CONVERSATIONS, "", "conversations")
    free = [n for n in names if n not in (found.id, found.text, found.input, found.system)]
    answer = None
    if conversation is None:
        _refuse_pairs(names, table.label)
        answer = choose(names if response else free, _ANSWERS, response, "answers")
        if answer is None or found.text is None:
            raise _no_answer(table)
    return _shape(table, found, author, answer, conversation)


def _is_talk(value: Any, column: str) -> bool:
    if is_conversation(value) or is_transcript(value):
        return True
    if plain_name(column) not in CONVERSATIONS or not isinstance(value, list | dict | str):
        return False
    try:
        return len(read_messages(value)) > 1
    except ValueError:
        return False


def _shape(
    table: Table, found: Found, author: str, answer: str | None, conversation: str | None
) -> OneAnswer:
    judges = tuple(j for j in found.judges if j.lower() in JUDGES)
    column = conversation or answer or ""
    beside = {found.model, *(j for j in found.judges if j not in judges)} - {None, column}
    extra = [n for n in found.extra if n != column]
    extra += [c.name for c in table.columns if c.name in beside and c.name not in extra]
    why = "its last turn; what precedes it is the question" if conversation else ""
    uses = [ColumnUse(column, "response", why=why), *(ColumnUse(j, "judge") for j in judges)]
    gone = []
    if conversation is not None:
        gone = [c for c in (found.text, found.input, found.history) if c not in (None, column)]
        found = replace(found, text=None, input=None, history=None)
    out = tuple(u for u in found.left_out if u.column != column)
    rest = replace(
        found, model=None, response=None, judges=(), extra=tuple(extra),
        left_out=(*out, *(ColumnUse(c, "left out", why=_SAID) for c in gone)),
    )  # fmt: skip
    told = {u.column for u in uses}
    whole = (*uses, *(u for u in rest.uses() if u.column not in told))
    return OneAnswer(rest, whole, author, answer or "", conversation or "", judges)


def _refuse_pairs(names: Sequence[str], label: str) -> None:
    if {"chosen", "rejected"} <= {n.lower() for n in names}:
        raise InputError(
            f"{label} holds pairs of a chosen and a rejected answer; training data has one.",
            "Read pairs whose models are named by: crowdselect ingest table FILE; or train on "
            "them as they are by crowdselect finetune --method dpo.",
        )


def _no_answer(table: Table) -> InputError:
    found = ", ".join(c.name for c in table.columns[:20])
    return InputError(
        f"{table.label} has no conversation (messages, conversations) and no question with an "
        f"answer (instruction and output, prompt and completion); found {found}.",
        "Say which columns they are: --instruction-column NAME --response-column NAME.",
    )
