"""Pulling facts out of sentences."""

from __future__ import annotations

import json
from random import Random

from scripts.demo_build.tasks.core import Problem, kind
from scripts.demo_build.tasks.lexicon import CATEGORIES, CITIES, COLOURS, NAMES, THINGS


@kind(
    "to_json", "json",
    "Turn this into JSON with the keys {keys}: {text}",
    "Extract {keys} as JSON. {text}",
    "{text} Write {keys} as a JSON object.",
    "Read the sentence and return JSON with {keys}: {text}",
)  # fmt: skip
def to_json(rng: Random, level: int) -> Problem:
    """Named facts of a sentence as a JSON object."""
    who, city, colour = rng.choice(NAMES), rng.choice(CITIES), rng.choice(COLOURS)
    age, things, n = rng.randint(11, 98), rng.choice(THINGS), rng.randint(2, 9)
    facts: list[tuple[dict[str, object], str]] = [
        ({"name": who, "city": city}, f"{who} lives in {city}."),
        ({"age": age}, f"{who} is {age} years old."),
        ({"colour": colour}, f"The favourite colour of {who} is {colour}."),
        ({"item": things, "count": n}, f"{who} owns {n} {things}."),
    ]
    told = facts[:1] if level == 1 else [facts[0], *rng.sample(facts[1:], level - 1)]
    record = {key: value for fact, _ in told for key, value in fact.items()}
    rng.shuffle(told)
    text = " ".join(sentence for _, sentence in told)
    keys = ", ".join(record)
    return Problem({"keys": keys, "text": text}, f"{keys}: {text}", json.dumps(record))


@kind(
    "find_all", "sequence",
    "List all {category} in this sentence in order: {text}",
    "Which {category} are mentioned? {text}",
    "Extract the {category}: {text}",
    "{text} Name every one of the {category}.",
)  # fmt: skip
def find_all(rng: Random, level: int) -> Problem:
    """The words of one category in a sentence, in their order."""
    category, other = rng.sample(list(CATEGORIES), 2)
    wanted = rng.sample(CATEGORIES[category], max(1, level - 1) if level < 4 else 3)
    items = wanted + rng.sample(CATEGORIES[other], level)
    rng.shuffle(items)
    text = f"{rng.choice(NAMES)} saw " + ", ".join(items) + "."
    answer = ", ".join(word for word in items if word in wanted)
    return Problem({"category": category, "text": text}, f"{category} in {text}", answer)


@kind(
    "keep_numbers", "sequence",
    "Write down all numbers in this text: {text}",
    "Which numbers occur here? {text}",
    "Extract the numbers in order. {text}",
    "{text} List the numbers only.",
)  # fmt: skip
def keep_numbers(rng: Random, level: int) -> Problem:
    """The numbers of a text, in their order."""
    parts = []
    numbers = []
    for _ in range(level):
        n = rng.randint(2, 99)
        numbers.append(str(n))
        parts.append(f"{rng.choice(NAMES)} has {n} {rng.choice(THINGS)}")
    text = ", ".join(parts) + "."
    return Problem({"text": text}, text, ", ".join(numbers))


@kind(
    "unique", "collection",
    "Remove the duplicates: {items}.",
    "Which different words are in {items}?",
    "List every word of {items} once.",
    "{who} repeats words: {items}. Give each word one time.",
)  # fmt: skip
def unique(rng: Random, level: int) -> Problem:
    """The distinct words of a list; their order does not matter."""
    words = rng.sample(COLOURS + CATEGORIES["animals"], min(1 + level, 4))
    items = words + [rng.choice(words) for _ in range(level)]
    rng.shuffle(items)
    text = " ".join(items)
    answer = ", ".join(dict.fromkeys(items))
    return Problem({"items": text, "who": rng.choice(NAMES)}, text, answer)
