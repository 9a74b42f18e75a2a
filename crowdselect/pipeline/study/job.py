"""A study as a job: choose for every cell, then train and test, cell by cell, in warm processes."""

from __future__ import annotations

import math
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from crowdselect import files, jobs
from crowdselect.engines import Engine, Pool
from crowdselect.jobs import Job
from crowdselect.lm.packaged import located
from crowdselect.locks import only_writer
from crowdselect.pipeline.ingest import crowd_names
from crowdselect.pipeline.study import looks
from crowdselect.pipeline.study.cells import PLAN, Study, study_of
from crowdselect.pipeline.study.choosing import Chooser
from crowdselect.pipeline.study.plan import StudyPlan, check_plan
from crowdselect.pipeline.study.results import StudyResult, comparisons, read_study
from crowdselect.pipeline.study.scores import make_scores
from crowdselect.pipeline.study.split import write_split
from crowdselect.pipeline.study.team import team_of
from crowdselect.pipeline.study.tuned import fit_arms
from crowdselect.settings import Workspace
from crowdselect.tracking import check_trackers, report


def create(
    workspace: Workspace,
    plan: StudyPlan,
    split: str = "development",
    *,
    workers: int = 1,
    engine: Engine = "local",
    gpus_each: float | None = None,
    again: str = "",
    only_fit: bool = False,
) -> Path:
    """Make the job of a study on one of its splits without starting it; check everything first.

    ``workers`` processes work at once (0: the job's own, for a test or a notebook), each with a GPU
    of its own where there are several. With the engine ``ray`` they are actors of its cluster, each
    with ``gpus_each`` GPUs, and every machine sees the workspace. ``again`` says why a test split
    that was looked at is looked at again. ``only_fit``: fit the arms that are to be fitted, on
    development, and stop there. Raises what :func:`check_plan` raises, and InputError for a second
    look without a reason.
    """
    if plan.split is None:
        check_plan(plan, split)
    check_trackers(tuple(plan.train.get("report_to") or ()))
    if plan.crowd != "demo" and plan.crowd not in crowd_names(workspace):
        workspace.existing_crowd(plan.crowd)
    write_split(workspace, plan)
    study = study_of(workspace, plan)
    if plan.split is not None:
        check_plan(study.plan, split)
    if not only_fit:
        looks.begin(study, split, again)
    files.write_text(study.path / PLAN, plan.to_toml())
    pool = Pool(engine, workers, gpus_each)
    config: dict[str, Any] = {
        "plan": plan.model_dump(mode="json"),
        "split": split,
        **asdict(pool),
    }
    if only_fit:
        config["only_fit"] = True
    return jobs.create(workspace, "study", config)


def run(job: Job) -> None:
    """Run (or resume) a study; the entry point of the job kind."""
    plan = StudyPlan.parse(job.config["plan"], str(job.path / "config.json"))
    split = str(job.config["split"])
    pool = Pool(**{f.name: job.config[f.name] for f in fields(Pool) if f.name in job.config})
    study = study_of(job.workspace, plan)
    busy = f"The study {plan.name} is running already."
    with only_writer(study.path / "study", busy=busy, remedy="Follow it, or cancel it.", wait_s=5):
        with team_of(job, study, pool) as team:
            chooser = Chooser(job, study)
            chooser.make_demo()
            model = located(str(plan.train.get("model", "")), job.workspace.cache)
            make_scores(job, plan.scores, plan.crowd, plan.recipe.get("judge"), model)
            fit_arms(job, study, chooser, team)
            if job.config.get("only_fit"):
                return
            looks.begin(study, split)
            cells = study.cells()
            chooser.choose(cells)
            team.make(cells, split)
        found = read_study(study, split)
        looks.note(study, split, comparisons(study, found))
        _report(job, study, found)


def _report(job: Job, study: Study, found: StudyResult) -> None:
    """Hand each row's result to the trackers that followed its training."""
    names = tuple(study.plan.train.get("report_to") or ())
    for row in found.rows if names and not found.hidden else ():
        facts = {"study": study.plan.name, "split": found.split, "arm": row.arm, "point": row.point,
                 "unit": found.unit, "study_run": job.id}  # fmt: skip
        values = {"score": row.interval.value, "low": row.interval.low, "high": row.interval.high,
                  "seeds": float(row.done), "rows": float(row.rows or 0)}  # fmt: skip
        shown = {k: v for k, v in values.items() if not math.isnan(v)}
        report(names, study.path, f"{study.plan.name} {row.label}, {found.split}", facts, shown)
