"""Just above: models a little larger than the student solve it, models of its size do not."""

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
class JustAbove:
    """Share of the next larger models that solve it, times the share of the others that do not.

    The next larger ones are larger than the student and at most ``reach`` times its size (where
    there is none, those of the next larger size); the others are at most as large as the student.
    """

    name: ClassVar[str] = "just_above"
    title: ClassVar[str] = "Just above the student"
    direction: ClassVar[str] = "higher = the next larger models solve it, the student's size not"
    ends: ClassVar[tuple[str, str]] = ("within reach or far beyond", "just above")
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    unit: ClassVar[str] = "product of shares"
    source: ClassVar[str] = "ours: share just above the student's size, times what its size fails"
    needs: ClassVar[frozenset[Need]] = frozenset({"rewards"})

    student: float = option(
        0.0, "the student's size in billions; 0: that of the crowd's smallest model", low=0
    )
    reach: float = option(4.0, "how many times larger the next larger models may be", low=1)
    least: float = solving_reward()

    def __call__(self, inputs: MetricInputs) -> FloatArray:
        """Return the product, shape (n,); NaN where no next larger model has a reward.

        Models of unknown size take no part; a student smaller than all models has nobody of its
        size, and the product is the share of the next larger ones.
        """
        rewards = rewards_of(inputs, self.name)
        size = sizes(rewards)
        known = size[~np.isnan(size)]
        student = self.student or (float(known.min()) if len(known) else np.nan)
        above = (size > student) & (size <= student * self.reach)
        if not above.any() and (size > student).any():
            above = size == size[size > student].min()
        solved = solves(rewards, self.least)
        own = share(solved, size <= student, rewards)
        found = share(solved, above, rewards) * (1 - np.nan_to_num(own))
        return np.round(found, DECIMALS) + 0.0

    def why(self, value: float, percentile: float) -> str:
        """Say what ``value`` means."""
        return (
            f"Nearer above the student than {places_above(percentile)}: share of the next larger "
            f"models that solve it, times that of its size that do not, is {value:.2f}."
        )
