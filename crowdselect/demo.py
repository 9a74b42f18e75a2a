"""The whole loop on the demo crowd: select in three ways, fine-tune on each, benchmark, compare."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from crowdselect import jobs, pipeline
from crowdselect.benchmark import (
    BenchmarkConfig,
    ResultComparison,
    SubjectConfig,
    Suite,
    compare,
    create,
    read_results,
)
from crowdselect.errors import require
from crowdselect.finetune import PACKAGES
from crowdselect.landscape import default_encoder
from crowdselect.pipeline.benchmark import subject_of
from crowdselect.pipeline.finetune import finetune
from crowdselect.progress import Progress, silent
from crowdselect.settings import Workspace, demo_data
from crowdselect.store import Crowd
from crowdselect.values import Recipe

CROWD = "demo"
STRATEGIES: tuple[tuple[str, dict[str, object]], ...] = (
    ("paper-weights", {"strategy": "crowdselect"}),
    ("random", {"strategy": "random"}),
    ("longest-answers", {"strategy": "length", "options": {"field": "response"}}),
)
"""Name of the selection, and how its recipe differs from the default one."""


@dataclass(frozen=True)
class StudyPlan:
    """What the demo study does."""

    budget: int = 600
    """Instructions that each strategy chooses."""
    base: str = "base-0.5m"
    """Folder under ``data/demo/models``."""
    mode: str = "full"
    """``full`` or ``lora``."""
    epochs: float = 4.0
    learning_rate: float = 1e-3
    limit: int | None = None
    """Held-out tasks asked; None: all."""
    seed: int = 42
    at_once: int = 2
    """Fine-tunes or benchmarks that run at the same time, one core each."""


@dataclass(frozen=True)
class Study:
    """What came out."""

    plan: StudyPlan
    comparison: ResultComparison
    """The untouched base model and one model per strategy, on the same held-out tasks."""
    seconds: float


def study(workspace: Workspace, plan: StudyPlan, progress: Progress = silent) -> Study:
    """Load the demo crowd, select, export, fine-tune, benchmark; all of it stays in the workspace.

    The crowd, its landscape and the selections are reused where they exist; fine-tunes and
    benchmarks are new runs. Raises the error of a run that failed.
    """
    for package in PACKAGES:  # told before anything is made
        require(package, feature="The demonstration", extra="finetune")
    started = time.monotonic()
    crowd = _demo_crowd(workspace, progress)
    pipeline.landscape(crowd, default_encoder(), progress=progress)
    for name, changes in STRATEGIES:
        recipe = Recipe(
            crowd=CROWD,
            budget=plan.budget,
            encoder=default_encoder(),
            seed=plan.seed,
            **changes,  # type: ignore[arg-type]
        )
        saved = pipeline.save_selection(workspace, pipeline.select(crowd, recipe, progress), name)
        pipeline.export(workspace, saved, "messages", progress=progress)
    base = demo_data() / "models" / plan.base
    runs = [_finetune(workspace, name, base, plan) for name, _ in STRATEGIES]
    jobs.finish(runs, plan.at_once, "fine-tuning", progress)
    subjects = [SubjectConfig(name="base model", model=str(base.absolute()))]
    for (name, _), run in zip(STRATEGIES, runs, strict=True):
        subjects.append(subject_of(workspace, run.name, name=name))
    config = [
        BenchmarkConfig(subject=subject, suites=(Suite(name="verifiable"),), limit=plan.limit)
        for subject in subjects
    ]
    tests = [create(workspace, one) for one in config]
    jobs.finish(tests, plan.at_once, "benchmark", progress)
    comparison = compare([read_results(path) for path in tests], seed=plan.seed)
    return Study(plan, comparison, time.monotonic() - started)


def _demo_crowd(workspace: Workspace, progress: Progress) -> Crowd:
    if CROWD in pipeline.crowd_names(workspace):
        return pipeline.open_crowd(workspace, CROWD)
    return pipeline.ingest(workspace, "demo", [], progress=progress)


def _finetune(workspace: Workspace, selection: str, base: Path, plan: StudyPlan) -> Path:
    return finetune(
        workspace,
        selection,
        str(base),
        start=False,
        preset="demo",
        mode=plan.mode,
        epochs=plan.epochs,
        learning_rate=plan.learning_rate,
        seed=plan.seed,
    )
