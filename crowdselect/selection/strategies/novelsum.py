"""NovelSum's greedy: far from the picks, where the crowd is dense."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from crowdselect.registry import option
from crowdselect.selection.diversity import local_density, most_novel
from crowdselect.selection.pool import Picks, Pool
from crowdselect.selection.ranking import greedy_budget, ground_set, in_order
from crowdselect.selection.report import picks
from crowdselect.selection.strategies.base import Need
from crowdselect.selection.strategies.scored import vectors_of


@dataclass(frozen=True)
class NovelSum:
    """NovelSelect: the row with the greatest novelty to what is picked, again and again.

    As its code computes it (densities of both rows added). That code may pick a row twice; here
    picked rows are out.
    """

    name: ClassVar[str] = "novelsum"
    title: ClassVar[str] = "NovelSum"
    summary: ClassVar[str] = "Rows unlike the picks, the more so where many are alike."
    source: ClassVar[str] = "Yang et al. 2025 (arXiv 2502.17184), NovelSelect of its repository"
    needs: ClassVar[frozenset[Need]] = frozenset({"vectors"})

    neighbours: int = option(10, "nearest rows that density is measured by", low=1, high=1000)
    density: float = option(0.5, "power of the density; 0: density does not count", low=0, high=4)
    proximity: float = option(1.0, "power by which nearer picks count more", low=0, high=4)

    def columns(self, weights: Mapping[str, float]) -> tuple[str, ...]:
        """Return no metric."""
        return ()

    def __call__(self, pool: Pool) -> Picks:
        """Choose ``pool.budget`` rows; the first is a seeded draw."""
        everything = vectors_of(pool, self.name)
        eligible, rows, exact = ground_set(pool, [], np.zeros(len(pool)))
        vectors = everything[rows]
        parts = None if pool.clusters is None else pool.clusters[rows]
        dense = local_density(vectors, self.neighbours, self.density, parts, pool.progress)
        order, novelty = most_novel(
            vectors,
            dense,
            min(greedy_budget(pool, eligible), len(rows)),
            proximity=self.proximity,
            first=len(np.unique(pool.pins)),
            progress=pool.progress,
        )
        outcome = in_order(pool, eligible, rows[order], novelty, exact_duplicates=exact)
        return picks(
            pool,
            eligible,
            outcome,
            {"novelty": outcome.scores},
            lambda i: (
                "where the search for the new starts"
                if np.isnan(outcome.scores[i])
                else f"novelty {outcome.scores[i]:.4g} to the picks before it"
            ),
        )
