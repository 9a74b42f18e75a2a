"""Reward gap: how far the best response is ahead of the second best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from crowdselect.metrics.base import MetricInputs, Need, places_above, rewards_of
from crowdselect.metrics.extremes import best_and_second
from crowdselect.metrics.moments import finite, unbounded
from crowdselect.metrics.noise import equalise, reward_noise
from crowdselect.values import FloatArray


@dataclass(frozen=True)
class RewardGap:
    """Best reward less the second best: 0 when two models share the first place."""

    name: ClassVar[str] = "reward_gap"
    title: ClassVar[str] = "Reward gap"
    direction: ClassVar[str] = "higher = one response stands out"
    ends: ClassVar[tuple[str, str]] = ("closest race", "clearest winner")
    range: ClassVar[tuple[float, float]] = (0.0, float("inf"))
    unit: ClassVar[str] = "reward"
    source: ClassVar[str] = "ours: max(r) less the second largest r"
    needs: ClassVar[frozenset[Need]] = frozenset({"rewards"})

    def __call__(self, inputs: MetricInputs) -> FloatArray:
        """Return best less second best, shape (n,); NaN with fewer than two rewards."""
        rewards = rewards_of(inputs, self.name)
        best, second = best_and_second(rewards.values)
        with unbounded():
            return equalise(finite(best - second), reward_noise(rewards))

    def why(self, value: float, percentile: float) -> str:
        """Say what ``value`` means."""
        return (
            f"Its best response leads by more than in {places_above(percentile)}: {value:.3g} "
            "ahead of the second."
        )
