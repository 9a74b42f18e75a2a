"""InsTag: most tags first, as long as every pick brings a new one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from crowdselect.errors import InputError
from crowdselect.registry import option
from crowdselect.selection.pool import Picks, Pool
from crowdselect.selection.ranking import greedy_budget, ground_set, in_order
from crowdselect.selection.report import picks
from crowdselect.selection.strategies.base import Need
from crowdselect.values import IntArray


@dataclass(frozen=True)
class InsTag:
    """Complexity-first diverse sampling over tags.

    Rows with the most tags come first. A pass takes a row if it has a tag that no row of this pass
    had; passes repeat with an empty tag set until the budget is reached. Rows without tags are
    never taken.
    """

    name: ClassVar[str] = "instag"
    title: ClassVar[str] = "InsTag: complex first, diverse"
    summary: ClassVar[str] = "The rows with the most tags, each bringing a new tag to its pass."
    source: ClassVar[str] = "InsTag (arXiv 2308.07074), complexity-first diverse sampling"
    needs: ClassVar[frozenset[Need]] = frozenset({"tags"})

    by_hand: bool = option(False, "also go by the tags that people gave")

    def columns(self, weights: Mapping[str, float]) -> tuple[str, ...]:
        """Return no metric."""
        return ()

    def __call__(self, pool: Pool) -> Picks:
        """Choose at most ``pool.budget`` rows."""
        if pool.tags is None:
            raise InputError(
                "The strategy 'instag' needs tags and this crowd has none.",
                "Let a model tag them (crowdselect score CROWD -s instag), or go by those "
                "that people gave: -o by_hand=true.",
            )
        tags = [frozenset(row) for row in pool.tags]
        counts = np.array([len(row) for row in tags], dtype=np.float64)
        eligible, rows, exact = ground_set(pool, [], counts)
        chosen = diverse_passes(
            tags, rows, greedy_budget(pool, eligible), len(np.unique(pool.pins))
        )
        outcome = in_order(pool, eligible, chosen, counts[chosen], exact_duplicates=exact)
        return picks(
            pool,
            eligible,
            outcome,
            {"tags": outcome.scores},
            lambda i: f"{outcome.scores[i]:.0f} tags, at least one of them new in its pass",
        )


def diverse_passes(
    tags: Sequence[frozenset[str]], rows: IntArray, budget: int, protected: int = 0
) -> IntArray:
    """Return the rows that the passes take from ``rows`` (in order), the protected ones first."""
    chosen = rows[:protected].tolist()
    seen = set().union(*(tags[row] for row in chosen)) if chosen else set()
    waiting = [row for row in rows[protected:].tolist() if tags[row]]
    while waiting and len(chosen) < budget:
        left = []
        for row in waiting:
            if len(chosen) < budget and not tags[row] <= seen:
                chosen.append(row)
                seen |= tags[row]
            else:
                left.append(row)
        waiting, seen = left, set()
    return np.array(chosen, dtype=np.int64)
