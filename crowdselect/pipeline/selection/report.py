"""What is always reported about a selection: compared with its pool and with simple baselines."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from crowdselect.equal_texts import count_repeats
from crowdselect.errors import CrowdSelectError
from crowdselect.files import forget
from crowdselect.metrics import correlation_blocks, families_of
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
    cells, gaps = 0, np.zeros(len(rewards), dtype=bool)
    for column in rewards.T:
        empty = np.isnan(column)
        cells += int(np.count_nonzero(empty))
        gaps |= empty
    forget(rewards)
    return {
        "cells": cells,
        "share": _round(cells / rewards.size) if rewards.size else 0.0,
        "rows": int(np.count_nonzero(gaps)),
    }


def _responders(session: Session, columns: IntArray) -> dict[str, int]:
    counted = Counter(name or "none" for name in model_names(session.crowd, columns))
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def _families(session: Session, judge: str, rows: IntArray) -> list[dict[str, Any]]:
    """Per family a histogram of Spearman's rho (size, reward), in the pool and selected."""
    first = session.crowd.judges[0] if judge == COMBINED else judge
    rewards = session.crowd.rewards(first)
    chosen = session.crowd.mask(rows)
    names = [family.name for family in families_of(rewards)]
    pool, selected = np.zeros((2, len(names), len(RHO_EDGES) - 1), dtype=np.int64)
    constant = np.zeros(len(names), dtype=np.int64)
    for where, part in correlation_blocks(rewards):
        constant += np.array(part.constant, dtype=np.int64)
        for f in range(len(names)):
            pool[f] += _histogram(part.rho[:, f])
            selected[f] += _histogram(part.rho[chosen[where], f])
    return [
        {
            "family": name,
            "judge": first,
            "edges": RHO_EDGES.tolist(),
            "pool": pool[f].tolist(),
            "selected": selected[f].tolist(),
            "constant": int(constant[f]),
        }
        for f, name in enumerate(names)
    ]


def _histogram(values: FloatArray) -> IntArray:
    return np.histogram(values[~np.isnan(values)], RHO_EDGES)[0]


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
    chosen = np.full(len(rows), np.nan)
    there = columns >= 0
    chosen[there] = texts.response_lengths_at(rows[there], columns[there], "tokens")
    return {
        "unit": "tokens",
        "instruction": {"pool": _summary(instruction), "selected": _summary(instruction[rows])},
        "response": {
            "pool": _summary(*texts.response_length_counts("tokens")),
            "selected": _summary(chosen),
        },
    }


def _summary(
    values: FloatArray | IntArray, counts: IntArray | None = None
) -> dict[str, float | None]:
    """Mean and median of ``values``; of ascending ones that each occur ``counts`` times."""
    if counts is not None:
        return _weighed(values, counts)
    there = values[~np.isnan(values)]
    if not len(there):
        return {"mean": None, "median": None}
    return {"mean": _round(float(there.mean())), "median": _round(float(np.median(there)))}


def _weighed(values: FloatArray | IntArray, counts: IntArray) -> dict[str, float | None]:
    n = int(counts.sum())
    if not n:
        return {"mean": None, "median": None}
    middle = values[np.searchsorted(np.cumsum(counts), [(n - 1) // 2, n // 2], side="right")]
    mean = int((values * counts).sum()) / n
    return {"mean": _round(mean), "median": _round(float(middle.mean()))}


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
