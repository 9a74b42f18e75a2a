"""Pass rate: the share of the crowd's answers that solve an instruction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from crowdselect.metrics.base import MetricInputs, Need, places_above, rewards_of
from crowdselect.metrics.solving import share, solves, solving_reward
from crowdselect.values import FloatArray


@dataclass(frozen=True)
class PassRate:
    """For reinforcement learning prompts that some answers solve and some do not teach most."""

    name: ClassVar[str] = "pass_rate"
    title: ClassVar[str] = "Pass rate"
    direction: ClassVar[str] = "higher = more of the crowd's answers solve it"
    ends: ClassVar[tuple[str, str]] = ("solved by none", "solved by all")
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    unit: ClassVar[str] = "share of the rewarded answers"
    source: ClassVar[str] = "answers whose reward solves / answers with a reward"
    needs: ClassVar[frozenset[Need]] = frozenset({"rewards"})

    least: float = solving_reward()

    def __call__(self, inputs: MetricInputs) -> FloatArray:
        """Return the share, shape (n,); NaN without a reward."""
        rewards = rewards_of(inputs, self.name)
        everybody = np.ones(rewards.values.shape[1], dtype=bool)
        return share(solves(rewards, self.least), everybody, rewards)

    def why(self, value: float, percentile: float) -> str:
        """Say what ``value`` means."""
        return f"Solved by {value:.0%} of the answers, more than {places_above(percentile)}."
