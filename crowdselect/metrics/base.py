"""What a metric is: reward matrix and texts in, one number per instruction out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol, runtime_checkable

import numpy as np

from crowdselect.errors import InputError
from crowdselect.files import forget
from crowdselect.values import CrowdTexts, FloatArray, IntArray, RewardMatrix

Profile = Literal["paper", "reference"]
Need = Literal["rewards", "texts"]

COMPARED = "% of instructions"
"""What a sentence says that compares with others."""
_BLOCK = 16_384
"""Rows per pass: one column of 16,384 doubles stays in a second-level cache."""


@dataclass(frozen=True)
class MetricInputs:
    """What a metric may look at. A metric that needs what is None raises InputError."""

    rewards: RewardMatrix | None = None
    texts: CrowdTexts | None = None
    profile: Profile = "paper"
    """``reference``: as the published code computes it (ordinal ranks, missing values poison)."""


@runtime_checkable
class Metric(Protocol):
    """One number per instruction. A metric is a frozen dataclass; its fields are its options."""

    name: ClassVar[str]
    title: ClassVar[str]
    direction: ClassVar[str]
    """What a high value means, as ``higher = ...``."""
    ends: ClassVar[tuple[str, str]]
    """Names of the low and the high end, such as ``("easiest", "hardest")``."""
    range: ClassVar[tuple[float, float]]
    """Smallest and largest possible value."""
    unit: ClassVar[str]
    source: ClassVar[str]
    """Paper and equation, or who defined it."""
    needs: ClassVar[frozenset[Need]]

    def __call__(self, inputs: MetricInputs) -> FloatArray:
        """Return the metric per instruction: shape (n,), float64, NaN = cannot be told."""

    def why(self, value: float, percentile: float) -> str:
        """Say in one plain sentence what ``value`` means; ``percentile`` is in [0, 100]."""


def rewards_of(inputs: MetricInputs, metric: str) -> RewardMatrix:
    """Return the rewards, or raise InputError when the crowd has none."""
    if inputs.rewards is None:
        raise InputError(
            f"The metric {metric!r} needs rewards and this crowd has none.",
            "Ingest a judge's scores, or run `crowdselect score`, then try again.",
        )
    return inputs.rewards


def texts_of(inputs: MetricInputs, metric: str) -> CrowdTexts:
    """Return the texts, or raise InputError when there are none."""
    if inputs.texts is None:
        raise InputError(
            f"The metric {metric!r} needs the crowd's texts and got none.",
            "Pass MetricInputs(texts=...).",
        )
    return inputs.texts


def places_above(percentile: float) -> str:
    """Word a percentile as the share of instructions that lie below."""
    return f"{min(max(percentile, 0.0), 100.0):.0f} {COMPARED}"


def why_of(why: Callable[[float, float], str], column: FloatArray, row: int) -> str:
    """The sentence ``why`` about a row's value, by the share of values that are strictly lower.

    Where the sentence compares with other instructions it also says how many have the same value.
    """
    value = float(column[row])
    there = column[~np.isnan(column)]
    lower = 100.0 * np.count_nonzero(there < value) / max(len(there), 1)
    said = why(value, lower)
    same = int(np.count_nonzero(there == value)) - 1
    if same < 1 or COMPARED not in said:
        return said
    return f"{said} Tied with {same:,} other{'' if same == 1 else 's'}."


def column_order(rewards: RewardMatrix) -> IntArray:
    """Return the columns sorted by model name.

    Sums run in this order, so that the order of a file's columns never changes the last bit.
    """
    names = [m.name for m in rewards.models]
    return np.array(sorted(range(len(names)), key=names.__getitem__), dtype=np.int64)


def blocks(values: FloatArray) -> Iterator[tuple[slice, FloatArray]]:
    """Cut an (n, m) matrix into row blocks and yield (rows, block of shape (m, rows)).

    Each row of a block (one model's rewards) is contiguous, whatever the matrix's memory order;
    a matrix in Fortran order is not copied.
    """
    for start in range(0, len(values), _BLOCK):
        rows = slice(start, min(start + _BLOCK, len(values)))
        block = values[rows].T
        yield rows, block if values.flags.f_contiguous else np.ascontiguousarray(block)
    forget(values)
