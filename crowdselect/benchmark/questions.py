"""Questions of the judged benchmarks: ours, or those of a file in the layout of its project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crowdselect.benchmark.conversations import read_rows
from crowdselect.benchmark.sources import file_hash, local_file
from crowdselect.errors import InputError
from crowdselect.lm.messages import Message
from crowdselect.registry import content_key
from crowdselect.servers import CHARS_PER_TOKEN, Cost

OWN = Path(__file__).parent / "own"
"""Folder of our own questions."""


@dataclass(frozen=True)
class Question:
    """One question of one or two turns."""

    id: str
    category: str
    turns: tuple[str, ...]
    references: tuple[str, ...] = ()
    """Expert answers per turn; empty: none."""

    @property
    def opening(self) -> tuple[Message, ...]:
        """The conversation that asks the first turn."""
        return ({"role": "user", "content": self.turns[0]},)


def question_file(given: str, own: str) -> Path:
    """The file that questions are read from: the user's, else ours called ``own``."""
    return local_file(given) if given else OWN / own


def read_questions(path: Path, *, turns: int | None = None) -> list[Question]:
    """Questions of FastChat (``turns``), Arena-Hard (``prompt``), AlpacaEval (``instruction``).

    ``turns`` is how many turns each must have (None: any). Raises InputError naming file and row.
    """
    found: list[Question] = []
    seen: set[str] = set()
    for number, row in read_rows(path):
        question = _question(row)
        if question is None or not all(t.strip() for t in question.turns):
            raise InputError(
                f"{path}, row {number} holds no question; its columns are {', '.join(row)}.",
                "Rows need turns, prompt or instruction with text in it.",
            )
        if turns is not None and len(question.turns) != turns:
            raise InputError(
                f"{path}, row {number} has {len(question.turns)} turns, expected {turns}.",
                "Give the questions of this benchmark.",
            )
        if question.id in seen:
            raise InputError(f"{path}, row {number}: the id {question.id} recurs.", "Ids differ.")
        seen.add(question.id)
        found.append(question)
    if not found:
        raise InputError(f"{path} holds no questions.", "Give a file with at least one.")
    return found


def _question(row: Mapping[str, Any]) -> Question | None:
    raw = row.get("turns") or row.get("prompt") or row.get("instruction") or _asked(row)
    listed = raw if isinstance(raw, list) else [raw]
    turns = tuple(str(t["content"] if isinstance(t, dict) else t or "") for t in listed)
    if not turns:
        return None
    name = row.get("question_id") or row.get("uid") or row.get("id") or content_key(list(turns))
    category = row.get("subcategory") or row.get("category") or row.get("dataset") or ""
    references = tuple(map(str, row.get("references") or ()))
    return Question(str(name), str(category), turns, references)


def _asked(row: Mapping[str, Any]) -> str | None:
    """The first user message of a conversation."""
    talk = row.get("messages") or row.get("conversations") or []
    for turn in talk if isinstance(talk, list) else []:
        if isinstance(turn, dict) and turn.get("role", turn.get("from")) in ("user", "human"):
            text: str | None = turn.get("content", turn.get("value"))
            return text
    return None


def read_references(path: str) -> dict[str, tuple[str, ...]]:
    """Reference answers by question id, in FastChat's layout (``choices[0].turns``)."""
    found = {}
    for number, row in read_rows(path):
        try:
            found[str(row["question_id"])] = tuple(map(str, row["choices"][0]["turns"]))
        except (KeyError, IndexError, TypeError) as error:
            raise InputError(
                f"{path}, row {number} is no reference answer.",
                "Rows have question_id and choices with turns, as FastChat writes them.",
            ) from error
    return found


def read_answers(path: str) -> dict[str, str]:
    """Answers of another model by question id, or by instruction text where there is no id.

    Layouts: FastChat and Arena-Hard (``choices``, ``messages``), AlpacaEval (``instruction``,
    ``output``), or plain rows with ``id`` and ``answer``, ``response`` or ``output``.
    """
    found = {}
    for number, row in read_rows(path):
        name = row.get("question_id") or row.get("uid") or row.get("id") or row.get("instruction")
        text = _answer(row)
        if name is None or text is None:
            raise InputError(
                f"{path}, row {number} holds no answer; its columns are {', '.join(row)}.",
                "Rows need an id or instruction, and choices, messages, output or answer.",
            )
        found[str(name)] = text
    return found


def _answer(row: Mapping[str, Any]) -> str | None:
    value: Any = row.get("answer") or row.get("response") or row.get("output")
    if value is None and row.get("messages"):
        value = row["messages"][-1].get("content")
    if value is None and row.get("choices"):
        turns = row["choices"][0].get("turns") or [None]
        value = turns[0]
    if isinstance(value, dict):
        value = value.get("content", value.get("answer"))
    return value if isinstance(value, str) else None


def questions_hash(given: str, own: str) -> str:
    """``own:`` and a hash for our questions, else the hash of the user's file."""
    return ("" if given else "own:") + file_hash(question_file(given, own))


PROMPT_TOKENS = 300
"""Rule of thumb for a judge prompt without its question and answers."""


def judge_cost(calls: Sequence[tuple[Sequence[str], int, int]]) -> Cost:
    """The most that calls to a judge can take; no prices yet.

    Each call: the question's turns, the longest answer per turn and the longest verdict, in tokens.
    """
    read = sum(
        PROMPT_TOKENS + sum(len(t) // CHARS_PER_TOKEN + answer for t in turns)
        for turns, answer, _ in calls
    )
    return Cost(len(calls), read, sum(verdict for _, _, verdict in calls), None)
