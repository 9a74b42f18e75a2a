"""A part of an export held back for testing: by the question, so that no question is in both."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from crowdselect.equal_texts import first_groups, normal_text
from crowdselect.errors import InputError
from crowdselect.export.base import Example


def held_back(
    examples: Sequence[Example], share: float, seed: int
) -> tuple[list[Example], list[Example]]:
    """Return (training, test) examples, each in the order given; ``share`` of them are for testing.

    Who is held back depends on the questions and the seed only. Equal questions (but for case and
    white space) stay on one side, so there may be a few more than ``share`` says.

    Raises InputError unless 0 < share < 1 and both sides get something.
    """
    if not 0 < share < 1:
        raise InputError(
            f"The share of test examples is {share:g}, expected more than 0 and less than 1.",
            "Write it like --test 0.1.",
        )
    keys = [_key(example, seed) for example in examples]
    chosen = first_groups(keys, max(1, round(share * len(examples))))
    if chosen >= set(keys):
        raise InputError(
            f"Of {len(examples):,} examples none would be left to train on.",
            "Select more instructions, or leave --test away.",
        )
    pairs = list(zip(examples, keys, strict=True))
    return [e for e, k in pairs if k not in chosen], [e for e, k in pairs if k in chosen]


def _key(example: Example, seed: int) -> str:
    asked = "\0".join(normal_text(turn.content) for turn in example.prompt)
    return hashlib.sha256(f"{seed}\0{asked}".encode("utf-8", "surrogatepass")).hexdigest()
