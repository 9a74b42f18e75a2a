"""Rank rows by one number of their own: the way of every strategy that has one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from crowdselect.selection.distinct import take_distinct
from crowdselect.selection.eligibility import Eligibility, eligibility
from crowdselect.selection.layout import lay_out
from crowdselect.selection.pins import force
from crowdselect.selection.pool import Pool
from crowdselect.selection.quota import resolve_budget
from crowdselect.selection.take import Outcome
from crowdselect.selection.ties import TieRule
from crowdselect.values import FloatArray


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
    eligible = eligibility(pool, [(column, values)])
    layout = lay_out(eligible.mask, keys, pool.clusters if quotas else None, pool.groups)
    pins = np.unique(pool.pins)
    whole = pool if quotas else replace(pool, clusters=None)
    forced, dead = force(whole, layout, keys, pins, sign * values[pins])
    outcome = take_distinct(
        layout,
        sign * values[layout.rows],
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
        scores=sign * outcome.scores + 0.0,
        cuts=sign * outcome.cuts + 0.0,
        clusters=clusters,
    )
