"""Random per cluster: a seeded draw of equal size from every cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from crowdselect.selection.pool import Picks, Pool
from crowdselect.selection.strategies.base import Need
from crowdselect.selection.strategies.random import draw


@dataclass(frozen=True)
class RandomPerCluster:
    """Rows drawn uniformly inside equal cluster quotas."""

    name: ClassVar[str] = "random_per_cluster"
    title: ClassVar[str] = "Random per cluster"
    summary: ClassVar[str] = "A seeded draw, equally from every cluster: what quotas alone achieve."
    source: ClassVar[str] = "CrowdSelect (arXiv 2503.01836) table 13, Random"
    needs: ClassVar[frozenset[Need]] = frozenset({"clusters"})

    def columns(self, weights: Mapping[str, float]) -> tuple[str, ...]:
        """Return no metric."""
        return ()

    def __call__(self, pool: Pool) -> Picks:
        """Draw ``pool.budget`` rows."""
        return draw(pool, quotas=True)
