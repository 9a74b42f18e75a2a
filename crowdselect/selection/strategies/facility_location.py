"""Facility location: a subset that stands for the whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from crowdselect.registry import option
from crowdselect.selection.coverage import facility_location, similarity
from crowdselect.selection.pool import Picks, Pool
from crowdselect.selection.ranking import greedy_budget, ground_set, in_order
from crowdselect.selection.report import picks
from crowdselect.selection.strategies.base import Need
from crowdselect.selection.strategies.scored import vectors_of, weighted_names, weighted_parts
from crowdselect.values import IntArray


@dataclass(frozen=True)
class FacilityLocation:
    """Greedy maximum of how well every row is represented by its most similar pick.

    Similarity is max(d) - d for Euclidean distance d. Above 2,048 rows only each row's nearest
    neighbours (inside its cluster) count, so memory stays at rows x neighbours.
    """

    name: ClassVar[str] = "facility_location"
    title: ClassVar[str] = "Facility location"
    summary: ClassVar[str] = "The rows that best represent all others, in the embedding space."
    source: ClassVar[str] = "Superfiltering (arXiv 2402.00530) with FLA; Nemhauser et al. 1978"
    needs: ClassVar[frozenset[Need]] = frozenset({"vectors"})

    neighbours: int = option(64, "nearest rows that a row can stand for", low=1, high=1024)
    best_share: float = option(
        1.0, "first keep this share of the best-scored rows (by the weights)", low=0.001, high=1
    )

    def columns(self, weights: Mapping[str, float]) -> tuple[str, ...]:
        """Return the weighted metrics where they shortlist, else none."""
        if self.best_share == 1.0:
            return ()
        return weighted_names(weights)

    def __call__(self, pool: Pool) -> Picks:
        """Choose ``pool.budget`` rows."""
        vectors = vectors_of(pool, self.name)
        values = np.zeros(len(pool))
        columns = []
        if self.best_share < 1.0:
            values = weighted_parts(pool)[0]
            columns = [("score", values)]
        eligible, rows, exact = ground_set(pool, columns, values)
        budget, pinned = greedy_budget(pool, eligible), len(np.unique(pool.pins))
        short = max(budget, pinned + int((len(rows) - pinned) * self.best_share))
        rows = rows[:short]
        parts: IntArray | None = None if pool.clusters is None else pool.clusters[rows]
        similar = similarity(vectors[rows], self.neighbours, parts, pool.progress)
        order, gains = facility_location(similar, budget, pinned, pool.progress)
        outcome = in_order(pool, eligible, rows[order], gains, exact_duplicates=exact)
        return picks(
            pool,
            eligible,
            outcome,
            {"coverage": outcome.scores},
            lambda i: f"adds {outcome.scores[i]:.4g} to how well the picks cover the pool",
        )
