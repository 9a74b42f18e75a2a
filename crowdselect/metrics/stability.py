"""Stability: whether bigger models of a family do better, over the families."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from crowdselect.metrics import moments
from crowdselect.metrics.base import MetricInputs, Need, places_above, rewards_of
from crowdselect.metrics.families import FamilyCorrelations, Ties, correlation_blocks
from crowdselect.metrics.noise import equalise
from crowdselect.ranks import DECIMALS
from crowdselect.registry import option
from crowdselect.values import FloatArray

Weighting = Literal["equal", "by_n_minus_1"]


@dataclass(frozen=True)
class Stability:
    """Mean over families of Spearman(size rank, reward rank) (CrowdSelect equation 5).

    A family whose rewards are all equal counts as 0; one with fewer than two rewards, or with
    models of one size only, is left out. NaN where no family is left. Rounded to 12 decimals.
    """

    name: ClassVar[str] = "stability"
    title: ClassVar[str] = "Stability"
    direction: ClassVar[str] = "higher = bigger models do better"
    ends: ClassVar[tuple[str, str]] = ("most upside-down", "most stable")
    range: ClassVar[tuple[float, float]] = (-1.0, 1.0)
    unit: ClassVar[str] = "rank correlation"
    source: ClassVar[str] = "CrowdSelect (arXiv 2503.01836) equation 5"
    needs: ClassVar[frozenset[Need]] = frozenset({"rewards"})

    ties: Ties = option(
        "average",
        "equal rewards share a rank, or go to the larger model as in the published code",
        choices=("average", "reference"),
    )
    family_weighting: Weighting = option(
        "equal",
        "every family counts the same, or by its number of rewards less one",
        choices=("equal", "by_n_minus_1"),
    )
    min_models: int = option(moments.MIN_MODELS, "rewards an instruction needs", low=2)
    min_share: float = option(
        moments.MIN_SHARE, "share of the models that must have a reward", low=0, high=1
    )

    def __call__(self, inputs: MetricInputs) -> FloatArray:
        """Return stability, shape (n,)."""
        rewards = rewards_of(inputs, self.name)
        ties: Ties = "reference" if inputs.profile == "reference" else self.ties
        stability = np.full(len(rewards.values), np.nan)
        for rows, part in correlation_blocks(rewards, ties):
            stability[rows] = mean_correlation(part, self.family_weighting)
        # Two equal means may lie on both sides of a rounding step.
        stability = equalise(stability, 10.0**-DECIMALS)
        if ties == "average":
            required = moments.required_rewards(rewards.values, self.min_models, self.min_share)
            stability[moments.count_rewards(rewards.values) < required] = np.nan
        return stability

    def why(self, value: float, percentile: float) -> str:
        """Say what ``value`` means."""
        if value > 0.05:
            what = "inside the families bigger models tend to do better"
        elif value < -0.05:
            what = "inside the families smaller models tend to do better"
        else:
            what = "inside the families size says nothing about the reward"
        return (
            f"More stable than {places_above(percentile)}: {what} "
            f"(mean rank correlation {value:+.2f})."
        )


def mean_correlation(correlations: FamilyCorrelations, weighting: Weighting) -> FloatArray:
    """Return the (weighted) mean over the families that have a rho, shape (n,), 12 decimals."""
    n = len(correlations.rho)
    total, weights = np.zeros(n), np.zeros(n)
    for f in range(len(correlations.families)):
        rho = correlations.rho[:, f]
        there = ~np.isnan(rho)
        weight = there.astype(np.float64)
        if weighting == "by_n_minus_1":
            weight *= correlations.members[:, f] - 1
        total += np.where(there, rho, 0.0) * weight
        weights += weight
    mean = np.full(n, np.nan)
    np.divide(total, weights, out=mean, where=weights > 0)
    return np.round(mean, DECIMALS) + 0.0
