"""Take the best rows of every cluster so that no two picks are near-duplicates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from crowdselect.selection.layout import Layout
from crowdselect.selection.near import near_duplicates
from crowdselect.selection.take import Forced, Outcome, take
from crowdselect.values import FloatArray, IntArray


def take_distinct(
    layout: Layout,
    scores: FloatArray,
    budget: int,
    forced: Forced,
    dead: IntArray,
    vectors: npt.NDArray[np.float32] | None,
    threshold: float | None,
) -> Outcome:
    """Like :func:`take`; then drop near-duplicate picks and fill their places, until none is left.

    A pick is dropped when its cosine similarity to a better-ranked pick is above ``threshold``;
    pins are never dropped. Only picks are compared with each other, never the whole pool: a row
    that is not picked drops nobody. A dropped row stays out even if the pick that dropped it later
    gives way to a third one.
    """
    if threshold is None or vectors is None:
        return take(layout, scores, budget, forced, dead)
    dropped = 0
    while True:
        outcome = take(layout, scores.copy(), budget, forced, dead)
        # Pins go first: they cannot be dropped, so whatever is near them gives way.
        pinned = np.isin(outcome.rows, forced.rows)
        order = np.argsort(~pinned, kind="stable")
        ordered = outcome.rows[order]
        near = near_duplicates(vectors, threshold, ordered, protected=len(forced.rows))
        lost = ordered[near >= 0]
        if not len(lost):
            return replace(outcome, near_duplicates=dropped)
        dropped += len(lost)
        dead = np.concatenate([dead, _places(layout, lost)])


def _places(layout: Layout, rows: IntArray) -> IntArray:
    places = layout.place[rows]
    return places[places >= 0]
