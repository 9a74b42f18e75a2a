"""How much of a selection stays when one model, one family or one judge is left out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from crowdselect.selection.compare import jaccard
from crowdselect.values import IntArray


@dataclass(frozen=True)
class LeftOut:
    """One leave-one-out variant, compared with the full selection."""

    kind: str
    """``model``, ``family`` or ``judge``."""
    name: str
    jaccard: float
    """Shared rows over all rows of the two selections, in [0, 1]."""
    kept: int
    """Rows of the full selection that are still in."""


def robustness(
    base: IntArray, variants: Iterable[tuple[str, str, IntArray]]
) -> tuple[LeftOut, ...]:
    """Compare ``base`` (rows of the full selection) with each variant (kind, name, its rows).

    The most influential comes first. ``crowdselect.metrics.leave_one_out`` makes the variants'
    rewards.
    """
    whole = set(base.tolist())
    found = [
        LeftOut(kind, name, jaccard(base.tolist(), rows.tolist()), len(whole & set(rows.tolist())))
        for kind, name, rows in variants
    ]
    return tuple(sorted(found, key=lambda v: (v.jaccard, v.kind, v.name)))
