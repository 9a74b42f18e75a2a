"""Rank by one raw metric column: shared by the strategies that do just that."""

from __future__ import annotations

from crowdselect.selection.pool import Picks, Pool
from crowdselect.selection.ranking import rank_by
from crowdselect.selection.report import picks


def by_metric(pool: Pool, column: str, *, lowest: bool = False, quotas: bool = False) -> Picks:
    """Take the highest (or lowest) values of a metric column; the score is the value itself."""
    values = pool.table.raw(column)
    eligible, outcome = rank_by(pool, column, values, lowest=lowest, quotas=quotas)
    end = "lowest" if lowest else "highest"
    return picks(
        pool,
        eligible,
        outcome,
        {column: outcome.scores},
        lambda i: f"{column} {outcome.scores[i]:.4g}, among the {end}",
    )
