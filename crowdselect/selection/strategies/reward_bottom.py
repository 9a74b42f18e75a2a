"""Reward bottom: the worst-rewarded responses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from crowdselect.selection.pool import Picks, Pool
from crowdselect.selection.strategies.base import Need
from crowdselect.selection.strategies.single import by_metric


@dataclass(frozen=True)
class RewardBottom:
    """The rows whose worst response has the lowest reward; use it with the answer ``worst``."""

    name: ClassVar[str] = "reward_bottom"
    title: ClassVar[str] = "Reward, bottom"
    summary: ClassVar[str] = "The worst-rewarded responses: a control that should do badly."
    source: ClassVar[str] = "CrowdSelect (arXiv 2503.01836) table 19, RM bottom"
    needs: ClassVar[frozenset[Need]] = frozenset()

    def columns(self, weights: Mapping[str, float]) -> tuple[str, ...]:
        """Return ``min_reward``."""
        return ("min_reward",)

    def __call__(self, pool: Pool) -> Picks:
        """Choose the ``pool.budget`` lowest."""
        return by_metric(pool, "min_reward", lowest=True)
