"""Exact verifiers: an answer and a reference in, a score in [0, 1] out.

1 means exactly right. A wrong answer earns at most ``PARTIAL`` for the part that is right.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from difflib import SequenceMatcher

from crowdselect.tasks.task import Task, VerifierName

PARTIAL = 0.6
"""The most a wrong answer can earn."""


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def _number(answer: str, reference: str) -> float:
    """Closeness falls linearly from ``PARTIAL`` to 0 at an error of a quarter of the reference."""
    if not re.fullmatch(r"-?\d{1,15}", answer):
        return 0.0
    error = abs(int(answer) - int(reference))
    if error == 0:
        return 1.0
    return PARTIAL * max(0.0, 1.0 - 4.0 * error / max(abs(int(reference)), 1))


def _choice(answer: str, reference: str) -> float:
    return float(answer == reference)


def _sequence(answer: str, reference: str) -> float:
    """Share of the items that match in order (Ratcliff-Obershelp), scaled to ``PARTIAL``."""
    got, wanted = _items(answer), _items(reference)
    if got == wanted:
        return 1.0
    return PARTIAL * SequenceMatcher(None, got, wanted, autojunk=False).ratio()


def _collection(answer: str, reference: str) -> float:
    """F1 of two multisets of items, scaled to ``PARTIAL`` unless they are equal."""
    got, wanted = Counter(_items(answer)), Counter(_items(reference))
    if got == wanted:
        return 1.0
    return PARTIAL * 2 * (got & wanted).total() / max(got.total() + wanted.total(), 1)


def _text(answer: str, reference: str) -> float:
    """Share of the characters that match in order (Ratcliff-Obershelp), scaled to ``PARTIAL``."""
    if answer == reference:
        return 1.0
    return PARTIAL * SequenceMatcher(None, answer, reference, autojunk=False).ratio()


def _json(answer: str, reference: str) -> float:
    """Share of the fields that are right; 0 if the answer is no JSON object."""
    wanted: dict[str, object] = json.loads(reference)
    try:
        got: object = json.loads(answer)
    except (ValueError, RecursionError):
        return 0.0
    if not isinstance(got, dict):
        return 0.0
    if got == wanted:
        return 1.0
    right = sum(1 for key, value in wanted.items() if key in got and got[key] == value)
    return PARTIAL * right / max(len(wanted), len(got))


_VERIFIERS: dict[VerifierName, Callable[[str, str], float]] = {
    "number": _number,
    "choice": _choice,
    "sequence": _sequence,
    "collection": _collection,
    "text": _text,
    "json": _json,
}


def verify(task: Task, answer: str) -> float:
    """Score an answer to a task: 1 exactly right, up to ``PARTIAL`` partly right, 0 wrong.

    White space around the answer and one final full stop are forgiven, nothing else.
    """
    cleaned = answer.strip().removesuffix(".")
    return _VERIFIERS[task.verifier](cleaned, task.reference)
