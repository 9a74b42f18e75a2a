"""Questions of the judged benchmarks: ours, or those of a file in the layout of its project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crowdselect.benchmark.sources import file_hash, local_file
from crowdselect.errors import InputError
from crowdselect.lm.conversations import Row, naming_row, with_system
from crowdselect.lm.messages import Message, json_list, text_of, user
from crowdselect.lm.prompts import asked_of
from crowdselect.reading import name_list, read_table, small_letters
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

    before: tuple[Message, ...] = ()
    """System text and earlier turns that come before the first turn."""

    @property
    def opening(self) -> tuple[Message, ...]:
        """The conversation that asks the first turn."""
        return (*self.before, user(self.turns[0]))


def question_file(given: str, own: str) -> Path:
    """The file that questions are read from: the user's, else ours called ``own``."""
    return local_file(given) if given else OWN / own


def read_questions(path: Path, *, turns: int | None = None) -> list[Question]:
    """Questions of FastChat (``turns``), Arena-Hard (``prompt``), AlpacaEval (``instruction``).

    Other rows are read as :func:`crowdselect.lm.prompts.read_prompts` reads them: ``input``,
    ``system`` and ``history`` belong to the question, a conversation is asked up to its last
    answer. ``turns`` is how many turns each must have (None: any).

    Raises InputError naming file and row.
    """
    table = read_table(local_file(path), texts="prompt")
    found: list[Question] = []
    seen: set[str] = set()
    for number, given in table:
        where = table.where(number)
        with naming_row(table, number):
            question = _question(small_letters(given))
        if turns is not None and len(question.turns) != turns:
            raise InputError(
                f"{where} has {len(question.turns)} turns, expected {turns}.",
                "Give the questions of this benchmark.",
            )
        if question.id in seen:
            raise InputError(f"{where}: the id {question.id} recurs.", "Ids differ.")
        seen.add(question.id)
        found.append(question)
    if not found:
        raise InputError(f"{path} holds no questions.", "Give a file with at least one.")
    return found


def _question(row: Row) -> Question:
    """Raises ValueError where the row asks nothing."""
    listed = json_list(row.get("turns"))
    if listed and not any(isinstance(turn, Mapping) for turn in listed):
        turns, before = tuple(text_of(turn, "a turn") for turn in listed), with_system(row, ())
    else:
        *earlier, last = asked_of(row)
        turns, before = (last["content"],), tuple(earlier)
    if not all(turn.strip() for turn in turns):
        raise ValueError("one of its turns is empty")
    parts = [*(m["content"] for m in before), *turns]
    name = row.get("question_id") or row.get("uid") or row.get("id") or content_key(parts)
    category = row.get("subcategory") or row.get("category") or row.get("dataset") or ""
    references = tuple(text_of(r, "a reference") for r in json_list(row.get("references")) or ())
    return Question(str(name), str(category), turns, references, before)


def read_references(path: str) -> dict[str, tuple[str, ...]]:
    """Reference answers by question id, in FastChat's layout (``choices[0].turns``)."""
    table = read_table(local_file(path))
    found = {}
    for number, row in table:
        turns = _chosen_turns(row)
        if row.get("question_id") is None or not turns:
            raise InputError(
                f"{table.where(number)} is no reference answer.",
                "Rows have question_id and choices with turns, as FastChat writes them.",
            )
        with naming_row(table, number):
            found[str(row["question_id"])] = tuple(text_of(t, "a reference") for t in turns)
    return found


def _chosen_turns(row: Row) -> list[Any]:
    """``choices[0].turns`` of a row of FastChat; empty where there are none."""
    choices = json_list(row.get("choices")) or []
    first = choices[0] if choices else None
    turns = json_list(first.get("turns")) if isinstance(first, Mapping) else None
    return turns or []


def read_answers(path: str) -> dict[str, str]:
    """Answers of another model by question id, or by instruction text where there is no id.

    Layouts: FastChat and Arena-Hard (``choices``, ``messages``), AlpacaEval (``instruction``,
    ``output``), or plain rows with ``id`` and ``answer``, ``response`` or ``output``.
    """
    table = read_table(local_file(path))
    found = {}
    for number, row in table:
        name = row.get("question_id") or row.get("uid") or row.get("id") or row.get("instruction")
        text = _answer(row)
        if name is None or text is None:
            raise InputError(
                f"{table.where(number)} holds no answer; its columns are {name_list(row)}.",
                "Rows need an id or instruction, and choices, messages, output or answer.",
            )
        found[str(name)] = text
    return found


def _answer(row: Row) -> str | None:
    value: Any = row.get("answer") or row.get("response") or row.get("output")
    talk = json_list(row.get("messages"))
    if value is None and talk:
        value = talk[-1]
    if value is None:
        value = next(iter(_chosen_turns(row)), None)
    for key in ("content", "answer"):  # Arena-Hard: {"content": {"answer": ...}}
        value = value.get(key, value) if isinstance(value, Mapping) else value
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
