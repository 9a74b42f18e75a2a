"""What a row of any shape comes down to: what was asked, and answers with their rewards."""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crowdselect.ingest.columns import Found
from crowdselect.lm.calls import is_about_tools, knows_calls, with_tools, written
from crowdselect.lm.conversations import history_of, question_of, with_system
from crowdselect.lm.messages import Message, json_list, read_messages, text_of
from crowdselect.plans import ColumnUse
from crowdselect.reading import VERDICTS, plain_name

Row = Mapping[str, Any]

_NOTHING = ("", "na", "n/a", "null", "none", "-", "#n/a", "nan")
_INNER = ("rating", "score", "value", "reward", "overall")
_TOOLS_UNASKED = (
    "{!r} calls tools, and what is asked stands elsewhere; give the whole conversation there"
)
_SPEAKER = re.compile(r"(?:^|\n\n)(Human|Assistant):[ \n]?")


@dataclass(frozen=True)
class Answer:
    """One model's answer in a row."""

    model: str
    response: str | None
    rewards: Mapping[str, float | None] = field(default_factory=dict)
    prompt: tuple[Message, ...] = ()
    """What this answer answers; empty: what the row's columns say."""


@dataclass(frozen=True)
class Shape(ABC):
    """How rows of one table are read; subclasses say where the answers are."""

    found: Found
    """The columns that the row as a whole has: id, question, what is kept."""
    uses: tuple[ColumnUse, ...] = ()
    """What every column was taken for."""

    @abstractmethod
    def answers(self, row: Row) -> list[Answer]:
        """Return the answers of a row; raises ValueError in words that follow ``FILE, row N:``."""

    def asked(self, row: Row) -> tuple[Message, ...]:
        """Return what the columns of a row ask; raises ValueError."""
        found = self.found
        if found.text is None:
            raise ValueError("it has no question")
        value = row.get(found.text)
        given = {"instruction": "" if value is None else _transcript(value)}
        for name, column in (("input", found.input), ("system", found.system)):
            if column is not None and row.get(column) not in (None, ""):
                given[name] = str(row[column])
        if found.history is not None:
            given["history"] = row.get(found.history)
            return with_system(given, [*history_of(given), *question_of(given | {"history": None})])
        return with_system(given, question_of(given))


def _transcript(value: Any) -> Any:
    """Read ``Human: ... Assistant: ...`` as turns, as Anthropic's sets write them."""
    if not isinstance(value, str) or not value.lstrip().startswith("Human:"):
        return value
    parts = _SPEAKER.split(value)[1:]
    turns = [
        {"role": "user" if who == "Human" else "assistant", "content": text.strip()}
        for who, text in zip(parts[::2], parts[1::2], strict=True)
    ]
    if len(turns) > 1 and turns[-1]["role"] == "assistant" and not turns[-1]["content"]:
        turns.pop()
    return turns


def is_transcript(value: Any) -> bool:
    """Tell whether a text is a dialogue of Human and Assistant."""
    return isinstance(value, str) and value.startswith("\n\nHuman:")


def is_conversation(value: Any) -> bool:
    """Tell whether a value is a list of messages: objects with a role and a text."""
    turns = json_list(value)
    return bool(turns) and all(
        isinstance(t, Mapping) and ("role" in t or "from" in t) for t in turns or ()
    )


def split_answer(value: Any, what: str) -> tuple[tuple[Message, ...], str]:
    """Split a conversation into what was asked and the answer that ends it; raises ValueError.

    Calls of tools in the answer become text, and the question says so (see ``lm.calls``).
    """
    messages = read_messages(_transcript(value) if isinstance(value, str) else value)
    last = messages[-1]
    if last["role"] != "assistant":
        raise ValueError(f"the conversation in {what!r} does not end with an answer")
    if is_about_tools(messages) and len(messages) > 1:
        return with_tools(messages[:-1], ()), written(last)
    if last.get("tool_calls"):
        raise ValueError(_TOOLS_UNASKED.format(what))
    return tuple(messages[:-1]), last["content"]


def response_of(value: Any, what: str) -> str | None:
    """Return an answer's text: a text, a message, content parts, or a conversation's last turn."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return None if isinstance(value, float) and math.isnan(value) else str(value)
    if is_conversation(value):
        asked, text = split_answer(value, what)
        if knows_calls(asked):
            raise ValueError(_TOOLS_UNASKED.format(what))
        return text
    if isinstance(value, Mapping) and ("content" in value or "text" in value):
        value = value.get("content", value.get("text"))
    return value if value is None or isinstance(value, str) else text_of(value, what)


def number(value: Any, what: str) -> float | None:
    """Return a reward; true and false, yes and no count as 1 and 0.

    Raises ValueError naming ``what``.
    """
    if isinstance(value, Mapping):
        lower = {str(k).lower(): v for k, v in value.items()}
        value = next((lower[k] for k in _INNER if k in lower), value)
    if isinstance(value, list | tuple) and len(value) == 1:
        value = value[0]
    if value is None:
        return None
    if isinstance(value, bool | int | float):
        return float(value)
    text = str(value).strip()
    if text.lower() in (*_NOTHING, *VERDICTS):
        return VERDICTS.get(text.lower())
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{what!r} should hold a number, found {text!r:.40}") from None


def looks_like_number(value: Any) -> bool:
    """Tell whether a value is a number, or a text or an object that holds one."""
    try:
        return number(value, "") is not None and not isinstance(value, list)
    except ValueError:
        return False


def first_key(keys: Sequence[str], synonyms: Sequence[str]) -> str | None:
    """Return the first synonym that is among the keys; case, blanks and signs do not count."""
    plain = {plain_name(k): k for k in reversed(keys)}
    return next((plain[s] for s in synonyms if s in plain), None)
