"""Separability: how far an instruction pulls the models apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from crowdselect.metrics import moments
from crowdselect.metrics.base import MetricInputs, Need, places_above, rewards_of
from crowdselect.registry import option
from crowdselect.values import FloatArray


@dataclass(frozen=True)
class Separability:
    """Population variance (ddof 0) of the rewards (CrowdSelect, arXiv 2503.01836, equation 4).

    A single reward has no variance: it gives NaN, not 0.
    """

    name: ClassVar[str] = "separability"
    title: ClassVar[str] = "Separability"
    direction: ClassVar[str] = "higher = models differ more"
    ends: ClassVar[tuple[str, str]] = ("most alike", "most separating")
    range: ClassVar[tuple[float, float]] = (0.0, float("inf"))
    unit: ClassVar[str] = "reward²"
    source: ClassVar[str] = "CrowdSelect (arXiv 2503.01836) equation 4"
    needs: ClassVar[frozenset[Need]] = frozenset({"rewards"})

    min_models: int = option(moments.MIN_MODELS, "rewards an instruction needs", low=2)
    min_share: float = option(
        moments.MIN_SHARE, "share of the models that must have a reward", low=0, high=1
    )

    def __call__(self, inputs: MetricInputs) -> FloatArray:
        """Return separability, shape (n,)."""
        rewards = rewards_of(inputs, self.name)
        required = moments.needed(rewards, inputs.profile, self.min_models, self.min_share)
        return moments.row_variances(rewards, required)

    def why(self, value: float, percentile: float) -> str:
        """Say what ``value`` means."""
        return (
            f"Separates the models more than {places_above(percentile)}: their rewards spread "
            f"by {value**0.5:.3g} (standard deviation) around the mean."
        )
