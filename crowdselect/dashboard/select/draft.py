"""What the draft chooses now, what it chose a step before, and what it is compared with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from crowdselect import pipeline
from crowdselect.dashboard import reads
from crowdselect.pipeline import SavedSelection
from crowdselect.selection import jaccard
from crowdselect.store import Crowd
from crowdselect.values import FloatArray, IntArray, Recipe

STEPS = "_steps"


@dataclass(frozen=True)
class Draft:
    """The outcome of the draft recipe."""

    rows: IntArray
    """Rank order."""
    scores: FloatArray
    clusters: IntArray
    eligible: int
    budget: int
    tie_size: int
    tie_taken: int
    cuts: pd.DataFrame
    """Per cluster: ``cluster``, ``eligible``, ``taken``, ``cut``, ``ties``."""


def draft_of(crowd: Crowd, recipe: Recipe) -> Draft:
    """Choose by the hot path where the strategy has one, else by the strategy itself."""
    if recipe.strategy == "crowdselect":
        session = reads.session(crowd)
        found = session.outcome(recipe)
        cuts = pd.DataFrame(
            {
                "cluster": found.labels,
                "eligible": found.eligible,
                "taken": found.taken,
                "cut": found.cuts,
                "ties": found.tie_sizes,
            }
        )
        return Draft(
            rows=found.rows,
            scores=found.scores,
            clusters=found.clusters,
            eligible=int(found.eligible.sum()),
            budget=found.budget,
            tie_size=found.tie_size,
            tie_taken=int(found.tie_taken.sum()),
            cuts=cuts,
        )
    picks = reads.picks(crowd, recipe)
    report = picks.report
    cuts = pd.DataFrame(report["clusters"]).rename(columns={"tie_size": "ties"})
    return Draft(
        rows=picks.rows,
        scores=picks.scores,
        clusters=picks.clusters,
        eligible=int(report["eligible"]),
        budget=int(report["budget"]),
        tie_size=int(report["tie_block"]["size"]),
        tie_taken=int(report["tie_block"]["taken"]),
        cuts=cuts,
    )


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


@st.cache_resource(max_entries=reads.KEPT, show_spinner=False)
def _saved_rows(_crowd: Crowd, fingerprint: str, identity: str, created: str) -> IntArray:
    chosen = pipeline.load_selection(reads.workspace(), identity)
    known = [_crowd.row_of[i] for i in chosen.ids if i in _crowd.row_of]
    return np.array(known, dtype=np.int64)


def saved_rows(crowd: Crowd, saved: SavedSelection) -> IntArray:
    """Rows of a saved selection that the crowd still has, in rank order."""
    return _saved_rows(crowd, crowd.fingerprint, saved.id, saved.created)


def random_rows(crowd: Crowd, recipe: Recipe) -> IntArray:
    """What a seeded draw of the same budget under the same filters takes."""
    kept = recipe.model_copy(update={"strategy": "random", "options": {}, "weights": {}})
    return reads.picks(crowd, kept).rows


def overlap(a: IntArray, b: IntArray) -> float:
    """Jaccard index of two sets of rows."""
    return jaccard(a.tolist(), b.tolist())
