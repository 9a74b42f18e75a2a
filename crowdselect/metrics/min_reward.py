"""Minimum reward: the lowest reward that any model got."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from crowdselect.metrics.base import MetricInputs, Need, places_above, rewards_of
from crowdselect.metrics.extremes import worst
from crowdselect.values import FloatArray


@dataclass(frozen=True)
class MinReward:
    """``min(r)``: the reward of the worst response (the paper's RM-bottom baseline)."""

    name: ClassVar[str] = "min_reward"
    title: ClassVar[str] = "Minimum reward"
    direction: ClassVar[str] = "higher = even the worst response is good"
    ends: ClassVar[tuple[str, str]] = ("poorest worst response", "finest worst response")
    range: ClassVar[tuple[float, float]] = (float("-inf"), float("inf"))
    unit: ClassVar[str] = "reward"
    source: ClassVar[str] = "CrowdSelect (arXiv 2503.01836) table 19, RM bottom"
    needs: ClassVar[frozenset[Need]] = frozenset({"rewards"})

    def __call__(self, inputs: MetricInputs) -> FloatArray:
        """Return the minimum over the models, shape (n,); NaN without any reward."""
        return worst(rewards_of(inputs, self.name).values)

    def why(self, value: float, percentile: float) -> str:
        """Say what ``value`` means."""
        return (
            f"Even its worst response is better rewarded than that of {places_above(percentile)}: "
            f"{value:.3g}."
        )
