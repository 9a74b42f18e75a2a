"""Learnable: large models solve it and small ones do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from crowdselect.metrics.base import MetricInputs, Need, places_above, rewards_of
from crowdselect.metrics.solving import share, sizes, solves, solving_reward
from crowdselect.ranks import DECIMALS
from crowdselect.registry import option
from crowdselect.values import FloatArray


@dataclass(frozen=True)
class Learnable:
    """Share of the larger models that solve it, less that of the smaller ones."""

    name: ClassVar[str] = "learnable"
    title: ClassVar[str] = "Learnable"
    direction: ClassVar[str] = "higher = larger models solve it, smaller ones do not"
    ends: ClassVar[tuple[str, str]] = ("smaller models' own", "most learnable")
    range: ClassVar[tuple[float, float]] = (-1.0, 1.0)
    unit: ClassVar[str] = "difference of shares"
    source: ClassVar[str] = "ours: share of the larger models that solve it, less the smaller ones'"
    needs: ClassVar[frozenset[Need]] = frozenset({"rewards"})

    cut: float = option(
        0.0, "size in billions from which on a model is large; 0: the models' median size", low=0
    )
    least: float = solving_reward()

    def __call__(self, inputs: MetricInputs) -> FloatArray:
        """Return the difference, shape (n,); NaN where one side has no reward.

        Models of unknown size take no part; without a cut, neither do those of the median size.
        """
        rewards = rewards_of(inputs, self.name)
        size = sizes(rewards)
        known = size[~np.isnan(size)]
        middle = self.cut or (float(np.median(known)) if len(known) else np.nan)
        solved = solves(rewards, self.least)
        large = size >= middle if self.cut else size > middle
        found = share(solved, large, rewards) - share(solved, size < middle, rewards)
        return np.round(found, DECIMALS) + 0.0

    def why(self, value: float, percentile: float) -> str:
        """Say what ``value`` means."""
        more = "more" if value >= 0 else "fewer"
        return (
            f"More learnable than {places_above(percentile)}: of the larger models "
            f"{abs(value):.0%} {more} solve it than of the smaller ones."
        )
