"""Drawing tasks of one split."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from random import Random

from crowdselect.errors import CrowdSelectError
from crowdselect.tasks import Task
from scripts.demo_build.tasks.core import (
    KINDS,
    LEVELS,
    Kind,
    Problem,
    Split,
    digest,
    split_of,
    word,
)


def draw_problem(
    rng: Random, weights: Mapping[str, float] | None = None, levels: tuple[int, ...] = LEVELS
) -> tuple[Kind, int, Problem]:
    """Draw a kind (by weight, default equal), a level (uniformly) and a problem of both."""
    names = list(weights or KINDS)
    chosen = rng.choices(names, None if weights is None else list(weights.values()))[0]
    level = rng.choice(levels)
    return KINDS[chosen], level, KINDS[chosen].draw(rng, level)


def task_stream(
    seed: int,
    split: Split,
    weights: Mapping[str, float] | None = None,
    levels: tuple[int, ...] = LEVELS,
) -> Iterator[Task]:
    """Yield tasks of a split without end; instructions may recur."""
    rng = Random(f"{seed}-{split}")
    while True:
        kind, level, problem = draw_problem(rng, weights, levels)
        instruction = word(problem, kind, rng)
        if split_of(instruction) == split:
            yield Task(
                digest(instruction)[:12],
                kind.name,
                level,
                instruction,
                problem.answer,
                kind.verifier,
            )


def make_tasks(
    n: int, seed: int, split: Split, weights: Mapping[str, float] | None = None
) -> list[Task]:
    """Draw ``n`` tasks with different instructions from one split.

    ``weights`` gives each kind's share (default: all kinds equally often). The same arguments
    always give the same tasks. Raises ``CrowdSelectError`` where the kinds cannot yield ``n``
    different instructions.
    """
    tasks: dict[str, Task] = {}
    for task in islice(task_stream(seed, split, weights), 20 * n + 1000):
        if len(tasks) == n:
            break
        tasks.setdefault(task.instruction, task)
    if len(tasks) < n:
        raise CrowdSelectError(
            f"The kinds yield only {len(tasks)} different {split} tasks; {n} were asked for.",
            "Ask for fewer tasks or give weight to more kinds.",
        )
    return list(tasks.values())
