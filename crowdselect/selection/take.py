"""Take the best rows of every cluster under equal quotas: scores in, ranked rows out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crowdselect.errors import InputError
from crowdselect.ranks import DECIMALS
from crowdselect.selection.layout import Layout
from crowdselect.selection.quota import WaterLevel, best_open, water_level, weighted_level
from crowdselect.selection.ties import Keys
from crowdselect.values import FloatArray, IntArray


@dataclass(frozen=True)
class Forced:
    """Rows that are in whatever their score (pins)."""

    rows: IntArray
    scores: FloatArray
    """NaN where a row has none."""
    keys: Keys
    clusters: IntArray
    """Cluster numbers of the layout."""


@dataclass(frozen=True)
class Outcome:
    """Chosen rows in rank order, and where every cluster was cut."""

    rows: IntArray
    """Shape (b,), best first."""
    scores: FloatArray
    """Shape (b,), rounded to 12 decimals."""
    clusters: IntArray
    """Shape (b,): cluster labels."""
    labels: IntArray
    """Shape (k,): label of each cluster."""
    eligible: IntArray
    """Shape (k,): rows that could be taken, pins included, duplicates not."""
    taken: IntArray
    """Shape (k,)."""
    cuts: FloatArray
    """Shape (k,): the lowest score taken by rank (pins apart); NaN where none was."""
    tie_sizes: IntArray
    """Shape (k,): rows that share the cut's score, where the tie decided who is in; else 0."""
    tie_taken: IntArray
    """Shape (k,): how many of those are in."""
    competing: int
    """Rows that might have been taken, repeated texts included."""
    budget: int
    exact_duplicates: int = 0
    """Rows dropped because a better-scored row has the same text."""
    near_duplicates: int = 0
    """Rows dropped because a better-ranked pick is too similar."""

    @property
    def cut(self) -> float:
        """The lowest score taken by rank; NaN where nothing was."""
        return float(np.nanmin(self.cuts)) if np.isfinite(self.cuts).any() else float("nan")

    @property
    def tie_size(self) -> int:
        """Rows at a cut among which only the tie rule decided."""
        return int(self.tie_sizes.sum())


@dataclass(frozen=True)
class _Best:
    """The best places of one cluster in order, with everybody who shares the last score."""

    places: IntArray
    scores: FloatArray


def take(
    layout: Layout, scores: FloatArray, budget: int, forced: Forced, dead: IntArray
) -> Outcome:
    """Take ``budget`` rows, equally from every cluster, best score first inside.

    ``scores`` belong to places and are overwritten; ``dead`` places cannot be taken. Small clusters
    are exhausted and the rest is shared again; odd units go to the clusters with the best next
    score. Of equal scores the lower tie key goes first.
    """
    check_pins(len(forced.rows), budget)
    scores[dead] = -np.inf
    twins = np.zeros(0, dtype=np.int64)
    if layout.twins is not None:
        twins = layout.twins.losers(scores)
        twins = twins[scores[twins] > -np.inf]
        scores[twins] = -np.inf
    k = len(layout.labels)
    gone = np.concatenate([np.unique(dead), twins])
    pinned = np.bincount(forced.clusters, minlength=k)
    capacity = layout.sizes - np.bincount(layout.cluster_of(gone), minlength=k) + pinned
    level = _level(layout, capacity, budget, pinned)
    best = _best_of_clusters(layout, scores, level.quotas - pinned + (level.spare > 0) * level.open)
    quotas = level.quotas.copy()
    if level.spare:
        next_scores = np.full(k, -np.inf)
        for c in np.flatnonzero(level.open):
            next_scores[c] = best[c].scores[level.quotas[c] - pinned[c]]
        quotas[best_open(level, next_scores)] += 1
    return _outcome(layout, best, quotas - pinned, forced, capacity, budget, len(twins))


def _level(layout: Layout, capacity: IntArray, budget: int, pinned: IntArray) -> WaterLevel:
    """How much of every cluster is taken, before the odd units."""
    shares = layout.shares
    if shares is None or not (shares.weights or shares.caps):
        return water_level(capacity, budget, pinned)
    weights, caps = shares.of(layout.labels)
    able = np.clip(capacity, pinned, np.maximum(caps, pinned))
    if not shares.weights:
        return water_level(able, budget, pinned)
    return weighted_level(able, budget, pinned, weights)


def check_pins(pinned: int, budget: int) -> None:
    """Raise InputError if there are more pins than the budget holds."""
    if pinned > budget:
        raise InputError(
            f"{pinned} instructions are pinned, but the budget is {budget}.",
            "Raise the budget or take back some pins.",
        )


def _best_of_clusters(layout: Layout, scores: FloatArray, wanted: IntArray) -> list[_Best]:
    best = []
    for c, want in enumerate(wanted):
        start, stop = layout.starts[c], layout.starts[c + 1]
        best.append(_best(scores[start:stop], layout.keys[start:stop], int(want), int(start)))
    return best


def _best(scores: FloatArray, keys: Keys, want: int, start: int) -> _Best:
    """Find the ``want`` best of one cluster without sorting it.

    Rounding keeps order, so the rounded want-th best is the want-th best of the rounded scores, and
    only rows within a rounding step of it need to be rounded and sorted.
    """
    if want == 0:
        return _Best(np.zeros(0, dtype=np.int64), np.zeros(0))
    place = len(scores) - want
    last = np.partition(scores, place)[place]
    near = np.flatnonzero(scores >= last - 10.0**-DECIMALS - 4 * np.spacing(abs(last)))
    rounded = np.round(scores[near], DECIMALS) + 0.0
    there = rounded >= np.round(last, DECIMALS)
    near, rounded = near[there], rounded[there]
    order = np.lexsort((keys[near], -rounded))
    return _Best(near[order] + start, rounded[order])


def _outcome(
    layout: Layout,
    best: list[_Best],
    quotas: IntArray,
    forced: Forced,
    capacity: IntArray,
    budget: int,
    twins: int,
) -> Outcome:
    k = len(layout.labels)
    cuts = np.full(k, np.nan)
    tie_sizes, tie_taken = np.zeros((2, k), dtype=np.int64)
    for c, quota in enumerate(quotas):
        if quota == 0:
            continue
        scores = best[c].scores
        cuts[c] = scores[quota - 1]
        same = scores == cuts[c]
        if quota < len(scores) and same[quota]:
            tie_sizes[c] = np.count_nonzero(same)
            tie_taken[c] = np.count_nonzero(same[:quota])
    places = np.concatenate([b.places[:q] for b, q in zip(best, quotas, strict=True)])
    numbers = np.concatenate([np.repeat(np.arange(k), quotas), forced.clusters])
    chosen = np.concatenate([b.scores[:q] for b, q in zip(best, quotas, strict=True)])
    scores = np.concatenate([chosen, np.round(forced.scores, DECIMALS) + 0.0])
    rows = np.concatenate([layout.rows[places], forced.rows])
    order = np.lexsort((np.concatenate([layout.keys[places], forced.keys]), -scores))
    return Outcome(
        rows=rows[order],
        scores=scores[order],
        clusters=layout.labels[numbers[order]],
        labels=layout.labels,
        eligible=capacity,
        taken=np.bincount(numbers, minlength=k),
        cuts=cuts,
        tie_sizes=tie_sizes,
        tie_taken=tie_taken,
        competing=len(layout.rows),
        budget=budget,
        exact_duplicates=twins,
    )
