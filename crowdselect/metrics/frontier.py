"""Frontier: how near the share of the crowd that solves an instruction is to a target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from crowdselect.metrics.base import MetricInputs, Need, places_above, rewards_of
from crowdselect.metrics.solving import share, solves, solving_reward
from crowdselect.ranks import DECIMALS
from crowdselect.registry import option
from crowdselect.values import FloatArray


@dataclass(frozen=True)
class Frontier:
    """1 where exactly the target's share of the models solves it, 0 at the share farthest away."""

    name: ClassVar[str] = "frontier"
    title: ClassVar[str] = "Frontier"
    direction: ClassVar[str] = "higher = nearer to the share of the crowd that shall solve it"
    ends: ClassVar[tuple[str, str]] = ("solved by all or none", "on the frontier")
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    unit: ClassVar[str] = "nearness of a share"
    source: ClassVar[str] = "ours: 1 - |share that solves it - target| / the largest distance"
    needs: ClassVar[frozenset[Need]] = frozenset({"rewards"})

    target: float = option(0.5, "share of the models that shall solve it", low=0, high=1)
    least: float = solving_reward()

    def __call__(self, inputs: MetricInputs) -> FloatArray:
        """Return the nearness, shape (n,); NaN without a reward."""
        rewards = rewards_of(inputs, self.name)
        everybody = np.ones(rewards.values.shape[1], dtype=bool)
        found = share(solves(rewards, self.least), everybody, rewards)
        nearness = 1 - np.abs(found - self.target) / max(self.target, 1 - self.target)
        return np.round(nearness, DECIMALS) + 0.0

    def why(self, value: float, percentile: float) -> str:
        """Say what ``value`` means."""
        away = (1 - value) * max(self.target, 1 - self.target)
        return (
            f"Nearer to the frontier than {places_above(percentile)}: the share of models that "
            f"solve it is {away:.0%} away from {self.target:.0%}."
        )
