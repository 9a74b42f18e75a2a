"""Sorting and comparing."""

from __future__ import annotations

from random import Random

from scripts.demo_build.tasks.core import Problem, kind
from scripts.demo_build.tasks.lexicon import ALL_WORDS, NAMES


def _numbers(rng: Random, level: int, size: int) -> list[int]:
    low, high = {1: (1, 9), 2: (1, 9), 3: (10, 99), 4: (10, 99)}[level]
    return rng.sample(range(low, high + 1), size)


@kind(
    "sort_up", "sequence",
    "Sort these numbers from small to large: {items}.",
    "Put {items} in increasing order.",
    "Arrange the numbers {items}, smallest first.",
    "{who} wrote {items}. Write the numbers again from lowest to highest.",
)  # fmt: skip
def sort_up(rng: Random, level: int) -> Problem:
    """Numbers in increasing order."""
    numbers = _numbers(rng, level, {1: 3, 2: 4, 3: 3, 4: 4}[level])
    text = ", ".join(map(str, numbers))
    answer = ", ".join(map(str, sorted(numbers)))
    return Problem({"items": text, "who": rng.choice(NAMES)}, text, answer)


@kind(
    "sort_down", "sequence",
    "Sort these numbers from large to small: {items}.",
    "Put {items} in decreasing order.",
    "Arrange the numbers {items}, largest first.",
    "{who} wrote {items}. Write the numbers again from highest to lowest.",
)  # fmt: skip
def sort_down(rng: Random, level: int) -> Problem:
    """Numbers in decreasing order."""
    numbers = _numbers(rng, level, {1: 3, 2: 4, 3: 3, 4: 4}[level])
    text = ", ".join(map(str, numbers))
    answer = ", ".join(map(str, sorted(numbers, reverse=True)))
    return Problem({"items": text, "who": rng.choice(NAMES)}, text, answer)


@kind(
    "sort_words", "sequence",
    "Sort these words in alphabetical order: {items}.",
    "Put the words {items} in the order of a dictionary.",
    "Arrange {items} from A to Z.",
    "{who} wants this list in alphabetical order: {items}.",
)  # fmt: skip
def sort_words(rng: Random, level: int) -> Problem:
    """Words in alphabetical order."""
    words = rng.sample(ALL_WORDS, 1 + level)
    text = ", ".join(words)
    return Problem({"items": text, "who": rng.choice(NAMES)}, text, ", ".join(sorted(words)))


_EXTREMES = {"largest": -1, "smallest": 0, "second largest": -2, "second smallest": 1}


@kind(
    "extreme", "number",
    "Which is the {which} of these numbers: {items}?",
    "Find the {which} number among {items}.",
    "{who} draws the cards {items}. What is the {which} card?",
    "Look at {items} and name the {which} number.",
)  # fmt: skip
def extreme(rng: Random, level: int) -> Problem:
    """The largest or smallest of a list, or the one next to it."""
    numbers = _numbers(rng, level, {1: 3, 2: 4, 3: 3, 4: 4}[level])
    which = rng.choice(list(_EXTREMES)[: 2 if level < 3 else 4])
    text = ", ".join(map(str, numbers))
    slots = {"items": text, "which": which, "who": rng.choice(NAMES)}
    return Problem(slots, f"{which} of {text}", str(sorted(numbers)[_EXTREMES[which]]))


@kind(
    "compare", "choice",
    "Who has more coins: {who} with {a} or {other} with {b}?",
    "{who} is {a} years old and {other} is {b}. Who is older?",
    "{who} runs {a} metres, {other} runs {b} metres. Who runs further?",
    "{who} has {a} points and {other} has {b} points. Who wins?",
)  # fmt: skip
def compare(rng: Random, level: int) -> Problem:
    """The person with the larger number."""
    high = {1: 9, 2: 50, 3: 99, 4: 99}[level]
    a = rng.randint(2, high)
    near = [n for n in range(max(1, a - 9), min(high, a + 9) + 1) if n != a]
    b = rng.choice(near) if level > 2 else rng.choice([n for n in range(1, high + 1) if n != a])
    who, other = rng.sample(NAMES, 2)
    slots = {"who": who, "other": other, "a": a, "b": b}
    return Problem(slots, f"{who} {a}, {other} {b}", who if a > b else other)
