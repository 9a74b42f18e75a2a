"""Reward top: the best-rewarded responses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from crowdselect.selection.pool import Picks, Pool
from crowdselect.selection.strategies.base import Need
from crowdselect.selection.strategies.single import by_metric


@dataclass(frozen=True)
class RewardTop:
    """The rows whose best response has the highest reward."""

    name: ClassVar[str] = "reward_top"
    title: ClassVar[str] = "Reward, top"
    summary: ClassVar[str] = "The instructions with the best-rewarded response of any model."
    source: ClassVar[str] = "CrowdSelect (arXiv 2503.01836) table 19, RM top"
    needs: ClassVar[frozenset[Need]] = frozenset()

    def columns(self, weights: Mapping[str, float]) -> tuple[str, ...]:
        """Return ``best_reward``."""
        return ("best_reward",)

    def __call__(self, pool: Pool) -> Picks:
        """Choose the ``pool.budget`` highest."""
        return by_metric(pool, "best_reward")
