"""DEITA: best score first, skipping what is too close to a better one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from crowdselect.registry import option
from crowdselect.selection.near import near_duplicates
from crowdselect.selection.pool import Picks, Pool
from crowdselect.selection.ranking import greedy_budget, ground_set, in_order
from crowdselect.selection.report import picks
from crowdselect.selection.strategies.base import Need
from crowdselect.selection.strategies.scored import vectors_of, weighted_names, weighted_parts
from crowdselect.values import FloatArray


@dataclass(frozen=True)
class Deita:
    """Score first, diversity aware: keep a row unless it is too similar to a better kept one.

    The score is complexity times quality when both columns are named (as in the paper), else the
    recipe's weighted metrics. May return fewer rows than the budget.
    """

    name: ClassVar[str] = "deita"
    title: ClassVar[str] = "DEITA: score first, diversity aware"
    summary: ClassVar[str] = "The best-scored rows that are not too similar to a better one."
    source: ClassVar[str] = "DEITA (arXiv 2312.15685)"
    needs: ClassVar[frozenset[Need]] = frozenset({"vectors"})

    threshold: float = option(0.9, "highest cosine similarity to a kept row", low=-1, high=1)
    complexity: str = option("", "column of complexity scores; empty: use the weights")
    quality: str = option("", "column of quality scores; empty: use the weights")

    def columns(self, weights: Mapping[str, float]) -> tuple[str, ...]:
        """Return complexity and quality, or the weighted metrics."""
        if self.complexity and self.quality:
            return (self.complexity, self.quality)
        return weighted_names(weights)

    def __call__(self, pool: Pool) -> Picks:
        """Choose at most ``pool.budget`` rows."""
        vectors = vectors_of(pool, self.name)
        values, parts = self._scores(pool)
        eligible, rows, exact = ground_set(pool, [("score", values)], values)
        partner = near_duplicates(
            vectors,
            self.threshold,
            rows,
            limit=greedy_budget(pool, eligible),
            protected=len(np.unique(pool.pins)),
        )
        rows, near = rows[partner == -1], int(np.count_nonzero(partner >= 0))
        outcome = in_order(
            pool, eligible, rows, values[rows], exact_duplicates=exact, near_duplicates=near
        )
        return picks(
            pool,
            eligible,
            outcome,
            {name: part[rows] for name, part in parts.items()},
            lambda i: (
                f"score {outcome.scores[i]:.4g}, and no better pick is closer than "
                f"cosine {self.threshold:g}"
            ),
        )

    def _scores(self, pool: Pool) -> tuple[FloatArray, dict[str, FloatArray]]:
        if self.complexity and self.quality:
            product = pool.table.raw(self.complexity) * pool.table.raw(self.quality)
            return product, {f"{self.complexity} x {self.quality}": product}
        return weighted_parts(pool)
