"""How much two subsets share."""

from __future__ import annotations

from collections.abc import Collection


def jaccard(a: Collection[object], b: Collection[object]) -> float:
    """Return shared over all, in [0, 1]; two empty sets are alike (1)."""
    first, second = set(a), set(b)
    union = len(first | second)
    return len(first & second) / union if union else 1.0
