"""The map before the map: by word vectors alone, until the recipe's own is computed.

What a person did on it is kept when the better one takes its place: the rows of the lasso, and the
colours of clusters that are the same.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st
from scipy.optimize import linear_sum_assignment

from crowdselect.dashboard import landscape_gate
from crowdselect.dashboard.scatter import CategoryColour
from crowdselect.landscape import Static
from crowdselect.store import Crowd
from crowdselect.values import BoolArray, Clustering, IntArray, Recipe

SAME = 0.5
"""Clusters are the same if they share this part of what they hold on average (Dice)."""
COLOURS = 24
"""Colours before they start again."""
_LASSO = "_first look lasso"
_LABELS = "_first look labels"


def recipe_of(draft: Recipe) -> Recipe:
    """What the first look draws of ``draft``: edits and a lasso are another map's."""
    kept = draft.filters.model_copy(update={"lasso": ()})
    change = {"encoder": Static.name, "clustering": "fast", "cluster_edits": (), "filters": kept}
    return draft.model_copy(update=change)


def banner(crowd: Crowd, draft: Recipe) -> None:
    """What this map is, and how far the better one is."""
    st.caption(
        "A first look, by word vectors alone. The map of the recipe takes its place when it is "
        "ready; a lasso's rows stay chosen."
    )
    landscape_gate.progress_or_start(crowd, draft)


def remember(crowd: Crowd, clusters: Clustering | None, lasso: IntArray | None) -> None:
    """Keep what the map that follows is to show again, for this visitor."""
    st.session_state[_LABELS] = clusters and (crowd.fingerprint, clusters.labels)
    st.session_state[_LASSO] = None if lasso is None else (crowd.fingerprint, lasso)


def forget_lasso() -> None:
    """The rows are no longer chosen."""
    st.session_state.pop(_LASSO, None)


def lasso_rows(crowd: Crowd) -> IntArray | None:
    """Rows that were in the lasso on the first look; None: none was drawn."""
    rows: IntArray | None = _kept(_LASSO, crowd)
    return rows


def lasso_mask(crowd: Crowd) -> BoolArray | None:
    """The same as a mask, shape (n,)."""
    rows = lasso_rows(crowd)
    return None if rows is None else np.isin(np.arange(crowd.n), rows)


def hues_of(crowd: Crowd, clusters: Clustering | None) -> tuple[int, ...]:
    """Number of each cluster's colour; its own where no first look was seen."""
    before = _kept(_LABELS, crowd)
    if clusters is None or before is None:
        return tuple(range(0 if clusters is None else clusters.k))
    return matched(before, clusters.labels, clusters.k)


def coloured(colour: CategoryColour, hues: tuple[int, ...]) -> CategoryColour:
    """The colouring by clusters in these colours; what is beyond them keeps its own."""
    return replace(colour, hues=(*hues, *range(len(hues), len(colour.names))))


def matched(before: IntArray, after: IntArray, k: int) -> tuple[int, ...]:
    """Colour of each of ``k`` clusters: that of the same one before, else one that was not seen.

    ``before`` and ``after``: labels, shape (n,), -1 for none. Pairs are the assignment that shares
    most (Kuhn 1955, by scipy).
    """
    both = (before >= 0) & (after >= 0)
    old = int(before.max(initial=-1)) + 1
    pairs = before[both].astype(np.int64) * k + after[both]
    shared = np.bincount(pairs, minlength=old * k).reshape(old, k)
    sizes = np.bincount(before[before >= 0], minlength=old)[:, None] + np.bincount(
        after[after >= 0], minlength=k
    )
    dice = 2 * shared / np.maximum(sizes, 1)
    rows, columns = linear_sum_assignment(-dice)
    hues = {int(c): int(r) for r, c in zip(rows, columns, strict=True) if dice[r, c] >= SAME}
    unseen = [*range(old, max(COLOURS, k)), *range(min(old, COLOURS))]
    free = iter([h for h in unseen if h not in hues.values()])
    return tuple(hues[c] if c in hues else next(free) for c in range(k))


def _kept(name: str, crowd: Crowd) -> IntArray | None:
    found = st.session_state.get(name)
    return found[1] if found and found[0] == crowd.fingerprint else None
