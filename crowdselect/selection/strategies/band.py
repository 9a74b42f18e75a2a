"""A band of one metric: neither end, the middle of a model's loss for instance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from crowdselect.ranks import normalise
from crowdselect.registry import option
from crowdselect.selection.pool import Picks, Pool
from crowdselect.selection.ranking import rank_by
from crowdselect.selection.report import picks
from crowdselect.selection.strategies.base import Need


@dataclass(frozen=True)
class Band:
    """The rows whose place by one metric is closest to a given one.

    With the loss (or perplexity, which has the same order) of the base model as metric this is the
    perplexity band.
    """

    name: ClassVar[str] = "band"
    title: ClassVar[str] = "Band of one metric"
    summary: ClassVar[str] = "The middle of a metric, such as the base model's loss: neither end."
    source: ClassVar[str] = "Perplexity band: Marion et al. 2023 (arXiv 2309.04564), middle subset"
    needs: ClassVar[frozenset[Need]] = frozenset()

    metric: str = option("difficulty", "the metric column, a score of the base model's loss say")
    centre: float = option(0.5, "place of the band's middle; 0: lowest, 1: highest", low=0, high=1)

    def columns(self, weights: Mapping[str, float]) -> tuple[str, ...]:
        """Return the one metric."""
        return (self.metric,)

    def __call__(self, pool: Pool) -> Picks:
        """Choose the ``pool.budget`` rows that are closest to the centre."""
        away = np.abs(normalise(pool.table.raw(self.metric)) - self.centre)
        eligible, outcome = rank_by(pool, self.metric, away, lowest=True)
        return picks(
            pool,
            eligible,
            outcome,
            {},
            lambda i: (
                f"{outcome.scores[i]:.1%} of the crowd away from the middle of the band in "
                f"{self.metric}"
            ),
        )
