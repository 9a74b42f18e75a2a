"""Number of rewards: how many models have a reward."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from crowdselect.metrics.base import MetricInputs, Need, places_above, rewards_of
from crowdselect.metrics.moments import count_rewards
from crowdselect.values import FloatArray


@dataclass(frozen=True)
class NRewards:
    """How many of the models have a reward from this judge."""

    name: ClassVar[str] = "n_rewards"
    title: ClassVar[str] = "Number of rewards"
    direction: ClassVar[str] = "higher = more models were scored"
    ends: ClassVar[tuple[str, str]] = ("fewest rewards", "most rewards")
    range: ClassVar[tuple[float, float]] = (0.0, float("inf"))
    unit: ClassVar[str] = "models"
    source: ClassVar[str] = "count"
    needs: ClassVar[frozenset[Need]] = frozenset({"rewards"})

    def __call__(self, inputs: MetricInputs) -> FloatArray:
        """Return the count, shape (n,); never NaN."""
        return count_rewards(rewards_of(inputs, self.name).values).astype(np.float64)

    def why(self, value: float, percentile: float) -> str:
        """Say what ``value`` means."""
        return f"{value:.0f} models were scored, more than for {places_above(percentile)}."
