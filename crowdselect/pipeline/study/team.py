"""Who makes the cells: this process, several that stay warm between cells, or a pool of Ray's."""

from __future__ import annotations

import multiprocessing
import os
import platform
import queue
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any, Protocol

from crowdselect.engines import Pool, spread
from crowdselect.errors import CancelledError, CrowdSelectError
from crowdselect.jobs import Job
from crowdselect.pipeline.study.cells import Cell, Study
from crowdselect.pipeline.study.plan import StudyPlan
from crowdselect.settings import Workspace

LABEL = "training and testing"
VISIBLE = "CUDA_VISIBLE_DEVICES"
_BEAT_S = 30.0
_POLL_S, _ORPHAN_S = 0.5, 5.0
_Problem = tuple[str, str]
"""What was wrong, and what helps."""


class Team(Protocol):
    """Makes cells, however many at once."""

    def make(self, cells: Sequence[Cell], split: str, label: str = LABEL) -> None:
        """Train and test whichever of ``cells`` are not done, each with its data chosen.

        One that fails does not keep the others from being made; then the first failure is raised.
        """


@dataclass
class _Tally:
    """How far the cells are, and what failed."""

    job: Job
    cells: int
    done: int
    label: str
    failures: list[CrowdSelectError] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._tell()

    def one_more(self) -> None:
        """A cell is made."""
        self.done += 1
        self._tell()

    def take(self, problem: _Problem | None) -> None:
        """What a worker says of its cell."""
        if problem is None:
            self.one_more()
        else:
            self.failures.append(CrowdSelectError(*problem))
            self.job.event("note", text=problem[0])

    def end(self) -> None:
        """Raise the first failure, where there is one."""
        if self.failures:
            first, others = self.failures[0], len(self.failures) - 1
            many = f" (and {others} more cells)" if others else ""
            raise CrowdSelectError(f"{first.problem}{many}", first.remedy)

    def _tell(self) -> None:
        self.job.progress(self.done, self.cells, self.label)


@contextmanager
def team_of(job: Job, study: Study, pool: Pool) -> Iterator[Team]:
    """A pool of Ray's, or as many processes, started when first needed; no workers: this one."""
    if not pool.workers:
        yield _Here(job, study)
        return
    if pool.engine == "ray":
        yield _OnRay(job, study, pool)
        return
    team = _Processes(job, study, pool.workers)
    try:
        yield team
    finally:
        team.end()


@dataclass(frozen=True)
class _Here:
    job: Job
    study: Study

    def make(self, cells: Sequence[Cell], split: str, label: str = LABEL) -> None:
        """Make the cells one after the other."""
        todo = _todo(self.study, cells, split)
        tally = _Tally(self.job, len(cells), len(cells) - len(todo), label)
        for cell in todo:
            try:
                self.study.make(cell, split)
                tally.one_more()
            except CancelledError:
                raise
            except CrowdSelectError as error:
                tally.failures.append(error)
        tally.end()


@dataclass
class _Processes:
    """Worker processes, what is left for them, and what they say."""

    job: Job
    study: Study
    workers: int
    members: list[SpawnProcess] = field(default_factory=list)
    tasks: Any = None
    said: Any = None

    def make(self, cells: Sequence[Cell], split: str, label: str = LABEL) -> None:
        """Give the cells to processes that stay warm: none starts an interpreter of its own."""
        todo = _todo(self.study, cells, split)
        tally, left = _Tally(self.job, len(cells), len(cells) - len(todo), label), len(todo)
        self._start(len(todo))
        for cell in todo:
            self.tasks.put((cell, split))
        beat = time.monotonic()
        while left:
            self.job.check_cancelled()
            try:
                problem = self.said.get(timeout=_POLL_S)
            except queue.Empty:
                self._check_alive()
                if time.monotonic() - beat > _BEAT_S:
                    beat = time.monotonic()
                    self.job.event("alive")
                continue
            left -= 1
            tally.take(problem)
        tally.end()

    def end(self) -> None:
        """Tell them to stop: what they are at saves a checkpoint."""
        if self.tasks is not None:
            self.tasks.cancel_join_thread()  # nobody reads what is left
        for member in self.members:
            if member.is_alive():
                member.terminate()
        for member in self.members:
            member.join(timeout=30)
            if member.is_alive():
                member.kill()

    def _start(self, most: int) -> None:
        context = multiprocessing.get_context("spawn")
        if self.tasks is None:
            self.tasks, self.said = context.Queue(), context.Queue()
        plan = self.study.plan.model_dump(mode="json")
        given = (self.job.workspace.root, plan, self.tasks, self.said, os.getpid())
        for number in range(len(self.members), min(self.workers, most)):
            member = context.Process(target=work, args=(*given, number))
            member.start()
            self.members.append(member)

    def _check_alive(self) -> None:
        if not any(member.is_alive() for member in self.members):
            raise CrowdSelectError(
                f"The workers of {self.study.plan.name} ended without a word (killed, or out "
                "of memory).",
                "Run the study again: it goes on where it stopped. Use fewer workers if it dies "
                "again.",
            )


@dataclass(frozen=True)
class _OnRay:
    job: Job
    study: Study
    pool: Pool

    def make(self, cells: Sequence[Cell], split: str, label: str = LABEL) -> None:
        """Give the cells to actors; they write into the study's folder, which all machines see."""
        todo = _todo(self.study, cells, split)
        tally = _Tally(self.job, len(cells), len(cells) - len(todo), label)
        root = self.job.workspace.root.absolute()
        maker = partial(_maker, root, self.study.plan.model_dump(mode="json"))
        for _, problem in spread(maker, [(cell, split) for cell in todo], self.pool):
            self.job.check_cancelled()
            tally.take(problem)
        tally.end()


def work(
    root: Path, plan: dict[str, Any], tasks: Any, said: Any, owner: int, number: int = 0
) -> None:
    """What a worker does: cell after cell, until its study is gone."""
    _take_device(number)
    make = _maker(root, plan)
    while os.getppid() == owner:
        try:
            task = tasks.get(timeout=_ORPHAN_S)
        except queue.Empty:
            continue
        try:
            said.put(make(task))
        except CancelledError:
            return


def _maker(root: Path, plan: dict[str, Any]) -> Callable[[tuple[Cell, str]], _Problem | None]:
    """What makes a cell in a process that does nothing else, and says what kept it from it."""
    import torch

    torch.set_num_threads(1)
    study = Study(Workspace(root), StudyPlan.parse(plan, "the study"))

    def make(task: tuple[Cell, str]) -> _Problem | None:
        try:
            if not study.path.is_dir():
                raise CrowdSelectError(
                    f"{platform.node()} does not see {study.path}.",
                    "Put the workspace on a disk that all machines of --engine ray share.",
                )
            study.make(*task)
        except CancelledError:
            raise
        except CrowdSelectError as error:
            return error.problem, error.remedy
        return None

    return make


def _take_device(number: int) -> None:
    """Leave worker ``number`` one GPU, where there are several: they go round."""
    import torch

    device = device_of(number, torch.cuda.device_count(), os.environ.get(VISIBLE))
    if device is not None:
        os.environ[VISIBLE] = device


def device_of(number: int, count: int, visible: str | None) -> str | None:
    """The GPU of worker ``number``, as ``CUDA_VISIBLE_DEVICES`` names it; None: none to choose.

    ``visible`` is what that variable says already: those are the ones that were given.
    """
    if count < 2:
        return None
    named = [name.strip() for name in visible.split(",")] if visible else map(str, range(count))
    return list(named)[:count][number % count]


def _todo(study: Study, cells: Sequence[Cell], split: str) -> list[Cell]:
    return [cell for cell in cells if study.outcome(cell, split) is None]
