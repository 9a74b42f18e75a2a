"""The hot path: from weights to ranked rows, with everything that does not change kept ready."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from crowdselect.errors import InputError
from crowdselect.ranks import DECIMALS
from crowdselect.selection.distinct import take_distinct
from crowdselect.selection.eligibility import Eligibility, eligibility
from crowdselect.selection.layout import Layout, lay_out
from crowdselect.selection.pins import force
from crowdselect.selection.pool import Pool
from crowdselect.selection.quota import resolve_budget
from crowdselect.selection.take import Outcome
from crowdselect.selection.ties import Keys, TieRule
from crowdselect.values import FloatArray, IntArray

Unclustered = Literal["bucket", "exclude"]
_CHUNK = 16_384
_KEPT = 8
"""Sets of weighted metrics whose layouts are kept; the oldest goes first."""


def active_weights(weights: Mapping[str, float]) -> dict[str, float]:
    """Return the weights that are not zero, sorted by name.

    Raises InputError for a weight that is not a finite number and when none is left.
    """
    for name, weight in weights.items():
        if not math.isfinite(weight):
            raise InputError(f"The weight of {name} is {weight}.", "Give a finite number.")
    active = {name: float(weights[name]) for name in sorted(weights) if weights[name] != 0}
    if not active:
        raise InputError(
            "Every weight is zero, so no instruction is better than another.",
            "Give at least one metric a weight, or use the strategy 'random'.",
        )
    return active


@dataclass(frozen=True)
class _Prepared:
    """Everything that depends on the set of weighted metrics but not on the weights."""

    eligible: Eligibility
    layout: Layout
    columns: npt.NDArray[np.float64]
    """Shape (metrics, places): normalised values by name, in the layout's order."""


class Reselector:
    """Selects again and again from one pool as weights, budget, pins and bans change.

    Built once per metrics, clustering and eligibility; the first call with a new set of metrics
    lays the rows out, every further call is a weighted sum and a partition per cluster. The
    strategy ``crowdselect`` runs on it, so both give the same rows.
    """

    def __init__(
        self, pool: Pool, *, ties: TieRule = "hash", unclustered: Unclustered = "bucket"
    ) -> None:
        if unclustered == "exclude" and pool.clusters is not None:
            outside = pool.clusters < 0
            pool = replace(pool, excluded={**pool.excluded, "unclustered": outside})
        self.pool = pool
        self._keys: Keys = pool.table.keys(pool.seed, ties)
        self._prepared: dict[tuple[str, ...], _Prepared] = {}

    def reselect(
        self,
        weights: Mapping[str, float] | None = None,
        budget: int | float | None = None,
        *,
        pins: IntArray | None = None,
        bans: IntArray | None = None,
    ) -> Outcome:
        """Return the chosen rows in rank order; what is None is the pool's own.

        ``bans`` given here add to the pool's. Raises InputError for unusable weights, a bad budget,
        or more pins than the budget holds.
        """
        active = active_weights(self.pool.weights if weights is None else weights)
        prepared = self._prepare(tuple(active))
        layout = prepared.layout
        chosen = np.unique(self.pool.pins if pins is None else np.asarray(pins, dtype=np.int64))
        columns = np.stack([self.pool.table.normalised(name)[chosen] for name in active])
        scores = weighted_sum(columns, list(active.values()))
        forced, dead = force(self.pool, layout, self._keys, chosen, scores)
        if bans is not None:
            places = layout.place[np.asarray(bans, dtype=np.int64)]
            dead = np.concatenate([dead, places[places >= 0]])
        available = len(layout.rows)
        return take_distinct(
            layout,
            weighted_sum(prepared.columns, list(active.values())),
            resolve_budget(self.pool.budget if budget is None else budget, available),
            forced,
            dead,
            self.pool.vectors,
            self.pool.near_duplicates,
        )

    def eligible(self, weights: Mapping[str, float] | None = None) -> Eligibility:
        """Return who may compete under ``weights``, with the causes of the others."""
        active = active_weights(self.pool.weights if weights is None else weights)
        return self._prepare(tuple(active)).eligible

    def scores(self, weights: Mapping[str, float] | None = None) -> FloatArray:
        """Return every row's score under ``weights``, shape (n,), 12 decimals; missing: NaN."""
        active = active_weights(self.pool.weights if weights is None else weights)
        table = self.pool.table
        columns = np.stack([table.normalised(name) for name in active])
        return np.round(weighted_sum(columns, list(active.values())), DECIMALS) + 0.0

    def _prepare(self, names: tuple[str, ...]) -> _Prepared:
        kept = self._prepared.get(names)
        if kept is None:
            pool = self.pool
            columns = [(name, pool.table.normalised(name)) for name in names]
            eligible = eligibility(pool, columns)
            layout = lay_out(eligible.mask, self._keys, pool.clusters, pool.groups, pool.shares)
            matrix = np.stack([values[layout.rows] for _, values in columns])
            kept = _Prepared(eligible, layout, matrix)
            if len(self._prepared) >= _KEPT:
                self._prepared.pop(next(iter(self._prepared)), None)
            self._prepared[names] = kept
        return kept


def weighted_sum(columns: FloatArray, weights: list[float]) -> FloatArray:
    """Return the weighted sum of the rows of ``columns`` (metrics, n), shape (n,).

    Added in the given order, chunk by chunk, so that every caller gets the same last bit.
    """
    total = np.empty(columns.shape[1])
    for start in range(0, columns.shape[1], _CHUNK):
        chunk = columns[:, start : start + _CHUNK]
        part = chunk[0] * weights[0]
        for values, weight in zip(chunk[1:], weights[1:], strict=True):
            part += values * weight
        total[start : start + _CHUNK] = part
    return total
