"""Random: a seeded draw from the whole pool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from crowdselect.selection.pool import Picks, Pool
from crowdselect.selection.ranking import rank_by
from crowdselect.selection.report import picks
from crowdselect.selection.strategies.base import Need
from crowdselect.selection.ties import uniform


def draw(pool: Pool, *, quotas: bool) -> Picks:
    """Give every row a number in [0, 1) from its id and the seed, and take the highest.

    The draw depends on no row order and on no other row: more budget only adds rows.
    """
    values = uniform(pool.table.keys(pool.seed))
    eligible, outcome = rank_by(pool, "draw", values, quotas=quotas)
    return picks(pool, eligible, outcome, {}, lambda i: f"drawn at random with seed {pool.seed}")


@dataclass(frozen=True)
class Random:
    """Rows drawn uniformly, the baseline that everything has to beat."""

    name: ClassVar[str] = "random"
    title: ClassVar[str] = "Random"
    summary: ClassVar[str] = "A seeded uniform draw: the baseline that everything has to beat."
    source: ClassVar[str] = "CrowdSelect (arXiv 2503.01836) table 2, Random"
    needs: ClassVar[frozenset[Need]] = frozenset()

    def columns(self, weights: Mapping[str, float]) -> tuple[str, ...]:
        """Return no metric."""
        return ()

    def __call__(self, pool: Pool) -> Picks:
        """Draw ``pool.budget`` rows."""
        return draw(pool, quotas=False)
