"""What the draft chooses now, what it chose a step before, and what it is compared with."""

from __future__ import annotations

import numpy as np
import streamlit as st

from crowdselect import pipeline
from crowdselect.dashboard import reads
from crowdselect.dashboard.cache import cached
from crowdselect.pipeline import SavedSelection
from crowdselect.selection import jaccard
from crowdselect.store import Crowd
from crowdselect.values import IntArray, Recipe

STEPS = "_steps"


def step_before(crowd: Crowd, rows: IntArray) -> IntArray | None:
    """The rows before this visitor's last movement that changed anything; None: the first look."""
    steps = st.session_state.get(STEPS)
    if steps is None or steps["crowd"] != crowd.fingerprint:
        steps = {"crowd": crowd.fingerprint, "now": rows, "before": None}
    elif not np.array_equal(np.sort(steps["now"]), np.sort(rows)):
        steps = {**steps, "now": rows, "before": steps["now"]}
    st.session_state[STEPS] = steps
    before: IntArray | None = steps["before"]
    return before


def saved_of(crowd: Crowd) -> list[SavedSelection]:
    """The crowd's saved selections, newest first."""
    return pipeline.list_selections(reads.workspace(), crowd.name)


@cached("texts")
def _saved_rows(crowd: Crowd, identity: str, created: str) -> IntArray:
    return crowd.rows(pipeline.load_selection(reads.workspace(), identity).ids)


def saved_rows(crowd: Crowd, saved: SavedSelection) -> IntArray:
    """Rows of a saved selection that the crowd still has, in rank order."""
    return _saved_rows(crowd, saved.id, saved.created)


def random_rows(crowd: Crowd, recipe: Recipe) -> IntArray:
    """What a seeded draw of the same budget under the same filters takes."""
    kept = recipe.model_copy(update={"strategy": "random", "options": {}, "weights": {}})
    return reads.outcome(crowd, kept).rows


def overlap(a: IntArray, b: IntArray) -> float:
    """Jaccard index of two sets of rows."""
    return jaccard(a.tolist(), b.tolist())
