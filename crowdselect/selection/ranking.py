"""Rank rows by one number of their own, or keep the order in which a strategy took them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from crowdselect.ranks import DECIMALS
from crowdselect.selection.distinct import take_distinct
from crowdselect.selection.eligibility import Eligibility, eligibility
from crowdselect.selection.layout import lay_out
from crowdselect.selection.pins import force
from crowdselect.selection.pool import Pool
from crowdselect.selection.quota import resolve_budget
from crowdselect.selection.take import Outcome, check_pins
from crowdselect.selection.ties import TieRule
from crowdselect.values import FloatArray, IntArray


def rank_by(
    pool: Pool,
    column: str,
    values: FloatArray,
    *,
    lowest: bool = False,
    quotas: bool = False,
    ties: TieRule = "hash",
) -> tuple[Eligibility, Outcome]:
    """Take the rows with the highest (or lowest) ``values`` (n,); NaN is not eligible.

    ``column`` names the values in the report. ``quotas``: equally from every cluster, else from the
    pool as a whole. The outcome's scores are the values themselves.
    """
    keys = pool.table.keys(pool.seed, ties)
    sign = -1.0 if lowest else 1.0
    # Ranked by their order, so that values of any unit are told apart, not to 12 decimals.
    distinct, places = _dense_ranks(sign * values)
    eligible = eligibility(pool, [(column, values)])
    clusters, shares = (pool.clusters, pool.shares) if quotas else (None, None)
    layout = lay_out(eligible.mask, keys, clusters, pool.groups, shares)
    pins = np.unique(pool.pins)
    whole = pool if quotas else replace(pool, clusters=None)
    forced, dead = force(whole, layout, keys, pins, places[pins])
    outcome = take_distinct(
        layout,
        places[layout.rows],
        resolve_budget(pool.budget, len(layout.rows)),
        forced,
        dead,
        pool.vectors,
        pool.near_duplicates,
    )
    clusters = outcome.clusters
    if pool.clusters is not None:
        clusters = pool.clusters[outcome.rows]
    return eligible, replace(
        outcome,
        scores=sign * _at(distinct, outcome.scores) + 0.0,
        cuts=sign * _at(distinct, outcome.cuts) + 0.0,
        clusters=clusters,
    )


def _dense_ranks(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The distinct values in order, and each value's place among them; NaN stays NaN."""
    distinct, places = np.unique(values, return_inverse=True)
    return distinct, np.where(np.isnan(values), np.nan, places)


def _at(distinct: FloatArray, places: FloatArray) -> FloatArray:
    """The values at ``places``, rounded to 12 decimals; NaN where there is none."""
    there = np.isfinite(places)
    values = np.full(len(places), np.nan)
    values[there] = np.round(distinct[places[there].astype(np.int64)], DECIMALS)
    return values


def ground_set(
    pool: Pool, columns: Sequence[tuple[str, FloatArray]], values: FloatArray
) -> tuple[Eligibility, IntArray, int]:
    """Return who may compete, the rows to choose from, and how many duplicates were left out.

    The rows: pins first, then the eligible rows, one per exact-duplicate group; each by ``values``
    (n,), highest first, equal values by tie key.
    """
    keys = pool.table.keys(pool.seed)
    eligible = eligibility(pool, columns)
    layout = lay_out(eligible.mask, keys, None, pool.groups)
    pins = np.unique(pool.pins)
    pins = pins[np.lexsort((keys[pins], -np.round(values[pins], DECIMALS)))]
    _, dead = force(replace(pool, clusters=None), layout, keys, pins, values[pins])
    scores = np.round(values[layout.rows], DECIMALS)
    scores[dead] = -np.inf
    lost = np.zeros(0, dtype=np.int64) if layout.twins is None else layout.twins.losers(scores)
    alive = np.ones(len(scores), dtype=bool)
    alive[dead] = False
    dropped = int(np.count_nonzero(alive[lost]))
    alive[lost] = False
    order = np.lexsort((layout.keys[alive], -scores[alive]))
    return eligible, np.concatenate([pins, layout.rows[alive][order]]), dropped


def in_order(
    pool: Pool,
    eligible: Eligibility,
    rows: IntArray,
    scores: FloatArray,
    *,
    exact_duplicates: int = 0,
    near_duplicates: int = 0,
) -> Outcome:
    """Wrap rows in the order in which a greedy strategy took them; there are no quotas."""
    competing = int(np.count_nonzero(eligible.mask))
    none = np.zeros(1, dtype=np.int64)
    return Outcome(
        rows=rows,
        scores=np.round(scores, DECIMALS) + 0.0,
        clusters=np.zeros(len(rows), dtype=np.int64)
        if pool.clusters is None
        else pool.clusters[rows],
        labels=none,
        eligible=np.array([competing]),
        taken=np.array([len(rows)]),
        competing=competing,
        cuts=np.array([np.nan]),
        tie_sizes=none,
        tie_taken=none,
        budget=greedy_budget(pool, eligible),
        exact_duplicates=exact_duplicates,
        near_duplicates=near_duplicates,
    )


def greedy_budget(pool: Pool, eligible: Eligibility) -> int:
    """Return the budget as a count; raises InputError if the pins do not fit."""
    budget = resolve_budget(pool.budget, int(np.count_nonzero(eligible.mask)))
    check_pins(len(np.unique(pool.pins)), budget)
    return budget
