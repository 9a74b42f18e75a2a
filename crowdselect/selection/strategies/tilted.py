"""Tilted: a random draw that prefers rows by their weighted score, without taking the top."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from crowdselect.registry import option
from crowdselect.selection.pool import Picks, Pool
from crowdselect.selection.ranking import rank_by
from crowdselect.selection.report import picks
from crowdselect.selection.reselect import active_weights
from crowdselect.selection.strategies.base import Need
from crowdselect.selection.strategies.scored import weighted_parts
from crowdselect.selection.ties import uniform


@dataclass(frozen=True)
class Tilted:
    """A draw without replacement, each row with a chance in proportion to exp(strength x score).

    The score is the weighted sum of the normalised metrics. The draw adds Gumbel noise from each
    row's id and the seed to strength x score and takes the highest, which is that draw exactly.
    Strength 0 is the strategy ``random``; a large one the top of the score.
    """

    name: ClassVar[str] = "tilted"
    title: ClassVar[str] = "Tilted random"
    summary: ClassVar[str] = "A random draw in which rows with a high weighted score come up more."
    source: ClassVar[str] = "Gumbel top-k: Yellott 1977; Kool et al. 2019 (arXiv 1903.06059)"
    needs: ClassVar[frozenset[Need]] = frozenset({"clusters"})

    strength: float = option(3.0, "how much the weighted score counts; 0: not", low=0, high=1000)

    def columns(self, weights: Mapping[str, float]) -> tuple[str, ...]:
        """Return the metrics whose weight is not zero."""
        return tuple(active_weights(weights))

    def __call__(self, pool: Pool) -> Picks:
        """Draw ``pool.budget`` rows, equally from every cluster where there are clusters."""
        score = weighted_parts(pool)[0]
        luck = uniform(pool.table.keys(pool.seed))
        noise = -np.log(-np.log(np.clip(luck, 2.0**-53, 1 - 2.0**-53)))
        eligible, outcome = rank_by(pool, "tilted draw", self.strength * score + noise, quotas=True)
        return picks(
            pool,
            eligible,
            outcome,
            {"tilt": self.strength * score[outcome.rows], "luck": noise[outcome.rows]},
            lambda i: (
                f"drawn with seed {pool.seed}, {self.strength * score[outcome.rows[i]]:+.3f} by "
                "its weighted score"
            ),
        )
