"""Editing strings of letters and words."""

from __future__ import annotations

from random import Random

from scripts.demo_build.tasks.core import Problem, kind
from scripts.demo_build.tasks.lexicon import ALL_WORDS, ALPHABET, ANIMALS, FRUITS, NAMES


def _letters(rng: Random, level: int) -> str:
    return "".join(rng.sample(ALPHABET, 2 + level))


@kind(
    "reverse", "text",
    'Write "{text}" backwards.',
    'Reverse the letters of "{text}".',
    'Spell "{text}" from the last letter to the first.',
    '{who} reads "{text}" from right to left. What does {who} read?',
)  # fmt: skip
def reverse(rng: Random, level: int) -> Problem:
    """A string backwards."""
    text = _letters(rng, level)
    return Problem({"text": text, "who": rng.choice(NAMES)}, f'"{text}"', text[::-1])


@kind(
    "replace", "text",
    'Replace every "{old}" with "{new}" in "{text}".',
    'In "{text}", change each "{old}" to "{new}".',
    'Write "{text}" but use "{new}" instead of "{old}".',
    '{who} types "{text}" on a keyboard where "{old}" gives "{new}". What appears?',
)  # fmt: skip
def replace(rng: Random, level: int) -> Problem:
    """Every occurrence of a letter replaced by another."""
    *used, new = rng.sample(ALPHABET, 4)
    text = "".join(rng.choice(used) for _ in range(2 + level))
    slots = {"text": text, "old": used[0], "new": new, "who": rng.choice(NAMES)}
    return Problem(slots, f'"{used[0]}" to "{new}" in "{text}"', text.replace(used[0], new))


@kind(
    "drop", "text",
    'Remove the {end} {n} letters of "{text}".',
    'What is left of "{text}" without its {end} {n} letters?',
    'Delete {n} letters at the {place} of "{text}".',
    'Cut the {end} {n} letters off "{text}".',
)  # fmt: skip
def drop(rng: Random, level: int) -> Problem:
    """A string without some letters at one end."""
    text = _letters(rng, level)
    n = rng.randint(2, len(text) - 1)
    end = rng.choice(("first", "last"))
    slots = {"text": text, "n": n, "end": end, "place": "start" if end == "first" else "end"}
    return Problem(slots, f'{end} {n} of "{text}"', text[n:] if end == "first" else text[:-n])


@kind(
    "join", "text",
    "Join these words with hyphens: {items}.",
    "Write {items} as one word with hyphens between the parts.",
    "Connect the words {items} by hyphens.",
    "Make a hyphenated name from: {items}.",
)  # fmt: skip
def join(rng: Random, level: int) -> Problem:
    """Words joined with hyphens."""
    words = rng.sample(ALL_WORDS, 1 + level)
    return Problem({"items": ", ".join(words)}, ", ".join(words), "-".join(words))


@kind(
    "swap", "text",
    'In the sentence "the {a} sees the {b}", swap the {a} and the {b}.',
    "Exchange {a} and {b}: the {a} sees the {b}.",
    "Swap the two animals or fruits: the {a} sees the {b}.",
    "Who does what is mixed up here: the {a} sees the {b}. Turn it round.",
)  # fmt: skip
def swap(rng: Random, level: int) -> Problem:
    """Two nouns of a sentence exchanged; higher levels carry adjectives along."""
    a, b = rng.sample(ANIMALS + FRUITS, 2)
    first = " ".join([*rng.sample(("old", "small", "quick", "happy"), level - 1), a])
    second = " ".join([*rng.sample(("old", "small", "quick", "happy"), level - 1), b])
    answer = f"the {second} sees the {first}"
    return Problem({"a": first, "b": second}, f"the {first} sees the {second}", answer)
