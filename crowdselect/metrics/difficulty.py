"""Difficulty: how badly the crowd does on an instruction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from crowdselect.metrics import moments
from crowdselect.metrics.base import MetricInputs, Need, places_above, rewards_of
from crowdselect.registry import option
from crowdselect.values import FloatArray


@dataclass(frozen=True)
class Difficulty:
    """``-mean(r)`` over the models' rewards ``r`` (CrowdSelect, arXiv 2503.01836, equation 3)."""

    name: ClassVar[str] = "difficulty"
    title: ClassVar[str] = "Difficulty"
    direction: ClassVar[str] = "higher = harder for the crowd"
    ends: ClassVar[tuple[str, str]] = ("easiest", "hardest")
    range: ClassVar[tuple[float, float]] = (float("-inf"), float("inf"))
    unit: ClassVar[str] = "reward"
    source: ClassVar[str] = "CrowdSelect (arXiv 2503.01836) equation 3"
    needs: ClassVar[frozenset[Need]] = frozenset({"rewards"})

    min_models: int = option(moments.MIN_MODELS, "rewards an instruction needs", low=1)
    min_share: float = option(
        moments.MIN_SHARE, "share of the models that must have a reward", low=0, high=1
    )
    center_by_model: bool = option(
        False, "subtract each model's mean first, so that missing weak models do not look easy"
    )

    def __call__(self, inputs: MetricInputs) -> FloatArray:
        """Return difficulty, shape (n,)."""
        rewards = rewards_of(inputs, self.name)
        shift = moments.column_means(rewards.values) if self.center_by_model else None
        required = moments.needed(rewards, inputs.profile, self.min_models, self.min_share)
        # 0.0 - x instead of -x: a mean of exactly zero must not become -0.0 in exports.
        return 0.0 - moments.row_means(rewards, required, shift)

    def why(self, value: float, percentile: float) -> str:
        """Say what ``value`` means."""
        kind = "mean reward, centred by model," if self.center_by_model else "mean reward"
        return f"Harder than {places_above(percentile)}: the crowd's {kind} is {0.0 - value:.3g}."
