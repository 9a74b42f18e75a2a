"""How good the answers are that a selection trains on, and what its gate removed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from crowdselect.files import forget
from crowdselect.metrics import BASE, METRICS, parse_column
from crowdselect.pipeline.metrics import judge_of
from crowdselect.pipeline.selection.answers import HAND, NONE
from crowdselect.pipeline.selection.recipes import uses_clusters
from crowdselect.pipeline.selection.session import Session
from crowdselect.ranks import normalise
from crowdselect.values import COMBINED, BoolArray, FloatArray, IntArray, Recipe

_HARD = {"difficulty": 1.0, "mean_reward": -1.0, "best_reward": -1.0, "min_reward": -1.0}
"""Metrics that put hard instructions first, and the sign of the weight that does."""


def answer_facts(
    session: Session, recipe: Recipe, rows: IntArray, columns: IntArray, ties: IntArray
) -> dict[str, Any]:
    """How many answers of ``rows`` are below full reward, and how many are tied.

    ``columns`` are the chosen models (-1: none, -2: a person's own text, counted as ``by_hand``:
    it has no reward and no grade), ``ties`` how many answers are as good as the chosen one.
    ``below_typical_best`` counts rewards below the median of all instructions' best;
    ``full_reward`` is None where the judge's rewards have no top that answers reach; then, and
    without a judge, nothing is below it.
    """
    own, full, judge = _rewards(session, recipe, rows, columns)
    below = None if full is None else int(np.count_nonzero(own < full))
    middle = session.typical_best(judge) if judge not in (None, COMBINED) else None
    return {
        "policy": recipe.answer,
        "ties": recipe.ties,
        "among": recipe.among,
        "judge": judge,
        "n": int(np.count_nonzero(columns != NONE)),
        "rewarded": int(np.count_nonzero(~np.isnan(own))),
        "full_reward": full,
        "below_full_reward": below,
        "below_typical_best": None if middle is None else int(np.count_nonzero(own < middle)),
        "tied": int(np.count_nonzero(ties > 1)),
        **_said("by_hand", columns == HAND),
    }


def _said(name: str, rows: BoolArray) -> dict[str, int]:
    """How many of ``rows`` there are, where there are any: other selections keep their bytes."""
    return {name: int(np.count_nonzero(rows))} if rows.any() else {}


def _rewards(
    session: Session, recipe: Recipe, rows: IntArray, columns: IntArray
) -> tuple[FloatArray, float | None, str | None]:
    """The chosen answers' rewards, the judge's full reward and its name; None: there is none."""
    own = np.full(len(rows), np.nan)
    judge = judge_of(session.crowd, recipe.judge)
    if judge is None or judge == COMBINED:
        return own, None, judge
    values = session.crowd.rewards(judge).values
    there = columns >= 0
    own[there] = values[rows[there], columns[there]]
    forget(values)
    return own, session.full_reward(judge), judge


def answer_words(told: Mapping[str, Any]) -> str:
    """How many answers are tied and how many below full reward; empty: none is known to be."""
    parts = [f"{told['tied']:,} tied with another" if told["tied"] else ""]
    if told["below_full_reward"] is not None:
        parts.append(f"{told['below_full_reward']:,} below full reward")
    if told.get("by_hand"):
        parts.append(f"{told['by_hand']:,} written by hand, which no judge has graded")
    said = ", ".join(filter(None, parts))
    return f"Of {told['n']:,} training answers {said}" if said else ""


def gate_facts(session: Session, recipe: Recipe) -> dict[str, Any] | None:
    """What the recipe's gate removes of the whole crowd, by cluster and metric; None: no gate.

    ``metrics`` tell where the removed instructions stand among all: the mean of their percentiles,
    and that of those that pass. ``by_hand`` counts those that pass because a person wrote the
    answer, whatever the grades of the others.
    """
    if recipe.gate is None:
        return None
    passes = session.passes_gate(recipe)
    facts: dict[str, Any] = {
        **recipe.gate.model_dump(mode="json"),
        "words": recipe.gate.words,
        "removed": int(np.count_nonzero(~passes)),
        "passed": int(np.count_nonzero(passes)),
        **_said("by_hand", passes & session.written(recipe)),
        "metrics": _by_metric(session, recipe, passes),
        "clusters": [],
    }
    if uses_clusters(recipe):
        found = session.clustering(recipe)
        names = {**dict(enumerate(found.names)), -1: "unclustered"}
        facts["clusters"] = [
            {
                "cluster": label,
                "name": names[label],
                "removed": int(np.count_nonzero(~passes & (found.labels == label))),
                "of": int(np.count_nonzero(found.labels == label)),
            }
            for label in sorted(set(found.labels.tolist()), key=lambda c: (c < 0, c))
        ]
    return facts


def _by_metric(session: Session, recipe: Recipe, passes: BoolArray) -> dict[str, Any]:
    names = [*BASE, *(name for name in recipe.weights if name not in BASE)]
    if judge_of(session.crowd, recipe.judge) is None:
        names = list(recipe.weights)
    found = {}
    for name in names:
        percentiles = normalise(session.column(name, recipe)) * 100
        found[name] = {
            "removed": _mean(percentiles[~passes]),
            "passed": _mean(percentiles[passes]),
        }
    return found


def _mean(values: FloatArray) -> float | None:
    there = values[~np.isnan(values)]
    return round(float(there.mean()), 6) if len(there) else None


def answer_warnings(recipe: Recipe, answers: dict[str, Any]) -> list[str]:
    """What is to be said about the answers: hard instructions without a gate, an old rule."""
    warnings = []
    below, n = answers["below_full_reward"], answers["rewarded"]
    if prefers_hard(recipe) and recipe.gate is None and below:
        warnings.append(
            f"The recipe prefers hard instructions and has no gate: {below:,} of {n:,} training "
            f"answers ({below / n:.0%}) are below full reward ({answers['full_reward']:g}). A gate "
            f"(reward={answers['full_reward']:g}) takes only instructions that some model solves."
        )
    poor = answers["below_typical_best"] or 0
    if prefers_hard(recipe) and recipe.gate is None and below is None and 2 * poor > n:
        warnings.append(
            f"The recipe prefers hard instructions and has no gate: {poor:,} of {n:,} training "
            f"answers ({poor / n:.0%}) have a lower reward than the best answer of the typical "
            "instruction. A gate (quantile=0.5) takes only the half that is answered best."
        )
    if recipe.ties == "first" and answers["tied"]:
        warnings.append(
            f"Of equally good answers the first model's is taken, as older versions did: so it was "
            f"for {answers['tied']:,} of {answers['n']:,}. Set ties to draw to let the seed decide."
        )
    return warnings


def prefers_hard(recipe: Recipe) -> bool:
    """Tell whether the recipe's weights or strategy put instructions first that models fail."""
    if recipe.strategy == "reward_bottom":
        return True
    signs = {
        parse_column(name).metric: weight
        for name, weight in recipe.weights.items()
        if parse_column(name).metric in METRICS
    }
    weighs = recipe.strategy in ("crowdselect", "top", "reference", "instag_crowdselect")
    return weighs and any(signs.get(name, 0.0) * sign > 0 for name, sign in _HARD.items())
