"""A study as a job: choose for every cell, then train and test, cell by cell, in warm processes."""

from __future__ import annotations

import multiprocessing
import os
import queue
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from crowdselect import files, jobs
from crowdselect.errors import CancelledError, CrowdSelectError
from crowdselect.jobs import Job
from crowdselect.locks import only_writer
from crowdselect.pipeline.ingest import crowd_names, ingest, open_crowd
from crowdselect.pipeline.selection.session import Session
from crowdselect.pipeline.study import looks
from crowdselect.pipeline.study.cells import PLAN, Cell, Study
from crowdselect.pipeline.study.plan import StudyPlan, check_plan
from crowdselect.pipeline.study.results import comparisons, read_study
from crowdselect.settings import Workspace

LABEL = "training and testing"
_BEAT_S = 30.0
_POLL_S = 0.5


def create(
    workspace: Workspace,
    plan: StudyPlan,
    split: str = "development",
    *,
    workers: int = 1,
    again: str = "",
) -> Path:
    """Make the job of a study on one of its splits without starting it; check everything first.

    ``workers`` processes work at once (0: the job's own, for a test or a notebook). ``again`` says
    why a test split that was looked at is looked at again. Raises what :func:`check_plan` raises,
    and InputError for a second look without a reason.
    """
    check_plan(plan, split)
    if plan.crowd != "demo" and plan.crowd not in crowd_names(workspace):
        workspace.existing_crowd(plan.crowd)
    study = Study(workspace, plan)
    looks.begin(study, split, again)
    files.write_text(study.path / PLAN, plan.to_toml())
    config = {"plan": plan.model_dump(mode="json"), "split": split, "workers": workers}
    return jobs.create(workspace, "study", config)


def run(job: Job) -> None:
    """Run (or resume) a study; the entry point of the job kind."""
    plan = StudyPlan.parse(job.config["plan"], str(job.path / "config.json"))
    split, workers = str(job.config["split"]), int(job.config["workers"])
    study = Study(job.workspace, plan)
    busy = f"The study {plan.name} is running already."
    with only_writer(study.path / "study", busy=busy, remedy="Follow it, or cancel it.", wait_s=5):
        looks.begin(study, split)
        cells = study.cells()
        _choose(job, study, cells)
        todo = [i for i, cell in enumerate(cells) if study.outcome(cell, split) is None]
        if todo and workers:
            _in_workers(job, study, split, len(cells), todo, workers)
        else:
            _here(job, study, split, cells, todo)
        looks.note(study, split, comparisons(study, read_study(study, split)))


def _choose(job: Job, study: Study, cells: Sequence[Cell]) -> None:
    """The training data of every cell: embeddings, clusters and metrics are made once for all."""
    if study.plan.crowd == "demo" and "demo" not in crowd_names(study.home):
        ingest(study.home, "demo", [], progress=job.progress)
    if all(cell.seed is None or study.chosen(cell) for cell in cells):
        return
    session = Session(open_crowd(study.home, study.plan.crowd))
    for number, cell in enumerate(cells):
        job.progress(number, len(cells), "selecting")
        try:
            study.choose(session, cell, job.progress)
        except CancelledError:
            raise
        except CrowdSelectError as error:
            raise CrowdSelectError(f"{cell.label}: {error.problem}", error.remedy) from error


def _here(job: Job, study: Study, split: str, cells: Sequence[Cell], todo: Sequence[int]) -> None:
    failures = []
    done = len(cells) - len(todo)
    for place in todo:
        job.progress(done, len(cells), LABEL)
        try:
            study.make(cells[place], split)
            done += 1
        except CancelledError:
            raise
        except CrowdSelectError as error:
            failures.append(error)
    job.progress(done, len(cells), LABEL)
    _tell(failures)


@dataclass
class _Team:
    """Worker processes, what is left for them, and what they say."""

    tasks: Any
    said: Any
    members: list[SpawnProcess]

    def end(self) -> None:
        """Tell them to stop: what they are at saves a checkpoint."""
        for member in self.members:
            if member.is_alive():
                member.terminate()
        for member in self.members:
            member.join(timeout=30)
            if member.is_alive():
                member.kill()


def _in_workers(
    job: Job, study: Study, split: str, total: int, todo: Sequence[int], workers: int
) -> None:
    """Give the cells to processes that stay warm: none starts an interpreter of its own."""
    failures: list[CrowdSelectError] = []
    done, left = total - len(todo), len(todo)
    with _team(job, study, split, todo, min(workers, len(todo))) as team:
        job.progress(done, total, LABEL)
        beat = time.monotonic()
        while left:
            job.check_cancelled()
            try:
                problem = team.said.get(timeout=_POLL_S)
            except queue.Empty:
                if not any(member.is_alive() for member in team.members):
                    raise CrowdSelectError(
                        f"The workers of {study.plan.name} ended without a word (killed, or out "
                        "of memory).",
                        "Run the study again: it goes on where it stopped. Use fewer workers if "
                        "it dies again.",
                    ) from None
                if time.monotonic() - beat > _BEAT_S:
                    beat = time.monotonic()
                    job.event("alive")
                continue
            left -= 1
            if problem is None:
                done += 1
                job.progress(done, total, LABEL)
            else:
                failures.append(CrowdSelectError(*problem))
                job.event("note", text=problem[0])
    _tell(failures)


@contextmanager
def _team(job: Job, study: Study, split: str, todo: Sequence[int], workers: int) -> Iterator[_Team]:
    context = multiprocessing.get_context("spawn")
    tasks, said = context.Queue(), context.Queue()
    for place in todo:
        tasks.put(place)
    for _ in range(workers):
        tasks.put(None)
    plan = study.plan.model_dump(mode="json")
    given = (job.workspace.root, plan, split, tasks, said, os.getpid())
    team = _Team(tasks, said, [context.Process(target=work, args=given) for _ in range(workers)])
    for member in team.members:
        member.start()
    try:
        yield team
    finally:
        team.end()


def work(root: Path, plan: dict[str, Any], split: str, tasks: Any, said: Any, owner: int) -> None:
    """What a worker does: cell after cell, until none is left or its study is gone."""
    import torch

    torch.set_num_threads(1)
    study = Study(Workspace(root), StudyPlan.parse(plan, "the study"))
    cells = study.cells()
    while (place := tasks.get()) is not None and os.getppid() == owner:
        try:
            study.make(cells[place], split)
            said.put(None)
        except CancelledError:
            return
        except CrowdSelectError as error:
            said.put((error.problem, error.remedy))


def _tell(failures: Sequence[CrowdSelectError]) -> None:
    if failures:
        first = failures[0]
        many = f" (and {len(failures) - 1} more cells)" if len(failures) > 1 else ""
        raise CrowdSelectError(f"{first.problem}{many}", first.remedy)
