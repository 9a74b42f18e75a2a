"""What the demo's models read while they learn: a mixture in, (prompt, completion) texts out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from random import Random

from crowdselect.tasks import Task
from scripts.demo_build.tasks import KINDS, LEVELS, task_stream
from scripts.demo_build.tasks import lexicon as words
from scripts.demo_build.tokenizer import chat_text

Pair = tuple[str, str]
"""A prompt that carries no loss and a completion that does."""

_ATOMS = (
    words.ALL_WORDS + words.NAMES + words.CITIES + words.THINGS + words.CONTAINERS
    + words.OBJECTS + words.DAYS
)  # fmt: skip


@dataclass(frozen=True)
class Mixture:
    """Which tasks a model is taught, and how many."""

    examples: int
    """Different training tasks; a model that needs more reads them again."""
    emphasis: Mapping[str, float] = field(default_factory=dict)
    """Weight of a group of kinds (its module's name); 1 where nothing is said."""
    levels: tuple[int, ...] = LEVELS
    """The levels it sees in training; it is asked all of them."""

    def weights(self) -> dict[str, float]:
        """Weight of every kind."""
        return {
            name: self.emphasis.get(kind.draw.__module__.rpartition(".")[2], 1.0)
            for name, kind in KINDS.items()
        }


def _atom(rng: Random) -> str:
    draw = rng.random()
    if draw < 0.6:
        return rng.choice(_ATOMS)
    if draw < 0.8:
        return str(rng.randint(0, 99))
    return '"' + "".join(rng.sample(words.ALPHABET, rng.randint(1, 5))) + '"'


def drills(n: int, seed: int, write: Callable[[str, str], Pair] = chat_text) -> Iterator[Pair]:
    """Yield ``n`` exercises: small sums, copying, reversing, pairs in another order.

    Attention heads that look things up form in some hundred steps of these dense exercises, and
    in many thousands of steps of the tasks alone (docs/demo.md).
    """
    rng = Random(f"{seed}-drills")
    for _ in range(n):
        size = rng.randint(2, 5)
        manner = rng.random()
        if manner < 0.15:
            a, b = rng.randint(0, 20), rng.randint(0, 9)
            sums = (f"{a} + {b}", str(a + b)), (f"{a + b} - {b}", str(a))
            yield write(*rng.choice(sums))
        elif manner < 0.55:
            pairs = [f"{key} {_atom(rng)}" for key in rng.sample(_ATOMS, size)]
            yield write("; ".join(pairs), "; ".join(rng.sample(pairs, size)))
        else:
            items = [_atom(rng) for _ in range(2 * size)]
            again = items if manner < 0.85 else items[::-1]
            mark = "" if manner < 0.85 else "< "
            yield write(mark + " ".join(items), " ".join(again))


@dataclass(frozen=True)
class Texts:
    """What a model reads in a training run, in the order of the run."""

    drills: list[Pair]
    easier: list[Pair]
    all: list[Pair]


def as_chat(task: Task) -> Pair:
    """A task as the chat template writes it."""
    return chat_text(task.instruction, task.reference)


def lessons(mixture: Mixture, seed: int, n_drills: int) -> Texts:
    """Return drills and the training tasks of a mixture as chats.

    The easier tasks are those of the lower half of the mixture's levels.
    """
    stream = task_stream(seed, "train", mixture.weights(), mixture.levels)
    tasks = list(islice(stream, mixture.examples))
    easier = set(mixture.levels[: (len(mixture.levels) + 1) // 2])
    return Texts(
        list(drills(n_drills, seed)),
        [as_chat(task) for task in tasks if task.level in easier],
        [as_chat(task) for task in tasks],
    )
