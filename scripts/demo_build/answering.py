"""Greedy answers of a demo model to many instructions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from crowdselect.lm.generation import Answer, Request, generate_here
from crowdselect.lm.messages import user
from crowdselect.lm.models import Loaded

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

SHORT, LONG = 12, 48
"""Most answers end within ``SHORT`` tokens; the rest is asked again with room for ``LONG``."""
ONE_BATCH = 1 << 30
"""Tokens of a batch: what is handed over is already one."""


def answer(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    instructions: Sequence[str],
    batch: int = 256,
    advance: Callable[[int], None] = lambda done: None,
) -> list[str]:
    """Return the greedy answer to each instruction, cut off after ``LONG`` tokens.

    Prompts of similar length share a batch. ``advance`` is told how many answers each batch added.
    """
    loaded = Loaded(model, tokenizer, model.device.type)
    answers = [""] * len(instructions)
    rows = sorted(range(len(instructions)), key=lambda row: len(instructions[row]))
    for room in (SHORT, LONG):
        unfinished = []
        for start in range(0, len(rows), batch):
            chosen = rows[start : start + batch]
            found: dict[str, Answer] = {}
            generate_here(
                loaded,
                [Request(str(row), (user(instructions[row]),)) for row in chosen],
                found.__setitem__,
                max_new_tokens=room,
                seed=0,
                batch_tokens=ONE_BATCH,
            )
            for row in chosen:
                answers[row] = found[str(row)].text
            unfinished += [row for row in chosen if not found[str(row)].finished]
            if room == SHORT:
                advance(len(chosen))
        rows = unfinished
    return answers
