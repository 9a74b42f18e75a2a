"""InsTag as CrowdSelect's repository ran it: in effect the longest instructions."""

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

_COLUMN = "length:instruction:words"


@dataclass(frozen=True)
class InsTagCrowdSelect:
    """The baseline behind the paper's "Tags" column; complexity is the number of words.

    Every tag in turn gives its longest rows until budget // tags rows are taken in all, but at
    least one: so the first tag fills the share and each later one gives a single row. The longest
    instructions of the pool fill the rest. Tags go in alphabetical order.
    """

    name: ClassVar[str] = "instag_crowdselect"
    title: ClassVar[str] = "InsTag, as published with CrowdSelect"
    summary: ClassVar[str] = "The Tags baseline as its code runs: in effect the longest rows."
    source: ClassVar[str] = "CrowdSelect's repository, InsTag baseline"
    needs: ClassVar[frozenset[Need]] = frozenset({"tags"})

    by_hand: bool = option(False, "also go by the tags that people gave")

    def columns(self, weights: Mapping[str, float]) -> tuple[str, ...]:
        """Return the length in words."""
        return (_COLUMN,)

    def __call__(self, pool: Pool) -> Picks:
        """Choose ``pool.budget`` rows."""
        if pool.tags is None:
            raise InputError(
                "The strategy 'instag_crowdselect' needs tags and this crowd has none.",
                "Let a model tag them (crowdselect score CROWD -s instag_crowdselect), or go by "
                "those that people gave: -o by_hand=true.",
            )
        words = pool.table.raw(_COLUMN)
        eligible, rows, exact = ground_set(pool, [(_COLUMN, words)], words)
        budget, pinned = greedy_budget(pool, eligible), len(np.unique(pool.pins))
        chosen = longest_by_tag(pool.tags, rows, budget, pinned)
        outcome = in_order(pool, eligible, chosen, words[chosen], exact_duplicates=exact)
        return picks(
            pool,
            eligible,
            outcome,
            {_COLUMN: outcome.scores},
            lambda i: f"{outcome.scores[i]:.0f} words, long for its tag or for the pool",
        )


def longest_by_tag(
    tags: Sequence[Sequence[str]], rows: IntArray, budget: int, protected: int = 0
) -> IntArray:
    """Return the rows that tags give and length fills up, from ``rows`` ordered by length."""
    ordered = rows.tolist()
    chosen = dict.fromkeys(ordered[:protected])
    members: dict[str, list[int]] = {}
    for row in ordered[protected:]:
        for tag in tags[row]:
            members.setdefault(tag, []).append(row)
    share = budget // max(1, len(members))
    for tag in sorted(members):
        for row in members[tag]:
            if len(chosen) >= budget:
                break
            chosen[row] = None
            # The published loop compares with the count over all tags, not with this tag's own.
            if len(chosen) >= share:
                break
    for row in ordered:
        if len(chosen) >= budget:
            break
        chosen[row] = None
    return np.array(list(chosen), dtype=np.int64)
