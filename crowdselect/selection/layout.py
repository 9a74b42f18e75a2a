"""Eligible rows laid out by cluster, once, so that taking the best of each is a partition."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crowdselect.ranks import DECIMALS
from crowdselect.selection.quota import Shares
from crowdselect.selection.ties import Keys
from crowdselect.values import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Twins:
    """Members of exact-duplicate groups: places sorted by group, then by tie key."""

    places: IntArray
    starts: IntArray
    """Where each group begins in ``places``."""
    group: IntArray
    """Group number of each entry, 0, 0, 0, 1, 1 ..."""

    def losers(self, scores: FloatArray) -> IntArray:
        """Return the places that lose to a better-scored (or earlier-keyed) member."""
        rounded = np.round(scores[self.places], DECIMALS)
        best = np.maximum.reduceat(rounded, self.starts)[self.group]
        leading = np.flatnonzero(rounded == best)
        first = leading[np.r_[True, np.diff(self.group[leading]) > 0]]
        lost = np.ones(len(self.places), dtype=bool)
        lost[first] = False
        return self.places[lost]


@dataclass(frozen=True)
class Layout:
    """Eligible rows sorted by cluster. A *place* is a position in this order."""

    rows: IntArray
    """Row of each place."""
    labels: IntArray
    """Label of each cluster, ascending; -1 (unclustered) last. Shape (k,)."""
    starts: IntArray
    """Cluster c holds the places ``starts[c]`` to ``starts[c + 1]``. Shape (k + 1,)."""
    keys: Keys
    """Tie key of each place."""
    place: IntArray
    """Place of each row of the crowd, -1 = not eligible. Shape (n,)."""
    twins: Twins | None
    shares: Shares | None = None
    """None: every cluster's share is equal, and only its size limits it."""

    @property
    def sizes(self) -> IntArray:
        """Places per cluster, shape (k,)."""
        return np.diff(self.starts)

    def cluster_of(self, places: IntArray) -> IntArray:
        """Return the cluster number (not the label) of places."""
        return np.searchsorted(self.starts, places, side="right") - 1


def lay_out(
    mask: BoolArray,
    keys: Keys,
    clusters: IntArray | None,
    groups: IntArray | None,
    shares: Shares | None = None,
) -> Layout:
    """Lay out the rows of ``mask`` (n,) by ``clusters`` (n,), labels from -1 up.

    Rows keep their order inside a cluster.
    """
    rows = np.flatnonzero(mask)
    if clusters is None or not len(clusters):
        labels, starts = np.zeros(1, dtype=np.int64), np.array([0, len(rows)])
    else:
        rows, labels, starts = _by_cluster(rows, np.asarray(clusters, dtype=np.int64))
    place = np.full(len(mask), -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    own = keys[rows]
    twins = None if groups is None else _twins(np.asarray(groups)[rows], own)
    return Layout(rows, labels, starts, own, place, twins, shares)


def _by_cluster(rows: IntArray, clusters: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    known = np.flatnonzero(np.bincount(clusters + 1)) - 1
    labels = np.concatenate([known[known >= 0], known[known < 0]])
    number = np.zeros(int(labels.max(initial=-1)) + 2, dtype=np.int64)
    number[labels + 1] = np.arange(len(labels))
    codes = number[clusters[rows] + 1]
    # Stable sorting of 16-bit integers is a radix sort, many times faster than a comparison sort.
    order = np.argsort(codes.astype(np.uint16) if len(labels) < 2**16 else codes, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(codes, minlength=len(labels)))])
    return rows[order], labels, starts


def _twins(codes: IntArray, keys: Keys) -> Twins | None:
    grouped = np.flatnonzero(codes >= 0)
    order = grouped[np.lexsort((keys[grouped], codes[grouped]))]
    change = np.r_[True, np.diff(codes[order]) != 0] if len(order) else np.zeros(0, dtype=bool)
    number = np.cumsum(change) - 1
    shared = np.bincount(number, minlength=1)[number] > 1 if len(order) else change
    if not shared.any():
        return None
    order, change = order[shared], change[shared]
    return Twins(order, np.flatnonzero(change), np.cumsum(change) - 1)
