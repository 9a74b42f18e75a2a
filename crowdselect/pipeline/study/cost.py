"""What a study will take, before it starts: trainings, steps, answers and time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from crowdselect.benchmark import build_suite
from crowdselect.finetune import in_time
from crowdselect.pipeline.study.cells import Study
from crowdselect.pipeline.study.plan import Row, rows_of
from crowdselect.pipeline.study.tuning import Tune

_STEP_S, _ANSWER_S, _CELL_S = 0.038, 0.0024, 1.5
"""Of the demo's models on one quiet core: an optimiser step, an answer, and what each cell needs
besides (loading, writing). Together they are the ten seconds of a cell of studies/demo.toml."""
_SMALL_BYTES = 4_000_000
"""Weights of a model that trains and answers as fast as the demo's."""


@dataclass(frozen=True)
class Cost:
    """What is left to do."""

    cells: int
    trainings: int
    steps: int | None
    """Optimiser steps; None: budgets are shares, so nobody knows yet."""
    answers: int | None
    seconds: float | None
    """On one worker; None: unknown before the first cell is finished."""
    basis: str
    workers: int
    fits: int = 0
    """Arms that are fitted first: of their runs those that are finished are counted too."""

    def sentence(self) -> str:
        """All of it in a line."""
        if not self.cells:
            return "Nothing is left to train or to ask."
        most = "at most " if self.fits else ""
        parts = [f"{most}{self.cells:,} cells to go", f"{self.trainings:,} trainings"]
        if self.steps is not None:
            parts.append(f"{self.steps:,} steps")
        if self.answers is not None:
            parts.append(f"{self.answers:,} answers")
        if self.seconds is None:
            told = "how long they take is known after the first"
        else:
            many = f" on {self.workers} workers" if self.workers > 1 else " on one worker"
            told = f"{in_time(self.seconds / max(1, self.workers))}{many} ({self.basis})"
        return f"{', '.join(parts)}: {told}."


def cost_of(study: Study, split: str, workers: int = 1, *, only_fit: bool = False) -> Cost:
    """Estimate what is left of a study on a split, the fitting of its arms included.

    The time is that of the study's own finished runs; before there are any, that of the demo's
    models, for models as small as they are.
    """
    unasked = f"{{{split}}}" in getattr(study.plan, split)  # its questions are not taken out yet
    planned = [] if only_fit else study.cells()
    cells = [cell for cell in planned if unasked or study.outcome(cell, split) is None]
    fits = [(row, row.arm.tune) for row in rows_of(study.plan)
            if row.arm.tune is not None and (unasked or study.fit_of(row) is None)]  # fmt: skip
    fitting = {row.label: _fit_trainings(tune, len(study.plan.seeds)) for row, tune in fits}
    trained = [_steps(cell.row) for cell in cells if cell.seed is not None]
    trained += [_steps(row) for row, _ in fits for _ in range(fitting[row.label])]
    steps = None if None in trained else sum(n for n in trained if n is not None)
    asked, more = _questions(study, split), sum(fitting.values())
    tuning = _questions(study, "development") if more else 0
    answers = None if asked is None or tuning is None else len(cells) * asked + more * tuning
    seconds, basis = _measured(study, len(trained), len(cells) + more)
    if seconds is None and steps is not None and answers is not None and _all_small(study):
        seconds = steps * _STEP_S + answers * _ANSWER_S + (len(cells) + more) * _CELL_S
        basis = "by the demo's models on quiet cores"
    return Cost(len(cells) + more, len(trained), steps, answers, seconds, basis, workers,
                len(fits))  # fmt: skip


def _fit_trainings(tune: Tune, seeds: int) -> int:
    """Trainings of a fit: at most; those that Optuna stops are counted by successive halving."""
    runs = float(tune.runs)
    if tune.by == "optuna":
        runs = sum(tune.runs / 3 ** math.ceil(math.log(seed, 3) - 1e-9)
                   for seed in range(1, tune.seeds + 1))  # fmt: skip
    return math.ceil(runs) + (1 + tune.finalists) * seeds


def _steps(row: Row) -> int | None:
    config = row.config_of("data.jsonl", 0)
    if config.max_steps is not None:
        return config.max_steps
    budget = row.recipe.get("budget", 1000)
    if row.recipe.get("budget_in", "rows") != "rows" or (isinstance(budget, float) and budget < 1):
        return None
    return math.ceil(int(budget) / config.batch_size) * math.ceil(config.epochs)


def _questions(study: Study, split: str) -> int | None:
    apart = 0 if study.plan.split is None else int(getattr(study.plan.split, split))
    return apart or build_suite(study.plan.suite(split)).count()


def _measured(study: Study, trainings: int, tests: int) -> tuple[float | None, str]:
    """Seconds by the middle run of each kind that the study has finished."""
    trained = list(_durations(study.workspace.runs, "finetune"))
    tested = list(_durations(study.workspace.runs, "benchmark"))
    if not tested or (trainings and not trained):
        return None, ""
    seconds = median(trained or [0.0]) * trainings + median(tested) * tests
    return seconds, f"measured on {len(tested)} runs of this study"


def _durations(runs: Path, kind: str) -> Iterator[float]:
    done = {"benchmark": "results.jsonl", "finetune": "plan.json"}[kind]
    for folder in (path.parent for path in runs.glob(f"{kind}-*/{done}")):
        begun, ended = folder / "config.json", folder / "status.json"
        if begun.exists() and ended.exists():
            yield max(0.0, ended.stat().st_mtime - begun.stat().st_mtime)


def _all_small(study: Study) -> bool:
    """Whether all models are folders with weights as small as the demo's."""
    return all(_is_small(str(row.train["model"])) for row in rows_of(study.plan))


def _is_small(model: str) -> bool:
    weights = list(Path(model).glob("*.safetensors"))
    return bool(weights) and sum(path.stat().st_size for path in weights) <= _SMALL_BYTES
