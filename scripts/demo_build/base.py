"""The base models of the demo: what they read before anyone fine-tunes them.

They learn the skills from worked examples in terse notation and from a textbook of questions with
answers, and the chat format from quiz sheets, where a question is followed by another question. Few
of their chats answer a question, so they hardly follow instructions: like a real base model, they
know more than they show.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from crowdselect.tasks import Task
from scripts.demo_build.curriculum import Pair, Texts, as_chat
from scripts.demo_build.curriculum import drills as exercises
from scripts.demo_build.networks import Shape
from scripts.demo_build.tasks import Kind, Problem, draw_problem, task_stream
from scripts.demo_build.tokenizer import END, chat_text
from scripts.demo_build.training import Schedule, schedules


@dataclass(frozen=True)
class Base:
    """One base model: how it is built and how it is pretrained."""

    name: str
    architecture: str
    shape: Shape
    schedule: Schedule
    practice: Schedule
    examples: int
    quiz_share: float = 0.12
    answered_share: float = 0.02
    textbook_share: float = 0.5

    def texts(self, seed: int, drills: int) -> Texts:
        """Drills and reading, in the plain form of a textbook."""
        read = list(reading(self, seed))
        return Texts(list(exercises(drills, seed, plain)), read, read)


_SHAPES = (
    ("base-0.2m", Shape(64, 2, 4), 1200, 1000),
    ("base-0.5m", Shape(96, 3, 4), 1100, 1400),
)
"""Name, shape, steps of schooling and of practice."""


def bases(scale: float = 1.0) -> tuple[Base, ...]:
    """Return the two base models; ``scale`` shrinks steps and data alike, for a miniature."""
    examples = max(64, round(40_000 * scale))
    return tuple(
        Base(name, "llama", shape, *schedules(schooling, practice, scale), examples)
        for name, shape, schooling, practice in _SHAPES
    )


def plain(left: str, right: str) -> Pair:
    """A line of a textbook: no chat, the right side carries the loss."""
    return f" {left} =", f" {right}{END}"


def worked_example(kind: Kind, problem: Problem) -> Pair:
    """A problem in its kind's notation, with its answer."""
    return plain(f"{kind.name.replace('_', ' ')} : {problem.notation}", problem.answer)


def textbook(task: Task) -> Pair:
    """A question and its answer as a book prints them: the words of a chat, not its form."""
    return f" Question: {task.instruction} Answer:", f" {task.reference}{END}"


def reading(base: Base, seed: int) -> Iterator[Pair]:
    """Yield the texts a base model is pretrained on."""
    rng = Random(f"{seed}-reading")
    questions = task_stream(seed, "train")
    for _ in range(base.examples):
        draw = rng.random()
        if draw < base.quiz_share:
            yield chat_text(next(questions).instruction, next(questions).instruction)
        elif draw < base.quiz_share + base.answered_share:
            yield as_chat(next(questions))
        elif draw < base.quiz_share + base.answered_share + base.textbook_share:
            yield textbook(next(questions))
        else:
            kind, _, problem = draw_problem(rng)
            yield worked_example(kind, problem)
