"""Drawing tasks of one split, and reading them back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from random import Random
from typing import get_args

import pyarrow.parquet as pq

from crowdselect.errors import CrowdSelectError
from crowdselect.tasks.core import (
    KINDS,
    LEVELS,
    Kind,
    Problem,
    Split,
    Task,
    VerifierName,
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


def load_heldout(path: Path) -> list[Task]:
    """Read tasks from a Parquet file with the columns of ``Task``.

    Raises ``CrowdSelectError`` if the file is missing, lacks a column or names an unknown
    verifier.
    """
    columns = list(Task.__dataclass_fields__)
    if not path.is_file():
        raise CrowdSelectError(
            f"There is no task file {path}.", "Give the path of a Parquet file of tasks."
        )
    present = pq.read_schema(path).names
    missing = [name for name in columns if name not in present]
    if missing:
        raise CrowdSelectError(
            f"{path} lacks the columns {', '.join(missing)}.",
            f"A task file has the columns {', '.join(columns)}.",
        )
    tasks = [Task(**row) for row in pq.read_table(path, columns=columns).to_pylist()]
    known = get_args(VerifierName)
    for row, task in enumerate(tasks, start=1):
        if task.verifier not in known:
            raise CrowdSelectError(
                f"Row {row} of {path} names the verifier {task.verifier!r}.",
                f"The verifiers are {', '.join(known)}.",
            )
    return tasks
