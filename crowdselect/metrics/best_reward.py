"""Best reward: the highest reward that any model got."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from crowdselect.metrics.base import MetricInputs, Need, places_above, rewards_of
from crowdselect.metrics.extremes import best_and_second
from crowdselect.values import FloatArray


@dataclass(frozen=True)
class BestReward:
    """``max(r)``: the reward of the response that is trained on by default (equation 2)."""

    name: ClassVar[str] = "best_reward"
    title: ClassVar[str] = "Best reward (maximum)"
    direction: ClassVar[str] = "higher = the best response is better"
    ends: ClassVar[tuple[str, str]] = ("poorest best response", "finest best response")
    range: ClassVar[tuple[float, float]] = (float("-inf"), float("inf"))
    unit: ClassVar[str] = "reward"
    source: ClassVar[str] = "CrowdSelect (arXiv 2503.01836) equation 2"
    needs: ClassVar[frozenset[Need]] = frozenset({"rewards"})

    def __call__(self, inputs: MetricInputs) -> FloatArray:
        """Return the maximum over the models, shape (n,); NaN without any reward."""
        return best_and_second(rewards_of(inputs, self.name).values)[0]

    def why(self, value: float, percentile: float) -> str:
        """Say what ``value`` means."""
        return (
            f"Its best response is better rewarded than that of {places_above(percentile)}: "
            f"{value:.3g}."
        )
