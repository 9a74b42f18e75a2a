"""Arithmetic in words."""

from __future__ import annotations

from random import Random

from scripts.demo_build.tasks.core import Problem, kind
from scripts.demo_build.tasks.lexicon import NAMES, THINGS, in_words

_TOP = {1: 9, 2: 20, 3: 50, 4: 99}


def _scene(rng: Random, **numbers: object) -> dict[str, object]:
    who, other = rng.sample(NAMES, 2)
    return {"who": who, "other": other, "things": rng.choice(THINGS), **numbers}


@kind(
    "add", "number",
    "{who} has {a} {things} and gets {b} more. How many {things} does {who} have now?",
    "What is {a} plus {b}?",
    "Add {a} and {b}.",
    "{who} owns {a} {things}, {other} owns {b}. How many {things} are there in all?",
    "There are {a} {things} on the table and {b} in the box. Find the total.",
    "Compute the sum of {a} and {b}.",
)  # fmt: skip
def add(rng: Random, level: int) -> Problem:
    """Addition of two numbers."""
    a, b = (rng.randint(1, _TOP[level]) for _ in range(2))
    return Problem(_scene(rng, a=a, b=b), f"{a} + {b}", str(a + b))


@kind(
    "subtract", "number",
    "{who} has {a} {things} and gives {b} to {other}. How many are left?",
    "What is {a} minus {b}?",
    "Take {b} away from {a}.",
    "Of {a} {things}, {b} are lost. How many {things} remain?",
    "Compute the difference between {a} and {b}.",
    "{who} needs {a} {things} but has only {b}. How many are missing?",
)  # fmt: skip
def subtract(rng: Random, level: int) -> Problem:
    """Subtraction with a result of at least zero."""
    b, a = sorted(rng.randint(1, _TOP[level]) for _ in range(2))
    return Problem(_scene(rng, a=a, b=b), f"{a} - {b}", str(a - b))


@kind(
    "multiply", "number",
    "{who} buys {a} boxes with {b} {things} each. How many {things} is that?",
    "What is {a} times {b}?",
    "Multiply {a} by {b}.",
    "A shelf has {a} rows of {b} {things}. How many {things} are on it?",
    "Find the product of {a} and {b}.",
)  # fmt: skip
def multiply(rng: Random, level: int) -> Problem:
    """Multiplication of one digit by up to two."""
    low, high = {1: (2, 4), 2: (2, 9), 3: (6, 12), 4: (10, 20)}[level]
    a, b = rng.randint(2, 9), rng.randint(low, high)
    return Problem(_scene(rng, a=a, b=b), f"{a} * {b}", str(a * b))


@kind(
    "digits", "number",
    "Write {words} in digits.",
    "Which number is {words}?",
    "How do you write {words} as a number?",
    "Turn these words into a number: {words}.",
)  # fmt: skip
def digits(rng: Random, level: int) -> Problem:
    """A number in words, written in digits."""
    low, high = {1: (0, 19), 2: (20, 60), 3: (20, 99), 4: (100, 999)}[level]
    number = rng.randint(low, high)
    return Problem({"words": in_words(number)}, in_words(number), str(number))
