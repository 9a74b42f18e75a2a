"""Nine ways of asking a model to rate a sample, in our own words, or prompts from a file."""

from __future__ import annotations

from pathlib import Path

from crowdselect.errors import InputError
from crowdselect.reading import read_text

LARGEST = 64 << 20
"""The most bytes of a file of prompts."""
PROMPT_FIRST = "prompt_first"
SAMPLE_FIRST = "sample_first"

RATING_PROMPTS = (
    "Judge how well the response answers the instruction, from 1 (poor) to {k} (excellent).",
    "Give the instruction and its response a mark between 1 and {k}; {k} means flawless.",
    "How useful would this pair be for teaching an assistant? Rate it from 1 to {k}.",
    "On a scale of 1 to {k}, say how correct, complete and clear the response is.",
    "You are a strict examiner. Grade the response with a number from 1 to {k}.",
    "Rate the quality of this training sample: 1 is worthless, {k} is exemplary.",
    "Decide how fully the response does what the instruction asks, 1 (not) to {k} (fully).",
    "Score the helpfulness of the response with one digit from 1 to {k}.",
    "Consider accuracy, depth and tone, then rate the response between 1 (bad) and {k} (perfect).",
)
"""Prompt i of ``n_prompts`` is the i-th of these; ``{k}`` becomes the number of levels. None says
where the sample stands, before it or after."""


def rating_prompts(n_prompts: int, n_levels: int, file: str = "") -> tuple[str, ...]:
    """The first ``n_prompts`` rating prompts, ours or one per line of ``file`` (UTF-8).

    Raises InputError if there are too few.
    """
    source: tuple[str, ...] = RATING_PROMPTS
    where = "the built-in rating prompts"
    if file:
        path = Path(file).expanduser()
        lines = read_text(path, limit=LARGEST).text.splitlines()
        source = tuple(line.strip() for line in lines if line.strip())
        where = str(path)
    if n_prompts > len(source):
        raise InputError(
            f"{n_prompts} rating prompts are wanted, {where} hold {len(source)}.",
            f"Ask for at most {len(source)}, or give a file with more lines.",
        )
    return tuple(prompt.replace("{k}", str(n_levels)) for prompt in source[:n_prompts])


def rating_text(prompt: str, instruction: str, response: str, order: str = PROMPT_FIRST) -> str:
    """The text whose next token is the rating; the answer's digit follows the last newline."""
    sample = f"Instruction: {instruction}\nResponse: {response}\n"
    asked = f"{sample}{prompt}\n" if order == SAMPLE_FIRST else f"{prompt}\n{sample}"
    return f"{asked}The rating is:\n"
