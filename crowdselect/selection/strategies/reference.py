"""Reference: the selection of the published code, with its sort repaired."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from crowdselect.errors import InputError
from crowdselect.ranks import DECIMALS
from crowdselect.registry import option
from crowdselect.selection.normalise import normalise_sklearn
from crowdselect.selection.pool import Picks, Pool
from crowdselect.selection.ranking import greedy_budget, ground_set, in_order
from crowdselect.selection.report import picks, places_in_cluster
from crowdselect.selection.reselect import active_weights
from crowdselect.selection.strategies.base import Need
from crowdselect.values import FloatArray


@dataclass(frozen=True)
class Reference:
    """The scikit-learn chain, then a fixed number per cluster without refill, cut to the budget.

    A short cluster stays short. The published file sorts by id instead of by score; that fault is
    not reproduced. Use it with metrics of the profile ``reference``.
    """

    name: ClassVar[str] = "reference"
    title: ClassVar[str] = "Published code"
    summary: ClassVar[str] = (
        "As the published scripts do it: a fixed number per cluster, no refill."
    )
    source: ClassVar[str] = "CrowdSelect's repository, multi-metric and single-metric scripts"
    needs: ClassVar[frozenset[Need]] = frozenset({"clusters"})

    per_cluster: int = option(100, "rows per cluster", low=1)

    def columns(self, weights: Mapping[str, float]) -> tuple[str, ...]:
        """Return the metrics whose weight is not zero."""
        return tuple(active_weights(weights))

    def __call__(self, pool: Pool) -> Picks:
        """Choose at most ``pool.budget`` rows."""
        if pool.clusters is None:
            raise InputError("The strategy 'reference' needs clusters.", "Set clusters to 10.")
        active = active_weights(pool.weights)
        parts = {n: w * normalise_sklearn(pool.table.raw(n)) for n, w in active.items()}
        total: FloatArray = np.round(np.sum(list(parts.values()), axis=0), DECIMALS) + 0.0
        eligible, rows, exact = ground_set(pool, [("score", total)], total)
        place = places_in_cluster(pool.clusters[rows])
        pinned = np.isin(rows, pool.pins)
        rows = rows[(place <= self.per_cluster) | pinned][: greedy_budget(pool, eligible)]
        rows = rows[np.lexsort((np.arange(len(rows)), -total[rows]))]
        outcome = in_order(pool, eligible, rows, total[rows], exact_duplicates=exact)
        return picks(
            pool,
            eligible,
            outcome,
            {name: part[rows] + 0.0 for name, part in parts.items()},
            lambda i: f"score {outcome.scores[i]:.3f}, as the published code adds it up",
        )
