"""Bottom: the lowest values of one metric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from crowdselect.registry import option
from crowdselect.selection.pool import Picks, Pool
from crowdselect.selection.strategies.base import Need
from crowdselect.selection.strategies.single import by_metric


@dataclass(frozen=True)
class Bottom:
    """The rows with the lowest value of one metric."""

    name: ClassVar[str] = "bottom"
    title: ClassVar[str] = "Bottom of one metric"
    summary: ClassVar[str] = "The lowest values of one metric, such as the easiest instructions."
    source: ClassVar[str] = "CrowdSelect (arXiv 2503.01836) tables 9 to 13, the arrows down"
    needs: ClassVar[frozenset[Need]] = frozenset()

    metric: str = option("difficulty", "the metric column to rank by")
    quotas: bool = option(False, "take equally from every cluster")

    def columns(self, weights: Mapping[str, float]) -> tuple[str, ...]:
        """Return the one metric."""
        return (self.metric,)

    def __call__(self, pool: Pool) -> Picks:
        """Choose the ``pool.budget`` lowest."""
        return by_metric(pool, self.metric, lowest=True, quotas=self.quotas)
