"""Mean reward: how well the crowd does on an instruction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from crowdselect.metrics import moments
from crowdselect.metrics.base import MetricInputs, Need, places_above, rewards_of
from crowdselect.registry import option
from crowdselect.values import FloatArray


@dataclass(frozen=True)
class MeanReward:
    """``mean(r)`` over the models' rewards: difficulty with the sign turned."""

    name: ClassVar[str] = "mean_reward"
    title: ClassVar[str] = "Mean reward"
    direction: ClassVar[str] = "higher = easier for the crowd"
    ends: ClassVar[tuple[str, str]] = ("worst answered", "best answered")
    range: ClassVar[tuple[float, float]] = (float("-inf"), float("inf"))
    unit: ClassVar[str] = "reward"
    source: ClassVar[str] = "CrowdSelect (arXiv 2503.01836) equation 3, sign turned"
    needs: ClassVar[frozenset[Need]] = frozenset({"rewards"})

    min_models: int = option(moments.MIN_MODELS, "rewards an instruction needs", low=1)
    min_share: float = option(
        moments.MIN_SHARE, "share of the models that must have a reward", low=0, high=1
    )

    def __call__(self, inputs: MetricInputs) -> FloatArray:
        """Return the mean over the models, shape (n,)."""
        rewards = rewards_of(inputs, self.name)
        required = moments.needed(rewards, inputs.profile, self.min_models, self.min_share)
        return moments.row_means(rewards, required)

    def why(self, value: float, percentile: float) -> str:
        """Say what ``value`` means."""
        return (
            f"Better answered than {places_above(percentile)}: the crowd's mean reward is "
            f"{value:.3g}."
        )
