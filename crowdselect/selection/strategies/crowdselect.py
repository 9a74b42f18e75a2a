"""CrowdSelect: weigh the normalised metrics, take equally from every cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from crowdselect.registry import option
from crowdselect.selection.pool import Picks, Pool
from crowdselect.selection.report import picks
from crowdselect.selection.reselect import Reselector, Unclustered, active_weights
from crowdselect.selection.strategies.base import Need
from crowdselect.selection.ties import TieRule


@dataclass(frozen=True)
class CrowdSelect:
    """Weighted sum of the normalised metrics, best first inside equal cluster quotas."""

    name: ClassVar[str] = "crowdselect"
    title: ClassVar[str] = "CrowdSelect"
    summary: ClassVar[str] = (
        "The weighted metrics of the crowd, taken equally from every cluster of instructions."
    )
    source: ClassVar[str] = "CrowdSelect (arXiv 2503.01836) section 3.3, equations 6 to 9"
    needs: ClassVar[frozenset[Need]] = frozenset({"clusters"})

    ties: TieRule = option(
        "hash",
        "who goes first at equal scores: a seeded hash of the id, or the lower id",
        choices=("hash", "id"),
    )
    unclustered: Unclustered = option(
        "bucket",
        "rows without a cluster: a bucket with a quota of its own, or left out",
        choices=("bucket", "exclude"),
    )

    def columns(self, weights: Mapping[str, float]) -> tuple[str, ...]:
        """Return the metrics whose weight is not zero."""
        return tuple(active_weights(weights))

    def __call__(self, pool: Pool) -> Picks:
        """Choose ``pool.budget`` rows."""
        reselector = Reselector(pool, ties=self.ties, unclustered=self.unclustered)
        outcome = reselector.reselect()
        parts = {
            name: weight * pool.table.normalised(name)[outcome.rows] + 0.0
            for name, weight in active_weights(pool.weights).items()
        }

        def reason(i: int) -> str:
            terms = ", ".join(f"{name} {values[i]:+.3f}" for name, values in parts.items())
            return f"score {outcome.scores[i]:.3f} = {terms}"

        return picks(pool, reselector.eligible(), outcome, parts, reason)
