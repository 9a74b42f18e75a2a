"""Units, clock times and dates."""

from __future__ import annotations

from random import Random

from scripts.demo_build.tasks.core import Problem, kind
from scripts.demo_build.tasks.lexicon import DAYS, NAMES

_UNITS = (
    ("minutes", "hours", 60), ("seconds", "minutes", 60), ("days", "weeks", 7),
    ("months", "years", 12), ("hours", "days", 24), ("cents", "euros", 100),
    ("grams", "kilos", 1000), ("metres", "kilometres", 1000),
)  # fmt: skip


@kind(
    "convert", "number",
    "How many {small} are {n} {large}?",
    "Convert {n} {large} to {small}.",
    "Express {n} {large} in {small}.",
    "{who} waited for {n} {large} in the exercise. How many {small} is that?",
    "Change {n} {large} into {small}.",
)  # fmt: skip
def convert(rng: Random, level: int) -> Problem:
    """From a larger unit to a smaller one."""
    small, large, factor = rng.choice(_UNITS)
    n = rng.randint(2, {1: 3, 2: 5, 3: 8, 4: 12}[level])
    slots = {"small": small, "large": large, "n": n, "who": rng.choice(NAMES)}
    return Problem(slots, f"{n} {large} in {small}", str(n * factor))


def _clock(minutes: int) -> str:
    hours, rest = divmod(minutes % 1440, 60)
    return f"{hours:02d}:{rest:02d}"


@kind(
    "clock", "text",
    "A film starts at {start} and lasts {n} minutes. When does it end?",
    "What time is it {n} minutes after {start}?",
    "It is {start}. What time will it be in {n} minutes?",
    "{who} leaves at {start} and walks for {n} minutes. When does {who} arrive?",
    "Add {n} minutes to {start}.",
)  # fmt: skip
def clock(rng: Random, level: int) -> Problem:
    """Minutes added to a time of day."""
    step, most = {1: (30, 2), 2: (10, 3), 3: (10, 6), 4: (5, 18)}[level]
    start = rng.randrange(0, 1440, step)
    n = step * rng.randint(1, most)
    slots = {"start": _clock(start), "n": n, "who": rng.choice(NAMES)}
    return Problem(slots, f"{_clock(start)} + {n}", _clock(start + n))


@kind(
    "weekday", "choice",
    "Today is {day}. Which day is it in {n} days?",
    "Which weekday comes {n} days after {day}?",
    "{who} arrives on {day} and leaves {n} days later. On which day does {who} leave?",
    "If it is {day} now, what day will it be {n} days from now?",
)  # fmt: skip
def weekday(rng: Random, level: int) -> Problem:
    """Days added to a weekday."""
    first = rng.randrange(7)
    n = rng.randint(1, {1: 2, 2: 4, 3: 7, 4: 14}[level])
    slots = {"day": DAYS[first], "n": n, "who": rng.choice(NAMES)}
    return Problem(slots, f"{DAYS[first]} + {n}", DAYS[(first + n) % 7])
