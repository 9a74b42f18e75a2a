"""Targeted selection: what is most like examples of what the model shall do, in turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from crowdselect.errors import InputError
from crowdselect.registry import option
from crowdselect.selection.pool import Picks, Pool
from crowdselect.selection.ranking import greedy_budget, ground_set, in_order
from crowdselect.selection.report import picks
from crowdselect.selection.strategies.base import Need
from crowdselect.selection.strategies.scored import vectors_of
from crowdselect.values import FloatArray, IntArray


@dataclass(frozen=True)
class Targeted:
    """Nearest to the targets by cosine similarity, round robin.

    With the encoder ``rds?model=MODEL`` this is RDS+.
    """

    name: ClassVar[str] = "targeted"
    title: ClassVar[str] = "For a target"
    summary: ClassVar[str] = "The rows most like given examples of what the model shall do."
    source: ClassVar[str] = "RDS+: Ivison et al. 2025 (arXiv 2503.01807), round robin over queries"
    needs: ClassVar[frozenset[Need]] = frozenset({"vectors", "targets"})

    targets: str = option(
        "", "tag:NAME (instructions that you tagged), or files that select --target FILE kept"
    )
    turns: Literal["example", "task"] = option(
        "example",
        "who takes turns: every example, or every task (file or tag) by its most similar example",
        choices=("example", "task"),
    )

    def columns(self, weights: Mapping[str, float]) -> tuple[str, ...]:
        """Return no metric."""
        return ()

    def __call__(self, pool: Pool) -> Picks:
        """Choose ``pool.budget`` rows."""
        vectors = vectors_of(pool, self.name)
        if pool.targets is None or not len(pool.targets.vectors):
            raise InputError(
                "The strategy targeted needs examples, and there are none.",
                "Give --target FILE, or -o targets=tag:NAME for instructions that you tagged.",
            )
        eligible, rows, exact = ground_set(pool, [], np.zeros(len(pool)))
        near = np.nan_to_num(vectors[rows].astype(np.float64) @ pool.targets.vectors.T, nan=-1.0)
        if self.turns == "task":
            names = list(dict.fromkeys(pool.targets.tasks))
            members = [[t == name for t in pool.targets.tasks] for name in names]
            near = np.stack([near[:, mine].max(axis=1) for mine in members], axis=1)
        budget, pinned = greedy_budget(pool, eligible), len(np.unique(pool.pins))
        order, scores = round_robin(near, min(budget, len(rows)), pinned)
        outcome = in_order(pool, eligible, rows[order], scores, exact_duplicates=exact)
        return picks(
            pool,
            eligible,
            outcome,
            {"similarity": outcome.scores},
            lambda i: f"similarity {outcome.scores[i]:.4g} to the example whose turn it was",
        )


def round_robin(near: FloatArray, budget: int, first: int = 0) -> tuple[IntArray, FloatArray]:
    """Each column in turn takes the row that is largest in it and not taken yet.

    ``near`` has shape (rows, columns); the ``first`` rows are taken to begin with, for no column.
    Of equals the lower row goes first. Returns the rows in order, and each one's value in the
    column that took it.
    """
    taken = np.zeros(len(near), dtype=bool)
    order = list(range(min(first, budget)))
    scores = [float(near[x].max()) for x in order]
    taken[order] = True
    queues = [iter(np.argsort(-np.round(column, 9), kind="stable")) for column in near.T]
    turn = 0
    while len(order) < min(budget, len(near)):
        column = turn % len(queues)
        x = next(int(i) for i in queues[column] if not taken[i])
        taken[x] = True
        order.append(x)
        scores.append(float(near[x, column]))
        turn += 1
    return np.array(order, dtype=np.int64), np.array(scores)
