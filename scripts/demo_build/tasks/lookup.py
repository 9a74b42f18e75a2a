"""Looking things up in small tables."""

from __future__ import annotations

from random import Random

from scripts.demo_build.tasks.core import Problem, kind
from scripts.demo_build.tasks.lexicon import CITIES, NAMES


def _people(rng: Random, level: int) -> list[tuple[str, int, str]]:
    size = 1 + level
    return list(
        zip(
            rng.sample(NAMES, size),
            rng.sample(range(11, 99), size),
            rng.sample(CITIES, size),
            strict=True,
        )
    )


@kind(
    "table_age", "number",
    "Name, age, city: {rows}. How old is {who}?",
    "Here is a table of people: {rows}. What is the age of {who}?",
    "Look up the age of {who}: {rows}.",
    "People: {rows}. Give the age of {who}.",
)  # fmt: skip
def table_age(rng: Random, level: int) -> Problem:
    """A number from a row found by name."""
    people = _people(rng, level)
    rows = "; ".join(f"{name} {age} {city}" for name, age, city in people)
    who, age, _ = rng.choice(people)
    return Problem({"rows": rows, "who": who}, f"age of {who} in {rows}", str(age))


@kind(
    "table_name", "choice",
    "Name, age, city: {rows}. Who lives in {city}?",
    "Here is a table of people: {rows}. Which person lives in {city}?",
    "Look up who lives in {city}: {rows}.",
    "People: {rows}. Give the name of the person from {city}.",
)  # fmt: skip
def table_name(rng: Random, level: int) -> Problem:
    """A name from a row found by city."""
    people = _people(rng, level)
    rows = "; ".join(f"{name} {age} {city}" for name, age, city in people)
    who, _, city = rng.choice(people)
    return Problem({"rows": rows, "city": city}, f"who in {city} in {rows}", who)
