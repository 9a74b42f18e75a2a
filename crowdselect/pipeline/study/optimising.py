"""Fitting a recipe trial after trial, by Optuna: those that fall behind are stopped early."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from crowdselect.pipeline.study.tuning import Levels, Tune, fields_of

_BATCH = 8
"""Trials that are asked for at once: fixed, so that more workers change no result."""
_REDUCTION = 3
_STEP = 0.25

Score = Callable[[Sequence[tuple[int, Mapping[str, Any]]], int], Sequence[float]]
"""(number of each trial, its recipe's fields), seed -> what each reached; higher is better."""


@dataclass
class Trial:
    """One set of parameters with what it reached."""

    number: int
    fields: Mapping[str, Any]
    scores: list[float] = field(default_factory=list)
    """One per seed."""

    @property
    def mean(self) -> float:
        """Over its seeds."""
        return float(np.mean(self.scores))


def optimise(tune: Tune, recipe: Mapping[str, Any], score: Score) -> list[Trial]:
    """Every trial, in order: a TPE sampler proposes, successive halving stops.

    A trial is trained with one seed more as long as it is among the best third of those that got as
    far (at 1, 3, 9 seeds). The same scores give the same trials.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.TPESampler(
            seed=tune.seed, n_startup_trials=max(_BATCH, tune.runs // 4), constant_liar=True
        ),
        pruner=optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=_REDUCTION),
    )
    space = _space(tune, recipe)
    done: list[Trial] = []
    while len(done) < tune.runs:
        asked = [study.ask(space) for _ in range(min(_BATCH, tune.runs - len(done)))]
        fields = [_fields(tune, recipe, each.params) for each in asked]
        trials = [Trial(len(done) + i, each) for i, each in enumerate(fields)]
        alive = list(zip(asked, trials, strict=True))
        for seed in range(tune.seeds):
            found = score([(trial.number, trial.fields) for _, trial in alive], seed)
            staying = []
            for (each, trial), value in zip(alive, found, strict=True):
                trial.scores.append(value)
                each.report(trial.mean, seed + 1)
                if seed + 1 < tune.seeds and each.should_prune():
                    study.tell(each, state=optuna.trial.TrialState.PRUNED)
                else:
                    staying.append((each, trial))
            alive = staying
            if not alive:
                break
        for each, trial in alive:
            study.tell(each, trial.mean)
        done += trials
    return done


def best(trials: Sequence[Trial], count: int) -> list[dict[str, Any]]:
    """The recipes of the trials that got farthest, by their mean; no recipe twice."""
    order = sorted(trials, key=lambda t: (-len(t.scores), -t.mean, t.number))
    found: list[dict[str, Any]] = []
    for trial in order:
        if trial.fields not in found:
            found.append(dict(trial.fields))
    return found[:count]


def _space(tune: Tune, recipe: Mapping[str, Any]) -> dict[str, Any]:
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    def places(values: Sequence[Any]) -> CategoricalDistribution:
        return CategoricalDistribution(range(len(values)))

    return {
        **{f"weight {name}": FloatDistribution(-1, 2, step=_STEP) for name in tune.metrics},
        "gate": places(tune.gates_of(recipe)),
        "clusters": places(tune.clusters),
        "budget": places(tune.budgets_of(recipe)),
    }


def _fields(tune: Tune, recipe: Mapping[str, Any], chosen: Mapping[str, Any]) -> dict[str, Any]:
    levels = Levels(
        tune.gates_of(recipe)[chosen["gate"]],
        tune.clusters[chosen["clusters"]],
        tune.budgets_of(recipe)[chosen["budget"]],
    )
    return fields_of(levels, {name: chosen[f"weight {name}"] for name in tune.metrics})
