"""Turn an outcome into picks: contributions, reasons and counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from crowdselect.selection.eligibility import Eligibility
from crowdselect.selection.pool import Picks, Pool
from crowdselect.selection.take import Outcome
from crowdselect.values import FloatArray, IntArray

Reason = Callable[[int], str]
"""Rank (0-based) -> the strategy's own half sentence."""


def picks(
    pool: Pool,
    eligible: Eligibility,
    outcome: Outcome,
    contributions: Mapping[str, FloatArray],
    reason: Reason,
) -> Picks:
    """Assemble what a strategy returns; ``contributions`` belong to ``outcome.rows``."""
    places = places_in_cluster(outcome.clusters)
    labels, counts = np.unique(outcome.clusters, return_counts=True)
    takes = dict(zip(labels.tolist(), counts.tolist(), strict=True))
    pinned = set(pool.pins.tolist())
    reasons = []
    for i, (row, label) in enumerate(
        zip(outcome.rows.tolist(), outcome.clusters.tolist(), strict=True)
    ):
        text = f"Rank {i + 1} of {len(outcome.rows):,}: {reason(i)}"
        if pool.clusters is not None:
            where = "the unclustered rows" if label < 0 else f"cluster {label}"
            text += f"; {places[i]} of {takes[label]} from {where}"
        reasons.append(f"{text}; pinned by hand." if row in pinned else f"{text}.")
    return Picks(
        outcome=outcome,
        contributions=contributions,
        reasons=tuple(reasons),
        report=report(pool, eligible, outcome),
    )


def places_in_cluster(labels: IntArray) -> IntArray:
    """Return for each pick (in rank order) which pick of its cluster it is, from 1."""
    order = np.argsort(labels, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(labels[order]) != 0]) if len(labels) else order
    lengths = np.diff(np.append(starts, len(labels)))
    places = np.empty(len(labels), dtype=np.int64)
    places[order] = np.arange(len(labels)) - np.repeat(starts, lengths) + 1
    return places


def report(pool: Pool, eligible: Eligibility, outcome: Outcome) -> dict[str, Any]:
    """Return the counts of a selection as JSON-able values.

    ``status`` is ``ok``, ``budget_exceeds_pool``, ``fewer_than_budget`` or ``nothing_eligible``;
    ``tie_block`` says how many rows share the score at a cut (``size``) and how many of those the
    tie rule let in (``taken``).
    """
    status, warnings = _status(outcome)
    warnings += [*_unclustered(pool, eligible), *_metric_warnings(pool, eligible)]
    return {
        "pool": len(pool),
        "eligible": outcome.competing,
        "excluded": dict(eligible.causes),
        "budget": outcome.budget,
        "selected": len(outcome.rows),
        "status": status,
        "cut": _number(outcome.cut),
        "tie_block": {"size": outcome.tie_size, "taken": int(outcome.tie_taken.sum())},
        "clusters": _clusters(pool, eligible, outcome),
        "pinned": len(np.unique(pool.pins)),
        "banned": len(np.unique(pool.bans)),
        "exact_duplicates": outcome.exact_duplicates,
        "near_duplicates": outcome.near_duplicates,
        "warnings": warnings,
    }


def _clusters(pool: Pool, eligible: Eligibility, outcome: Outcome) -> list[dict[str, Any]]:
    """Per cluster what was eligible and taken, and under quotas where it was cut."""
    clusters = np.zeros(len(pool), dtype=np.int64) if pool.clusters is None else pool.clusters
    most = int(clusters.max(initial=0)) + 2
    there, able, taken = (
        np.bincount(x + 1, minlength=most)
        for x in (clusters, clusters[eligible.mask], clusters[outcome.rows])
    )
    labels = [x for x in [*range(most - 1), -1] if there[x + 1]]
    quotas = {int(label): c for c, label in enumerate(outcome.labels)}
    rows = []
    for label in labels:
        # A strategy without quotas has one cut for the whole pool, which is in the report's top.
        c = quotas[label] if set(labels) == set(quotas) else None
        rows.append(
            {
                "cluster": label,
                "eligible": int(able[label + 1]),
                "taken": int(taken[label + 1]),
                "cut": None if c is None else _number(float(outcome.cuts[c])),
                "tie_size": 0 if c is None else int(outcome.tie_sizes[c]),
            }
        )
    return rows


def _status(outcome: Outcome) -> tuple[str, list[str]]:
    chosen = len(outcome.rows)
    if outcome.budget == 0 or chosen == outcome.budget:
        return "ok", []
    if chosen == 0:
        return "nothing_eligible", ["No instruction is eligible: nothing was selected."]
    if outcome.budget > outcome.competing:
        pool = f"the {outcome.competing:,} eligible instructions"
        exceeds = f"The budget of {outcome.budget:,} exceeds {pool}; {chosen:,} were taken."
        return "budget_exceeds_pool", [exceeds]
    alike = f"Only {chosen:,} of {outcome.budget:,} could be taken: the others are too alike."
    return "fewer_than_budget", [alike]


def _unclustered(pool: Pool, eligible: Eligibility) -> list[str]:
    """Tell rows without a vector: without them the sizes of the clusters do not add up."""
    if pool.clusters is None:
        return []
    outside = int(np.count_nonzero(pool.clusters < 0))
    if not outside:
        return []
    able = int(np.count_nonzero(pool.clusters[eligible.mask] < 0))
    where = "compete as a group of their own" if able else "are not eligible"
    return [
        f"{outside:,} of {len(pool):,} instructions have no vector, so no cluster: they {where}."
    ]


def _metric_warnings(pool: Pool, eligible: Eligibility) -> list[str]:
    warnings = []
    for cause, count in eligible.causes.items():
        if cause.startswith("missing ") and count > 0.01 * len(pool):
            warnings.append(
                f"{cause.removeprefix('missing ')} is missing for {count:,} of {len(pool):,} "
                "instructions, which cannot be selected."
            )
    for name, weight in pool.weights.items():
        if weight and name in pool.table.names:
            values = pool.table.raw(name)
            if len(values) > 1 and np.nanmin(values, initial=np.inf) == np.nanmax(
                values, initial=-np.inf
            ):
                warnings.append(f"{name} is the same everywhere, so its weight moves nothing.")
    return warnings


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None
