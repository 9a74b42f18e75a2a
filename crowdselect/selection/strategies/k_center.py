"""k-center: rows spread as far apart as possible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from crowdselect.registry import option
from crowdselect.selection.coverage import k_center, medoid
from crowdselect.selection.pool import Picks, Pool
from crowdselect.selection.ranking import greedy_budget, ground_set, in_order
from crowdselect.selection.report import picks
from crowdselect.selection.strategies.base import Need
from crowdselect.selection.strategies.scored import vectors_of


@dataclass(frozen=True)
class KCenter:
    """Greedy k-center: always the row farthest from everything picked. It seeks outliers."""

    name: ClassVar[str] = "k_center"
    title: ClassVar[str] = "k-center"
    summary: ClassVar[str] = "Rows spread as far apart as possible; it seeks outliers by design."
    source: ClassVar[str] = "MoDS (arXiv 2311.15653) stage 2; Gonzalez 1985"
    needs: ClassVar[frozenset[Need]] = frozenset({"vectors"})

    first: Literal["medoid", "random"] = option(
        "medoid",
        "the first pick: the most central row, or a seeded draw",
        choices=("medoid", "random"),
    )

    def columns(self, weights: Mapping[str, float]) -> tuple[str, ...]:
        """Return no metric."""
        return ()

    def __call__(self, pool: Pool) -> Picks:
        """Choose at most ``pool.budget`` rows; fewer when all others are copies of a pick."""
        everything = vectors_of(pool, self.name)
        eligible, rows, exact = ground_set(pool, [], np.zeros(len(pool)))
        vectors = everything[rows]
        pinned = len(np.unique(pool.pins))
        first = np.arange(pinned)
        if not pinned and len(rows):
            # Equal values are ordered by the seeded tie key, so row 0 is a draw.
            first = np.array([medoid(vectors) if self.first == "medoid" else 0])
        budget = min(greedy_budget(pool, eligible), len(rows))
        order, distances = k_center(vectors, budget, first, pool.progress)
        finite = np.where(np.isfinite(distances), distances, np.nan)
        outcome = in_order(pool, eligible, rows[order], finite, exact_duplicates=exact)
        return picks(
            pool,
            eligible,
            outcome,
            {"distance": outcome.scores},
            lambda i: (
                "where the spreading starts"
                if np.isnan(outcome.scores[i])
                else f"{outcome.scores[i]:.4g} away from the nearest earlier pick"
            ),
        )
