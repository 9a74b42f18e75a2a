"""The vocabulary of the demo's tasks: a kind draws problems, a problem is worded as a task."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Literal

from crowdselect.tasks import VerifierName

LEVELS = (1, 2, 3, 4)
"""Graded difficulty, 1 = easiest. What grows with the level depends on the kind."""

Split = Literal["train", "pool", "heldout"]

_SPLIT_SHARES: tuple[tuple[Split, int], ...] = (("train", 70), ("pool", 20), ("heldout", 10))


@dataclass(frozen=True)
class Problem:
    """One drawn problem, before it is put into words."""

    slots: Mapping[str, object]
    """What fills the braces of the kind's phrasings."""
    notation: str
    """The same problem in terse notation, as a textbook would write it."""
    answer: str
    """The reference answer."""


@dataclass(frozen=True)
class Kind:
    """A family of problems that share a skill, a verifier and some phrasings."""

    name: str
    verifier: VerifierName
    phrasings: tuple[str, ...]
    draw: Callable[[Random, int], Problem]


KINDS: dict[str, Kind] = {}
"""Every registered kind, in the order of registration."""


def kind(
    name: str, verifier: VerifierName, *phrasings: str
) -> Callable[[Callable[[Random, int], Problem]], Callable[[Random, int], Problem]]:
    """Register the decorated ``draw(rng, level)`` as a kind of task."""
    if name in KINDS:
        raise ValueError(f"The kind {name!r} is registered twice.")

    def register(draw: Callable[[Random, int], Problem]) -> Callable[[Random, int], Problem]:
        KINDS[name] = Kind(name, verifier, phrasings, draw)
        return draw

    return register


_OPENINGS = ("Please help me with this.", "Here is a small task.", "Quick question.")
_CLOSINGS = ("Give only the answer.", "Answer briefly.", "Just the result, please.")


def word(problem: Problem, kind: Kind, rng: Random) -> str:
    """Put a problem into words: one of the kind's phrasings, now and then with a courtesy."""
    text = rng.choice(kind.phrasings).format(**problem.slots)
    manner = rng.random()
    if manner < 0.12:
        return f"{rng.choice(_OPENINGS)} {text}"
    if manner < 0.3:
        return f"{text} {rng.choice(_CLOSINGS)}"
    return text


def digest(text: str) -> str:
    """Hexadecimal SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def split_of(instruction: str) -> Split:
    """The split an instruction belongs to; a function of its text alone.

    Two splits can therefore never share an instruction, whatever the seeds that drew them.
    """
    position = int(digest(instruction)[:8], 16) % 100
    for split, share in _SPLIT_SHARES:
        if position < share:
            return split
        position -= share
    raise AssertionError("the shares of the splits add up to 100")
