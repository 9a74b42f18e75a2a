"""What is always reported about a selection: compared with its pool and with simple baselines."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from crowdselect.equal_texts import count_repeats
from crowdselect.errors import CrowdSelectError
from crowdselect.metrics import family_correlations
from crowdselect.pipeline.decontamination import contamination_of, facts_of
from crowdselect.pipeline.metrics import judge_of
from crowdselect.pipeline.selection.answers import model_names
from crowdselect.pipeline.selection.quality import answer_facts, answer_warnings, gate_facts
from crowdselect.pipeline.selection.recipes import uses_clusters
from crowdselect.pipeline.selection.rows import sources_of
from crowdselect.pipeline.selection.session import Session
from crowdselect.progress import Progress, silent
from crowdselect.selection import Picks, jaccard
from crowdselect.values import COMBINED, FloatArray, IntArray, Recipe

BASELINES = {
    "random": {"strategy": "random"},
    "length": {"strategy": "length"},
    "reward_top": {"strategy": "reward_top"},
}
"""Name -> changes to the recipe: the simple ways that a selection is compared with."""
RHO_EDGES = np.round(np.linspace(-1.0, 1.0, 9), 12)


def full_report(
    session: Session,
    recipe: Recipe,
    picks: Picks,
    columns: IntArray,
    ties: IntArray,
    progress: Progress = silent,
) -> dict[str, Any]:
    """The strategy's counts (tie block, take per cluster ...) and everything else worth knowing.

    ``columns`` are the chosen responses' models, ``ties`` how many are as good as each. All values
    are JSON-able.
    """
    crowd, rows = session.crowd, picks.rows
    judge = judge_of(crowd, recipe.judge)
    progress(0, 4, "report")
    report = {
        **picks.report,
        "crowd": {"name": crowd.name, "fingerprint": crowd.fingerprint, "n": crowd.n},
        "judge": judge,
        "missing_rewards": {name: _missing(crowd.rewards(name).values) for name in crowd.judges},
        "responders": _responders(session, columns),
        **sources_of(crowd, recipe),
        "answers": answer_facts(session, recipe, rows, columns, ties),
        "gate": gate_facts(session, recipe),
    }
    report["warnings"] = [*report["warnings"], *answer_warnings(recipe, report["answers"])]
    if recipe.decontaminate:
        report["decontamination"] = facts_of(contamination_of(crowd, recipe), recipe)
    progress(1, 4, "report")
    report["families"] = [] if judge is None else _families(session, judge, rows)
    progress(2, 4, "report")
    report["overlap"] = _overlap(session, recipe, rows)
    progress(3, 4, "report")
    report["length"] = _lengths(session, rows, columns)
    calc = session.column("calc_share", recipe)
    report["calc_share"] = {"pool": _mean(calc), "selected": _mean(calc[rows])}
    groups = session.duplicate_groups()
    report["duplicate_rate"] = {"pool": _repeats(groups), "selected": _repeats(groups[rows])}
    if uses_clusters(recipe):
        _name_clusters(session, recipe, report)
    progress(4, 4, "report")
    return report


def _missing(rewards: FloatArray) -> dict[str, Any]:
    """Cells without a reward, and rows that lack at least one."""
    empty = np.isnan(rewards)
    return {
        "cells": int(empty.sum()),
        "share": _round(float(empty.mean())) if empty.size else 0.0,
        "rows": int(empty.any(axis=1).sum()),
    }


def _responders(session: Session, columns: IntArray) -> dict[str, int]:
    counted = Counter(name or "none" for name in model_names(session.crowd, columns))
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def _families(session: Session, judge: str, rows: IntArray) -> list[dict[str, Any]]:
    """Per family a histogram of Spearman's rho (size, reward), in the pool and selected."""
    first = session.crowd.judges[0] if judge == COMBINED else judge
    found = family_correlations(session.crowd.rewards(first))
    return [
        {
            "family": name,
            "judge": first,
            "edges": RHO_EDGES.tolist(),
            "pool": _histogram(found.rho[:, f]),
            "selected": _histogram(found.rho[rows, f]),
            "constant": found.constant[f],
        }
        for f, name in enumerate(found.families)
    ]


def _histogram(values: FloatArray) -> list[int]:
    there = values[~np.isnan(values)]
    return [int(n) for n in np.histogram(there, RHO_EDGES)[0]]


def _overlap(session: Session, recipe: Recipe, rows: IntArray) -> dict[str, float | None]:
    """Jaccard similarity with each baseline of the same budget, filters and seed."""
    found: dict[str, float | None] = {}
    for name, changes in BASELINES.items():
        other = recipe.model_copy(update={"options": {}, **changes})
        try:
            found[name] = _round(jaccard(rows.tolist(), session.picks(other).rows.tolist()))
        except CrowdSelectError:  # a crowd without rewards has no best-rewarded rows
            found[name] = None
    return found


def _lengths(session: Session, rows: IntArray, columns: IntArray) -> dict[str, Any]:
    """Token counts of instructions and chosen responses, in the pool and selected."""
    texts = session.crowd.texts
    instruction = texts.instruction_lengths("tokens")
    response = texts.response_lengths("tokens")
    chosen = np.full(len(rows), np.nan)
    there = columns >= 0
    chosen[there] = response[rows[there], columns[there]]
    return {
        "unit": "tokens",
        "instruction": {"pool": _summary(instruction), "selected": _summary(instruction[rows])},
        "response": {"pool": _summary(response.ravel()), "selected": _summary(chosen)},
    }


def _summary(values: FloatArray) -> dict[str, float | None]:
    there = values[~np.isnan(values)]
    if not len(there):
        return {"mean": None, "median": None}
    return {"mean": _round(float(there.mean())), "median": _round(float(np.median(there)))}


def _repeats(groups: IntArray) -> float:
    """Share of rows whose text equals that of an earlier row among these."""
    return _round(count_repeats(groups) / len(groups)) if len(groups) else 0.0


def _name_clusters(session: Session, recipe: Recipe, report: dict[str, Any]) -> None:
    names = session.clustering(recipe).names
    for cluster in report["clusters"]:
        label = cluster["cluster"]
        cluster["name"] = names[label] if label >= 0 else "unclustered"


def _mean(values: FloatArray) -> float | None:
    there = values[~np.isnan(values)]
    return _round(float(there.mean())) if len(there) else None


def _round(value: float) -> float:
    """Twelve significant decimals: less is the order of a sum."""
    return round(value, 12)
