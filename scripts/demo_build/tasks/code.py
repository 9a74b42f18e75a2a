"""Tracing tiny programs."""

from __future__ import annotations

from random import Random

from scripts.demo_build.tasks.core import Problem, kind
from scripts.demo_build.tasks.lexicon import FRUITS


@kind(
    "trace", "number",
    "Run this code: {code} What is {name}?",
    "What is the value of {name} after {code}",
    "{code} Give the final value of {name}.",
    "Trace the program and tell me {name}: {code}",
)  # fmt: skip
def trace(rng: Random, level: int) -> Problem:
    """The final value of a variable after some assignments."""
    values = {"x": rng.randint(1, 9)}
    lines = [f"x = {values['x']};"]
    for step in range(level):
        source = rng.choice(list(values))
        target = "y" if step == 0 else rng.choice("xy")
        n = rng.randint(1, 9)
        sign = "+" if values[source] < n or rng.random() < 0.6 else "-"
        values[target] = values[source] + n if sign == "+" else values[source] - n
        lines.append(f"{target} = {source} {sign} {n};")
    name = rng.choice(list(values)) if level > 1 else "y"
    code = " ".join(lines)
    return Problem({"code": code, "name": name}, f"{name}: {code}", str(values[name]))


@kind(
    "loop", "number",
    "n = {start}; repeat {times} times: n = n + {step}. What is n?",
    "A program sets n to {start} and adds {step} to n {times} times. What is n at the end?",
    "n starts at {start}. The loop runs {times} times and each time adds {step}. Give n.",
    "Trace the loop: n = {start}; for i in range({times}): n += {step}. What is n?",
)  # fmt: skip
def loop(rng: Random, level: int) -> Problem:
    """A variable after a loop that adds a constant."""
    start = rng.randint(0, {1: 3, 2: 5, 3: 9, 4: 20}[level])
    times = rng.randint(2, {1: 2, 2: 3, 3: 4, 4: 5}[level])
    step = rng.randint(1, {1: 2, 2: 3, 3: 5, 4: 5}[level])
    slots = {"start": start, "times": times, "step": step}
    return Problem(slots, f"{start} + {times} * {step}", str(start + times * step))


@kind(
    "index", "choice",
    "items = [{items}]. What is items[{i}]?",
    "A list holds {items}. Positions count from 0. What is at position {i}?",
    "In Python, what is [{items}][{i}]?",
    "Given items = [{items}], print items[{i}].",
)  # fmt: skip
def index(rng: Random, level: int) -> Problem:
    """An element of a list by its position, counted from zero."""
    items = rng.sample(FRUITS, 2 + level)
    i = rng.randrange(len(items))
    text = ", ".join(items)
    return Problem({"items": text, "i": i}, f"[{text}][{i}]", items[i])
