"""Rows with two answers: chosen and rejected, or A and B with a winner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crowdselect.errors import InputError
from crowdselect.ingest.shapes.answers import (
    Answer,
    Row,
    Shape,
    first_key,
    is_conversation,
    is_transcript,
    number,
    response_of,
    split_answer,
)
from crowdselect.lm.calls import knows_calls

PAIRS = (("chosen", "rejected"), ("a", "b"), ("1", "2"))
_ANSWER = ("response", "answer", "output", "completion", "conversation", "messages", "text")
_MODEL = ("model", "generator", "model_name", "llm")
_SCORE = ("score", "rating", "reward", "chosen_score", "avg_rating")
WINNERS = (
    "winner", "winner_model", "preference", "preferred", "verdict", "label", "overall_preference",
)  # fmt: skip
_TIES = ("tie", "both", "neither", "draw", "tie (bothbad)", "tie(bothbad)", "tie (both bad)")
PREFERRED = "preferred"
"""The judge where only who won is known: 1 won, 0 lost, 0.5 a tie."""


@dataclass(frozen=True)
class Side:
    """The columns of one of the two answers."""

    word: str
    answer: str
    model: str
    score: str | None


@dataclass(frozen=True)
class Sides(Shape):
    """Two answers per row, each with its model; the reward is a score, or who was preferred."""

    sides: tuple[Side, ...] = ()
    winner: str | None = None
    ticks: Mapping[str, float] = field(default_factory=dict)
    """Columns of which the winner's holds a 1, and what the first side then gets."""
    judge: str = "score"

    def answers(self, row: Row) -> list[Answer]:
        """Return both answers of a row."""
        found = []
        won = self._won(row)
        for k, side in enumerate(self.sides):
            model = row.get(side.model)
            if model is None or not str(model).strip():
                raise ValueError(f"column {side.model!r} is empty")
            if side.score is not None:
                rewards = {self.judge: number(row.get(side.score), side.score)}
            elif self.winner is not None or self.ticks:
                rewards = {PREFERRED: None if won is None else (won if k == 0 else 1 - won)}
            elif side.word in PAIRS[0]:
                rewards = {PREFERRED: 1.0 - k}
            else:  # two answers, and nothing says which is the better one
                rewards = {}
            prompt, text = self._said(row.get(side.answer), side.answer)
            found.append(Answer(str(model).strip(), text, rewards, prompt))
        return found

    def _won(self, row: Row) -> float | None:
        if self.winner is not None:
            return _winner(row.get(self.winner), self.sides, row)
        ticked = [won for column, won in self.ticks.items() if number(row.get(column), column)]
        if len(ticked) > 1:
            raise ValueError(f"several of {', '.join(self.ticks)} are ticked")
        return ticked[0] if ticked else None

    def _said(self, value: Any, column: str) -> tuple[Any, str | None]:
        if is_conversation(value) or is_transcript(value):
            prompt, text = split_answer(value, column)
            asked = self.found.text is not None and not knows_calls(prompt)
            return (() if asked else prompt), text
        return (), response_of(value, column)


def _winner(value: Any, sides: tuple[Side, ...], row: Row) -> float | None:
    """1: the first side won, 0: the second, 0.5: neither; None: nobody said."""
    text = "" if value is None else str(value).strip().lower()
    if text in ("", "nan", "none"):
        return None
    if text in _TIES or text.startswith("tie"):
        return 0.5
    if sides[0].word == "1" and (graded := _graded(text)) is not None:
        return graded
    for k, side in enumerate(sides):
        word, model = side.word, str(row.get(side.model, "")).lower()
        names = (word, f"model_{word}", f"model {word}", f"response_{word}", model,
                 side.answer.lower(), side.model.lower())  # fmt: skip
        if text in names:
            return 1.0 - k
    raise ValueError(f"the winner {value!r:.40} is neither of the two answers")


def _graded(text: str) -> float | None:
    """AlpacaEval's preference: 1 the first, 2 the second answer, between them how sure; 0 a tie."""
    try:
        value = float(text)
    except ValueError:
        return None
    if value == 0:
        return 0.5
    return 2 - value if 1 <= value <= 2 else None


def find_ticks(columns: Sequence[str], sides: Sequence[Side]) -> dict[str, float]:
    """Columns such as ``winner_model_a``, ``winner_model_b`` and ``winner_tie``, with a 1 in one.

    Column -> what the first side gets where it is ticked; empty: there are no such.
    """
    found = {}
    for k, side in enumerate(sides):
        names = [f"winner_model_{side.word}", f"winner_{side.word}", f"{side.word}_wins"]
        column = first_key(columns, names)
        if column is None:
            return {}
        found[column] = 1.0 - k
    tie = first_key(columns, ("winner_tie", "winner_draw", "tie", "draw"))
    return found | ({} if tie is None else {tie: 0.5})


def find_sides(columns: list[str]) -> tuple[tuple[Side, ...], tuple[str, str] | None]:
    """Return the two sides' columns; and where only models are missing, the answers' columns."""
    for words in PAIRS:
        answers = tuple(_column(columns, w, _ANSWER, bare=words[0] == "chosen") for w in words)
        if None in answers:
            continue
        models = tuple(_column(columns, w, _MODEL) for w in words)
        if None in models:
            if words[0] == "chosen" or first_key(columns, WINNERS) is not None:
                return (), (str(answers[0]), str(answers[1]))
            continue
        scores = tuple(_column(columns, w, _SCORE) for w in words)
        sides = tuple(
            Side(w, str(a), str(m), None if None in scores else s)
            for w, a, m, s in zip(words, answers, models, scores, strict=True)
        )
        return sides, None
    return (), None


def _column(
    columns: list[str], word: str, parts: tuple[str, ...], bare: bool = False
) -> str | None:
    names = [f"{p}_{word}" for p in parts] + [f"{word}_{p}" for p in parts]
    names += [f"{p}{word}" for p in parts if word in "12"]
    return first_key(columns, (word, *names) if bare else names)


def _added(answer: str) -> str:
    """The column that would say who wrote an answer: ``model_1`` for ``response1``."""
    side = next((w for words in PAIRS[1:] for w in words if answer.lower().endswith(w)), "")
    return f"model_{side}" if side and "chosen" not in answer.lower() else f"{answer}_model"


def no_models(label: str, answers: tuple[str, str]) -> InputError:
    """The error for pairs that do not say who wrote which answer."""
    return InputError(
        f"{label} holds pairs of answers of which one is better ({answers[0]}, {answers[1]}), but "
        "does not say which model wrote which: a crowd compares models.",
        f"Add the columns {_added(answers[0])} and {_added(answers[1])}; to train on pairs of "
        "chosen and rejected as they are, use crowdselect finetune.",
    )
