"""What a person decides about a recipe that is fitted, and the recipes that a fit may try."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field, field_validator

from crowdselect.errors import InputError, require
from crowdselect.metrics import BASE, METRICS, build_metric, parse_column
from crowdselect.options import Frozen
from crowdselect.rules import Gate

GATED = {"kind": "quantile", "at_least": 0.5}
"""The gate that is tried where the file names none."""
BESIDE = {"gated random": "random", "gated facility location": "facility_location"}
"""Arms that always stand beside a fitted one, and their strategies."""


class Tune(Frozen):
    """How an arm's weights, gate, clusters and budget are fitted on the development questions."""

    by: Literal["datamodel", "optuna"] = "datamodel"
    """``datamodel``: from tilted subsets, a ridge regression of the score on what a subset is like.
    ``optuna``: trial after trial, those that fall behind stopped early (successive halving)."""
    runs: int = Field(default=80, ge=4, le=5000)
    """Tilted subsets, or trials."""
    metrics: tuple[str, ...] = Field(default=BASE, min_length=1)
    """Columns that get a weight."""
    gates: tuple[dict[str, Any], ...] = ()
    """Gates to choose from, as a recipe has them, ``{}``: none. Empty: none, and the recipe's own
    or that of the upper half."""
    clusters: tuple[int, ...] = Field(default=(0, 10), min_length=1)
    budgets: tuple[int, ...] = ()
    """Budgets to choose from; empty: the recipe's. Where epochs are equal, more rows are more
    steps."""
    tilt: float = Field(default=3.0, gt=0, le=100)
    """Strength of the tilted subsets."""
    seeds: int = Field(default=9, ge=1, le=100)
    """Seeds that Optuna's best trials are trained with; most are stopped after the first."""
    finalists: int = Field(default=3, ge=1, le=20)
    """Recipes that are trained with all seeds of the study, by its own model."""
    check: float = Field(default=0.34, gt=0, lt=1)
    """Share of the development questions that nothing is fitted on: they choose the finalist."""
    proxy: dict[str, Any] = Field(default_factory=dict)
    """Options of a fine-tune that replace the arm's while fitting, such as a smaller ``model``."""
    seed: int = Field(default=0, ge=0)

    @field_validator("gates")
    @classmethod
    def _are_gates(cls, given: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
        for each in filter(None, given):
            Gate.parse(each, "tune.gates")
        return given

    def gates_of(self, recipe: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
        """The gates to choose from."""
        return self.gates or ({}, dict(recipe.get("gate") or GATED))

    def budgets_of(self, recipe: Mapping[str, Any]) -> tuple[int | float, ...]:
        """The budgets to choose from."""
        return self.budgets or (recipe.get("budget", 1000),)


@dataclass(frozen=True)
class Levels:
    """What a recipe is apart from its weights."""

    gate: Mapping[str, Any]
    clusters: int
    budget: int | float


def levels_of(tune: Tune, recipe: Mapping[str, Any]) -> list[Levels]:
    """Every combination that a fit may choose."""
    every = itertools.product(tune.gates_of(recipe), tune.clusters, tune.budgets_of(recipe))
    return [Levels(*each) for each in every]


def feature_names(tune: Tune, recipe: Mapping[str, Any]) -> list[str]:
    """What is known of a subset: its mean metrics, then its levels against the first ones."""
    gates, budgets = tune.gates_of(recipe), tune.budgets_of(recipe)
    return [
        *tune.metrics,
        *(f"gate {i}" for i in range(1, len(gates))),
        *(f"clusters {k}" for k in tune.clusters[1:]),
        *(["log2 budget"] if len(budgets) > 1 else []),
    ]


def level_features(tune: Tune, recipe: Mapping[str, Any], levels: Levels) -> list[float]:
    """The part of a subset's features that its levels make, in the order of their names."""
    gates, budgets = tune.gates_of(recipe), tune.budgets_of(recipe)
    return [
        *(float(levels.gate == gate) for gate in gates[1:]),
        *(float(levels.clusters == k) for k in tune.clusters[1:]),
        *([math.log2(levels.budget)] if len(budgets) > 1 else []),
    ]


def fields_of(
    levels: Levels, weights: Mapping[str, float], tilt: float | None = None
) -> dict[str, Any]:
    """Fields of a recipe: the best by ``weights``, a tilted draw, or at random without weights."""
    active = {name: weight for name, weight in weights.items() if weight}
    fields: dict[str, Any] = {
        "gate": dict(levels.gate) or None,
        "clusters": levels.clusters,
        "budget": levels.budget,
        "options": {},
    }
    if not active:
        return {**fields, "strategy": "random_per_cluster" if levels.clusters else "random"}
    if tilt is None:
        return {**fields, "strategy": "crowdselect", "weights": active}
    return {**fields, "strategy": "tilted", "weights": active, "options": {"strength": tilt}}


def check_tune(tune: Tune, label: str, recipe: Mapping[str, Any], *, questions: bool) -> None:
    """Raise where a fit could not run, before anything does.

    InputError for what does not fit together, NotFoundError for an unknown metric option,
    MissingDependencyError without Optuna.
    """
    if not questions:
        raise InputError(
            f"{label} is fitted on development questions, and the study names none.",
            "Write development = 'NAME:OPTION=VALUE' into its file.",
        )
    for name in tune.metrics:
        if parse_column(name).metric in METRICS:
            build_metric(name)
    if tune.by == "optuna":
        require("optuna", feature="Fitting a recipe by Optuna", extra="tune")
    effects = len(feature_names(tune, recipe))
    if tune.by == "datamodel" and tune.runs < effects + 3:
        raise InputError(
            f"{label}: {tune.runs} tilted subsets cannot tell {effects} effects apart.",
            f"Write runs = {max(60, 10 * effects)}, or fewer metrics, gates and clusters.",
        )


def with_arms_beside(arms: Sequence[Any], recipe: Mapping[str, Any]) -> list[Any]:
    """``arms`` (as a file has them), with gate and facility location beside a fitted one."""
    tuned = next((a for a in arms if isinstance(a, Mapping) and a.get("tune") is not None), None)
    if tuned is None:
        return list(arms)
    own = {**recipe, **tuned.get("recipe", {})}
    given = tuned["tune"].get("gates", ()) if isinstance(tuned["tune"], Mapping) else ()
    gate = next((dict(g) for g in given if g), own.get("gate") or GATED)
    names = {a.get("name") for a in arms if isinstance(a, Mapping)}
    beside = [
        {"name": name, "recipe": {"strategy": strategy, "gate": gate}}
        for name, strategy in BESIDE.items()
        if name not in names
    ]
    return [*arms, *beside]
