"""A fine-tune as a job: check, estimate, measure, train; what fails says what to do."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from crowdselect.errors import InputError
from crowdselect.finetune.card import library_versions
from crowdselect.finetune.checkpoints import last_checkpoint, remove_incomplete
from crowdselect.finetune.config import FinetuneConfig
from crowdselect.finetune.estimation import assess, refuse
from crowdselect.finetune.failures import in_words
from crowdselect.finetune.launch import launch
from crowdselect.finetune.plan import Plan, check_packages, make_plan
from crowdselect.finetune.prepare import Prepared, load_prepared, save_prepared
from crowdselect.jobs import Job, note_provenance, read_record
from crowdselect.reading import sha256_of

PLAN = "plan.json"
PREPARED = "prepared"


def run(job: Job) -> None:
    """Run (or resume) the fine-tune of a run directory; the entry point of the job kind.

    Reads ``config.json``; writes ``plan.json``, events (``note``, ``data``, ``estimate``, ``log``,
    ``eval``, ``save``, ``summary``), ``checkpoints/`` and at last ``model/``.

    Raises
    ------
    CrowdSelectError
        With problem and remedy: data changed since the run was made, does not fit, out of
        memory, disk full, diverged.
    CancelledError
        After a checkpoint was written.
    """
    from crowdselect.finetune.trainer import CHECKPOINTS

    config = FinetuneConfig.parse(job.config, str(job.path / "config.json"))
    checkpoints = job.path / CHECKPOINTS
    with in_words(job.path, checkpoints, None):
        check_packages(config)
        sha256 = _check_data(job, config)
        remove_incomplete(checkpoints)
        plan, prepared = _plan(job, config, resuming=last_checkpoint(checkpoints) is not None)
    with in_words(job.path, checkpoints, plan):
        _train(job, plan, prepared, sha256)
    _tidy(job.path, checkpoints)


def _train(job: Job, plan: Plan, prepared: Prepared, data_sha256: str) -> None:
    """Train here or in processes of their own; then merge, if that is wanted."""
    from crowdselect.finetune.train import merge, train

    if plan.config.launcher == "none":
        job.progress(0, plan.budget.steps, "loading the model")
        train(job, plan, prepared, data_sha256=data_sha256)
    else:
        launch(job, plan)
    if plan.config.merge and plan.config.mode == "lora":
        job.progress(plan.budget.steps, plan.budget.steps, "merging")
        merge(plan, job.path)


def _check_data(job: Job, config: FinetuneConfig) -> str:
    """The data's sha256, written at the first start; a resumed run must find the same data."""
    found = sha256_of(config.data) if Path(config.data).exists() else ""
    known = read_record(job.path).provenance.get("data_sha256")
    if known and found and known != found:
        raise InputError(
            f"{config.data} has changed since this run was made (sha256 {found[:12]}, was "
            f"{known[:12]}).",
            "Start a new run, or put the old file back.",
        )
    if not known:
        note_provenance(job.path, provenance(config, found))
    return known or found


def provenance(config: FinetuneConfig, data_sha256: str) -> dict[str, Any]:
    """What a run's result follows from: data, options and library versions; ``id`` hashes them."""
    from crowdselect.registry import content_key

    made_from = {
        "data_sha256": data_sha256,
        "options": config.id,
        "seed": config.seed,
        "versions": library_versions(),
    }
    return {**made_from, "id": content_key(made_from)}


def _plan(job: Job, config: FinetuneConfig, *, resuming: bool) -> tuple[Plan, Prepared]:
    """Plan a run, estimate and measure it; a resumed run keeps its plan."""
    if resuming:
        return Plan.load(job.path / PLAN), load_prepared(job.path / PREPARED)
    plan, prepared = make_plan(config, progress=job.progress, outside=config.launcher != "none")
    job.event("data", **asdict(prepared.report))
    for line in (*prepared.report.lines(), *plan.setup.notes):
        job.event("note", text=line)
    plan.save(job.path / PLAN)
    save_prepared(prepared, job.path / PREPARED)
    job.progress(0, plan.budget.steps, "measuring")
    found = assess(plan, prepared, job.path, burst=True)
    job.event("estimate", **asdict(found))
    refuse(found)
    return plan, prepared


def _tidy(run: Path, checkpoints: Path) -> None:
    """A finished run keeps its model; checkpoints with optimiser states and tokens may go."""
    import shutil

    for folder in (checkpoints, run / PREPARED):
        shutil.rmtree(folder, ignore_errors=True)
