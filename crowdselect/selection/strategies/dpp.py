"""A determinantal point process: the picks that span the largest volume."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from crowdselect.registry import option
from crowdselect.selection.diversity import largest_volume
from crowdselect.selection.pool import Picks, Pool
from crowdselect.selection.ranking import greedy_budget, ground_set, in_order
from crowdselect.selection.report import picks
from crowdselect.selection.strategies.base import Need
from crowdselect.selection.strategies.scored import vectors_of, weighted_names, weighted_parts


@dataclass(frozen=True)
class Dpp:
    """Greedy maximum of log det of the picks' kernel, with the weighted score as quality.

    A row's quality is exp(quality x score / 2), so that the log determinant gains quality x score.
    """

    name: ClassVar[str] = "dpp"
    title: ClassVar[str] = "Log-determinant (DPP)"
    summary: ClassVar[str] = "Rows that span the largest volume: no two alike, and good ones first."
    source: ClassVar[str] = (
        "Wang et al. 2024 (arXiv 2402.02318); fast greedy MAP of Chen et al. 2018 (1709.05135)"
    )
    needs: ClassVar[frozenset[Need]] = frozenset({"vectors"})

    quality: float = option(
        0.0, "how much the weighted score counts; 0: not at all", low=0, high=100
    )
    bandwidth: float = option(0.5, "distance over which two rows are alike", low=0.01, high=10)

    def columns(self, weights: Mapping[str, float]) -> tuple[str, ...]:
        """Return the weighted metrics where they count."""
        return weighted_names(weights) if self.quality else ()

    def __call__(self, pool: Pool) -> Picks:
        """Choose at most ``pool.budget`` rows; fewer when all others are copies of a pick."""
        vectors = vectors_of(pool, self.name)
        score = weighted_parts(pool)[0] if self.quality else np.zeros(len(pool))
        eligible, rows, exact = ground_set(pool, [("score", score)] if self.quality else [], score)
        order, gains = largest_volume(
            vectors[rows],
            min(greedy_budget(pool, eligible), len(rows)),
            bandwidth=self.bandwidth,
            gains=self.quality * np.nan_to_num(score[rows]),
            first=len(np.unique(pool.pins)),
            progress=pool.progress,
        )
        outcome = in_order(pool, eligible, rows[order], gains, exact_duplicates=exact)
        return picks(
            pool,
            eligible,
            outcome,
            {"log volume": outcome.scores},
            lambda i: f"adds {outcome.scores[i]:.4g} to the log volume of the picks",
        )
