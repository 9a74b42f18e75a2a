"""Counting letters and members of a category."""

from __future__ import annotations

from random import Random

from scripts.demo_build.tasks.core import Problem, kind
from scripts.demo_build.tasks.lexicon import ALL_WORDS, CATEGORIES, NAMES


@kind(
    "count_letter", "number",
    'How many times does the letter "{letter}" occur in "{text}"?',
    'Count the letter "{letter}" in "{text}".',
    'How often do you see "{letter}" in "{text}"?',
    'Look at "{text}". How many letters are "{letter}"?',
)  # fmt: skip
def count_letter(rng: Random, level: int) -> Problem:
    """Occurrences of a letter in a string of few different letters."""
    letters = rng.sample("ABCDEFGHKLMNOPRST", 3)
    text = "".join(rng.choice(letters) for _ in range(3 + level))
    letter = letters[0]
    return Problem(
        {"letter": letter, "text": text}, f'"{letter}" in "{text}"', str(text.count(letter))
    )


@kind(
    "count_members", "number",
    "How many of these are {category}: {items}?",
    "Count the {category} in this list: {items}.",
    "{who} sees: {items}. How many {category} does {who} see?",
    "Here is a list: {items}. How many {category} are in it?",
)  # fmt: skip
def count_members(rng: Random, level: int) -> Problem:
    """Members of a category in a list."""
    category = rng.choice(list(CATEGORIES))
    size = 2 + level
    wanted = rng.randint(0, size)
    others = [w for w in ALL_WORDS if w not in CATEGORIES[category]]
    items = rng.sample(CATEGORIES[category], wanted) + rng.sample(others, size - wanted)
    rng.shuffle(items)
    text = ", ".join(items)
    slots = {"category": category, "items": text, "who": rng.choice(NAMES)}
    return Problem(slots, f"{category} in {text}", str(wanted))
