"""Continuing patterns and finding what does not belong."""

from __future__ import annotations

from random import Random

from scripts.demo_build.tasks.core import Problem, kind
from scripts.demo_build.tasks.lexicon import CATEGORIES, COLOURS, NAMES


@kind(
    "number_series", "number",
    "Which number comes next: {items}?",
    "Continue the series {items}.",
    "{who} counts {items}. What is the next number?",
    "Find the number that follows {items}.",
)  # fmt: skip
def number_series(rng: Random, level: int) -> Problem:
    """The next term of an arithmetic series, rising or falling."""
    step = rng.randint(1, {1: 1, 2: 2, 3: 5, 4: 9}[level])
    start = rng.randint(1, {1: 5, 2: 9, 3: 15, 4: 30}[level])
    terms = [start + step * i for i in range(5)]
    if level > 2 and rng.random() < 0.5:
        terms.reverse()
    text = ", ".join(map(str, terms[:4]))
    return Problem({"items": text, "who": rng.choice(NAMES)}, text, str(terms[4]))


@kind(
    "repeat", "choice",
    "Which word comes next: {items}?",
    "Continue the pattern {items} with one more word.",
    "{who} threads beads: {items}. Which colour is next?",
    "Which colour follows in {items}?",
)  # fmt: skip
def repeat(rng: Random, level: int) -> Problem:
    """The next word of a repeating pattern."""
    unit = rng.sample(COLOURS, min(1 + level, 4))
    if level == 4:
        unit.insert(rng.randrange(4), unit[0])
    length = len(unit) + rng.randint(2, len(unit) + 1)
    shown = [unit[i % len(unit)] for i in range(length)]
    text = ", ".join(shown)
    answer = unit[length % len(unit)]
    return Problem({"items": text, "who": rng.choice(NAMES)}, text, answer)


@kind(
    "odd_one_out", "choice",
    "Which word does not belong: {items}?",
    "Find the odd one out: {items}.",
    "One of these is different from the rest: {items}. Which one?",
    "{who} puts {items} together. Which of them does not fit?",
)  # fmt: skip
def odd_one_out(rng: Random, level: int) -> Problem:
    """The word from another category than the rest."""
    home, away = rng.sample(list(CATEGORIES), 2)
    odd = rng.choice(CATEGORIES[away])
    items = [*rng.sample(CATEGORIES[home], 1 + level), odd]
    rng.shuffle(items)
    text = ", ".join(items)
    return Problem({"items": text, "who": rng.choice(NAMES)}, text, odd)
