"""Which rows may be selected at all, and why the others may not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from crowdselect.selection.pool import Pool
from crowdselect.values import BoolArray, FloatArray


@dataclass(frozen=True)
class Eligibility:
    """Rows that may compete, with a count per cause of those that may not."""

    mask: BoolArray
    """Shape (n,)."""
    causes: dict[str, int]
    """Cause -> rows; a row counts for the first cause that applies to it."""


def eligibility(pool: Pool, columns: Sequence[tuple[str, FloatArray]] = ()) -> Eligibility:
    """Apply bans, the pool's exclusions and missing values of the used ``columns``, in this order.

    ``columns`` are (name, values (n,)); a NaN makes the row ineligible.
    """
    mask = np.ones(len(pool), dtype=bool)
    causes: dict[str, int] = {}

    def exclude(cause: str, out: BoolArray) -> None:
        hit = int(np.count_nonzero(mask & out))
        if hit:
            causes[cause] = causes.get(cause, 0) + hit
            mask[out] = False

    banned = np.zeros(len(pool), dtype=bool)
    banned[pool.bans] = True
    exclude("banned", banned)
    for cause, rows in pool.excluded.items():
        exclude(cause, rows)
    for name, values in columns:
        exclude(f"missing {name}", np.isnan(values))
    return Eligibility(mask, causes)
