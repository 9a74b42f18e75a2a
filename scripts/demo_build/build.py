"""Build the demo crowd from a seed.

``python -m scripts.demo_build.build --out data/demo --seed 7``, in a checkout of the project.

Everything is made in stages; each product is kept in a cache folder under a key of what went into
it, so an interrupted build goes on where it stopped and an unchanged stage is never made twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars

from crowdselect.files import build_folder_aside
from crowdselect.progress import Progress, silent
from crowdselect.tasks import Task
from scripts.demo_build import makers
from scripts.demo_build.assemble import Products, assemble
from scripts.demo_build.base import bases
from scripts.demo_build.cache import Cache
from scripts.demo_build.crowd import members
from scripts.demo_build.tasks import make_tasks

T = TypeVar("T")
REWARD_MODEL_BODY = "alder-160x3"
"""The crowd model that the second judge grows from."""
TEACHERS = ("alder-64x2", "birch-96x3", "cedar-128x3", "elm-96x3", "fir-112x3", "maple-64x3")
"""The crowd models whose answers to training tasks teach the second judge: one per family."""


@dataclass(frozen=True)
class Plan:
    """Everything that decides what the build makes."""

    seed: int = 7
    pool: int = 4200
    heldout: int = 1200
    development: int = 1200
    test: int = 2400
    judged: int = 18_000
    """Tasks of the training split that the teachers answer, to teach the reward model."""
    scale: float = 1.0
    """Shrinks training steps and data of every model; 1 for the real thing."""

    def pool_tasks(self) -> list[Task]:
        """The crowd's instructions."""
        return makers.pool_tasks(self.pool, self.seed)

    def heldout_tasks(self) -> list[Task]:
        """The benchmark's instructions: every kind equally often."""
        return make_tasks(self.heldout, self.seed, "heldout")

    def study_tasks(self) -> tuple[list[Task], list[Task]]:
        """Further instructions for studies: those that recipes are tuned on, then the test."""
        known = {task.instruction for task in self.heldout_tasks()}
        wanted = self.development + self.test
        drawn = make_tasks(wanted + len(known), self.seed + 1, "heldout")
        fresh = [task for task in drawn if task.instruction not in known][:wanted]
        return fresh[: self.development], fresh[self.development :]

    def judged_tasks(self) -> list[Task]:
        """The instructions that teach the reward model."""
        return make_tasks(self.judged, self.seed + 1, "train")


def _tokenizer(cache: Cache, plan: Plan) -> Path:
    return cache.made("tokenizer", plan.seed, partial(makers.make_tokenizer, plan.seed))


def _schooled(pupil: makers.Pupil, cache: Cache, plan: Plan, progress: Progress = silent) -> Path:
    tokenizer = _tokenizer(cache, plan)
    nature = asdict(replace(pupil, practice=pupil.schedule))
    return cache.made(
        f"schooled-{pupil.name}",
        [nature, tokenizer.name, plan.seed],
        lambda folder: makers.make_schooled(pupil, tokenizer, plan.seed, folder, progress),
    )


def _trained(pupil: makers.Pupil, cache: Cache, plan: Plan, progress: Progress = silent) -> Path:
    schooled = _schooled(pupil, cache, plan, progress)
    return cache.made(
        f"trained-{pupil.name}",
        [schooled.name, asdict(pupil.practice)],
        lambda folder: makers.make_practised(pupil, schooled, plan.seed, folder, progress),
    )


def _answers(
    model: Path, cache: Cache, plan: Plan, progress: Progress = silent, *, teaching: bool = False
) -> Path:
    """Answers to the pool or, ``teaching``, to the tasks that teach the reward model."""
    name, n, tasks = (
        ("taught", plan.judged, plan.judged_tasks)
        if teaching
        else ("answers", plan.pool, plan.pool_tasks)
    )
    return cache.made(
        name,
        [model.name, plan.seed, n],
        lambda folder: makers.make_answers(model, tasks(), folder, progress),
    )


def _reward_model(
    body: Path, taught: Sequence[Path], cache: Cache, plan: Plan, progress: Progress
) -> Path:
    answers = [makers.read_answers(folder) for folder in taught]
    return cache.made(
        "reward-model",
        [body.name, [folder.name for folder in taught], makers.REWARD_MODEL_EPOCHS],
        lambda folder: makers.make_reward_model(
            body, plan.judged_tasks(), answers, plan.seed, folder, progress
        ),
    )


def _rewards(
    judge: Path, answers: Sequence[Path], cache: Cache, plan: Plan, progress: Progress
) -> Path:
    given = [makers.read_answers(folder) for folder in answers]
    return cache.made(
        "rewards",
        [judge.name, [folder.name for folder in answers]],
        lambda folder: makers.make_rewards(judge, plan.pool_tasks(), given, folder, progress),
    )


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


class Workshop:
    """Runs the stages with bars, in this process or in several."""

    def __init__(self, bars: Bars, workers: int) -> None:
        self._bars = bars
        self._workers = workers
        self._task: TaskID | None = None

    def report(self, done: int, total: int | None, label: str = "") -> None:
        """Show the inner bar: steps of one training, answers of one model."""
        if self._task is None:
            self._task = self._bars.add_task(label)
        self._bars.update(self._task, description=label, completed=done, total=total)

    def each(self, label: str, items: Sequence[T], make: Callable[..., Path]) -> list[Path]:
        """Apply ``make`` to every item and return the folders in the items' order."""
        outer = self._bars.add_task(label, total=len(items))
        if self._workers == 1:
            folders = []
            for item in items:
                folders.append(make(item, progress=self.report))
                self._bars.advance(outer)
            return folders
        context = get_context("spawn")
        with ProcessPoolExecutor(self._workers, context, initializer=_one_thread) as pool:
            waiting = [pool.submit(make, item) for item in items]
            for future in waiting:
                future.add_done_callback(lambda _: self._bars.advance(outer))
            return [future.result() for future in waiting]


def build(plan: Plan, out: Path, cache: Cache, workshop: Workshop) -> None:
    """Make every product that is not in the cache and write the data set to ``out``."""
    crowd, grounds = members(plan.scale), bases(plan.scale)
    _tokenizer(cache, plan)
    models = workshop.each("Crowd", crowd, partial(_trained, cache=cache, plan=plan))
    answers = workshop.each("Answers", models, partial(_answers, cache=cache, plan=plan))
    named = dict(zip([member.name for member in crowd], models, strict=True))
    teachers = [named[name] for name in TEACHERS]
    taught = workshop.each(
        "Examples", teachers, partial(_answers, cache=cache, plan=plan, teaching=True)
    )
    judge = _reward_model(named[REWARD_MODEL_BODY], taught, cache, plan, workshop.report)
    rewards = _rewards(judge, answers, cache, plan, workshop.report)
    ground_models = workshop.each("Base models", grounds, partial(_trained, cache=cache, plan=plan))
    products = Products(
        seed=plan.seed,
        pool=plan.pool_tasks(),
        heldout=plan.heldout_tasks(),
        studies=plan.study_tasks(),
        members=crowd,
        models=models,
        answers=answers,
        judge=judge,
        rewards=rewards,
        bases=ground_models,
    )
    with build_folder_aside(out) as folder:
        assemble(products, folder)


def main(
    out: Annotated[Path, typer.Option(help="Folder of the data set; replaced when done.")],
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 7,
    cache: Annotated[Path, typer.Option(help="Folder of what was made so far.")] = Path(
        ".demo-build"
    ),
    workers: Annotated[int, typer.Option(min=1, help="Models trained at once.")] = 1,
    scale: Annotated[float, typer.Option(help="Below 1: a quick, worse crowd.")] = 1.0,
) -> None:
    """Build the demo crowd, its held-out tasks, base models and reward model."""
    _one_thread()
    columns = (
        TextColumn("{task.description:32}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Bars(*columns) as bars:
        build(Plan(seed=seed, scale=scale), out, Cache(cache), Workshop(bars, workers))


if __name__ == "__main__":
    typer.run(main)
