"""Small logic puzzles."""

from __future__ import annotations

from itertools import pairwise
from random import Random

from scripts.demo_build.tasks.core import Problem, kind
from scripts.demo_build.tasks.lexicon import CONTAINERS, NAMES, OBJECTS


@kind(
    "ranking", "choice",
    "{facts} Who is the {which}?",
    "Read this: {facts} Name the {which} person.",
    "{facts} Which of them is the {which}?",
    "Work out who is {which}. {facts}",
)  # fmt: skip
def ranking(rng: Random, level: int) -> Problem:
    """The top or bottom of an order given by pairwise facts in any order."""
    more, which_top, which_bottom = rng.choice(
        (
            ("taller than", "tallest", "shortest"),
            ("older than", "oldest", "youngest"),
            ("faster than", "fastest", "slowest"),
        )
    )
    people = rng.sample(NAMES, 1 + level)
    facts = [f"{a} is {more} {b}." for a, b in pairwise(people)]
    rng.shuffle(facts)
    top = rng.random() < 0.5
    which = which_top if top else which_bottom
    text = " ".join(facts)
    return Problem({"facts": text, "which": which}, f"{which}: {text}", people[0 if top else -1])


@kind(
    "where", "choice",
    "{story} Where is the {thing} now?",
    "Follow the story. {story} Where is the {thing}?",
    "{story} In which place is the {thing} at the end?",
    "Where does the {thing} end up? {story}",
)  # fmt: skip
def where(rng: Random, level: int) -> Problem:
    """The last place of a thing that is moved about among other things."""
    things = rng.sample(OBJECTS, 2)
    places = rng.sample(CONTAINERS, 4)
    at = {thing: rng.choice(places) for thing in things[: 1 if level == 1 else 2]}
    lines = [f"The {thing} is in the {place}." for thing, place in at.items()]
    for _ in range(level):
        thing = rng.choice(list(at))
        at[thing] = rng.choice([p for p in places if p != at[thing]])
        lines.append(f"{rng.choice(NAMES)} moves the {thing} to the {at[thing]}.")
    thing = rng.choice(list(at))
    story = " ".join(lines)
    return Problem({"story": story, "thing": thing}, f"{thing}: {story}", at[thing])


def _claim(rng: Random, high: int) -> tuple[str, bool]:
    a, b = rng.sample(range(1, high + 1), 2)
    return rng.choice(
        (
            (f"{a} is greater than {b}", a > b),
            (f"{a} is less than {b}", a < b),
            (f"{a} is even", a % 2 == 0),
            (f"{a} is odd", a % 2 == 1),
        )
    )


@kind(
    "true_or_false", "choice",
    "True or false: {claim}.",
    "Is this true or false? {claim}.",
    "{who} says that {claim}. Is that true or false?",
    "Decide whether it is true or false that {claim}.",
)  # fmt: skip
def true_or_false(rng: Random, level: int) -> Problem:
    """The truth of one claim about numbers, or of two joined by and/or."""
    high = {1: 9, 2: 99, 3: 20, 4: 99}[level]
    claim, truth = _claim(rng, high)
    if level > 2:
        second, other = _claim(rng, high)
        word = rng.choice(("and", "or"))
        claim = f"{claim} {word} {second}"
        truth = (truth and other) if word == "and" else (truth or other)
    return Problem({"claim": claim, "who": rng.choice(NAMES)}, claim, str(truth).lower())
