"""The cells of a study: which training data, model and answers each needs, and making one.

A study is a workspace of its own in the user's: ``data/<recipe id>`` holds what was chosen,
``runs/`` fine-tunes and benchmarks, called after what goes into them. So arms that come to the same
rows share a model, a plan that changes keeps what it has made, and whatever stops a study, a cell
is there whole, resumes from its own checkpoint or journal, or is not there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from crowdselect import files, jobs
from crowdselect.benchmark import BenchmarkConfig, Outcome, SubjectConfig, read_results
from crowdselect.benchmark import create as create_benchmark
from crowdselect.errors import CrowdSelectError, NotFoundError
from crowdselect.finetune import FinetuneConfig, output_model
from crowdselect.finetune import create as create_finetune
from crowdselect.finetune.card import library_versions
from crowdselect.lm.identity import model_identity
from crowdselect.lm.packaged import located
from crowdselect.locks import only_writer
from crowdselect.origin import Origin
from crowdselect.people import acting
from crowdselect.pipeline.export import export
from crowdselect.pipeline.selection.select import select
from crowdselect.pipeline.selection.session import Session
from crowdselect.pipeline.study.plan import Row, StudyPlan, rows_of, split_key
from crowdselect.pipeline.study.split import placed
from crowdselect.progress import Progress, silent
from crowdselect.reading import sha256_of
from crowdselect.registry import content_key, did_you_mean
from crowdselect.settings import Workspace
from crowdselect.values import Recipe

PLAN = "plan.toml"
CHOSEN = "chosen.json"


@dataclass(frozen=True)
class Cell:
    """One row with one seed; an untrained model has none."""

    row: Row
    seed: int | None

    @property
    def label(self) -> str:
        """The row, and its seed."""
        return self.row.label if self.seed is None else f"{self.row.label}, seed {self.seed}"


@dataclass(frozen=True)
class Study:
    """A plan and where its work lies."""

    home: Workspace
    """The user's workspace."""
    plan: StudyPlan

    @property
    def path(self) -> Path:
        """The study's folder."""
        return self.home.studies / self.plan.name

    @property
    def workspace(self) -> Workspace:
        """The workspace that its runs lie in."""
        return Workspace(self.path)

    def cells(self) -> list[Cell]:
        """Every cell, seed by seed, so that all rows fill at one pace."""
        rows = rows_of(self.plan)
        fixed = [Cell(row, None) for row in rows if row.arm.untrained]
        return fixed + [Cell(r, s) for s in self.plan.seeds for r in rows if not r.arm.untrained]

    def recipe_of(self, row: Row, seed: int) -> Recipe | None:
        """What a row chooses by with one seed; None: it is to be fitted, and is not yet."""
        if row.arm.tune is not None:
            found = self.fit_of(row)
            if found is None:
                return None
            row = replace(row, recipe=found["recipe"])
        return row.recipe_of(self.plan.crowd, seed)

    def fit_of(self, row: Row) -> dict[str, Any] | None:
        """What was written down of a row's fit; None: it is not fitted yet."""
        path = self.fit_path(row)
        return files.read_json(path) if path.exists() else None

    def fit_path(self, row: Row) -> Path:
        """Where a row's fit is written down: called after all that it follows from."""
        made = [row.id, self.plan.crowd, self.plan.seeds, self.plan.baselines[0]]
        made.append(split_key(self.plan, "development"))
        return self.path / "fits" / f"{content_key(made)}.json"

    def choose(self, session: Session, cell: Cell, progress: Progress = silent) -> None:
        """Write the training data of a cell, unless some cell had the same recipe before."""
        if cell.seed is None:
            return
        recipe = self.recipe_of(cell.row, cell.seed)
        if recipe is None:
            return
        folder = self.path / "data" / recipe.id
        if (folder / CHOSEN).exists():
            return
        selection = select(session, recipe, progress)
        if not len(selection.ids):
            raise CrowdSelectError(
                "No instruction can be selected.", "Loosen its filters, or its gate."
            )
        written = export(self.home, selection, "messages", folder / "data", progress=progress)
        about = {
            "rows": len(selection.ids),
            "data": f"data/{written.data.name}",
            "sha256": sha256_of(written.data),
            "warnings": list(selection.report.get("warnings", ())),
        }
        files.write_json(folder / CHOSEN, about)

    def chosen(self, cell: Cell) -> dict[str, Any] | None:
        """What is known of a cell's training data; None: it is not chosen yet."""
        recipe = None if cell.seed is None else self.recipe_of(cell.row, cell.seed)
        if recipe is None:
            return None
        folder = self.path / "data" / recipe.id
        if not (folder / CHOSEN).exists():
            return None
        about: dict[str, Any] = files.read_json(folder / CHOSEN)
        return {**about, "data": str(folder / about["data"])}

    def model_key(self, cell: Cell) -> str | None:
        """Hash of everything that a cell's model follows from; None: its data is not there yet."""
        base = self._base(cell)
        whose = model_identity(base) or base
        if cell.seed is None:
            return content_key(["untrained", whose])
        chosen = self.chosen(cell)
        if chosen is None:
            return None
        options = cell.row.config_of(chosen["data"], cell.seed).result_options()
        options.pop("model")
        return content_key([chosen["sha256"], options, whose, cell.seed, library_versions()])

    def outcome(self, cell: Cell, split: str) -> Outcome | None:
        """What a cell's model reached on a split; None: it is not finished."""
        key = self.model_key(cell)
        run = None if key is None else self._test(cell, split, key)
        if run is None or not run.exists() or jobs.read(run).state != "done":
            return None
        return read_results(run).outcomes[0]

    def steps(self, cell: Cell) -> int | None:
        """Optimiser steps that a cell's training took; None: untrained, or not begun."""
        key = None if cell.seed is None else self.model_key(cell)
        plan = self.workspace.run(f"finetune-{key}") / "plan.json"
        if key is None or not plan.exists():
            return None
        return int(files.read_json(plan)["budget"]["steps"])

    def make(self, cell: Cell, split: str) -> None:
        """Train and test a cell, or whatever of that is not done; its data has been chosen.

        Raises the error of the run that failed, CancelledError where one was told to stop.
        """
        key = self.model_key(cell)
        if key is None:
            raise CrowdSelectError(f"{cell.label} has no training data.", "Run the study anew.")
        test = self._test(cell, split, key)
        with _claimed(test):
            if test.exists() and jobs.read(test).state == "done":
                return
            subject = self._subject(cell, key)
            if not test.exists():
                suite = self.plan.suite(split, cell.row.arm)
                config = BenchmarkConfig(subject=subject, suites=(suite,))
                create_benchmark(self.workspace, config, run_id=test.name)
            jobs.finish_here(test, cell.label)

    def _test(self, cell: Cell, split: str, key: str) -> Path:
        suite = self.plan.suite(split, cell.row.arm).model_dump()
        if self.plan.split is not None:  # questions by content: their place may move
            suite["questions"] = split_key(self.plan, split)
            suite["options"].pop("path", None)
        return self.workspace.run(f"benchmark-{key}-{content_key(suite, 8)}")

    def _subject(self, cell: Cell, key: str) -> SubjectConfig:
        """What a cell tests, trained now where it is not."""
        base = self._base(cell)
        if cell.seed is None:
            return SubjectConfig(name=cell.row.label, model=base)
        config = self._config(cell)
        run = self.workspace.run(f"finetune-{key}")
        with _claimed(run):
            if not run.exists():
                create_finetune(self.workspace, config, run_id=run.name)
            if jobs.read(run).state != "done":
                jobs.finish_here(run, cell.label)
        made = output_model(run)
        return SubjectConfig(
            name=cell.row.label,
            model=made.base if made.adapter else str(made.path.absolute()),
            adapter=str(made.path.absolute()) if made.adapter else None,
            base=None if made.adapter else config.model,
            run=run.name,
            training_seed=cell.seed,
            origin=config.origin,
            trust_remote_code=config.trust_remote_code,
        )

    def _config(self, cell: Cell) -> FinetuneConfig:
        chosen, seed = self.chosen(cell), cell.seed
        assert chosen is not None
        assert seed is not None
        recipe = self.recipe_of(cell.row, seed)
        assert recipe is not None
        origin = Origin(selection=recipe.id, name=cell.row.label, recipe=recipe)
        changes = {"origin": origin, "model": self._base(cell)}
        return cell.row.config_of(chosen["data"], seed).model_copy(update=changes)

    def _base(self, cell: Cell) -> str:
        """The model that a cell trains or asks; a packaged one lies in the user's workspace."""
        return located(str(cell.row.train["model"]), self.home.cache)


def find_study(workspace: Workspace, name: str) -> Study:
    """The study called ``name``; raises NotFoundError with the names there are."""
    path = workspace.studies / name / PLAN
    if name not in study_names(workspace):
        raise NotFoundError(
            f"There is no study {name!r} in {workspace.root}.",
            did_you_mean(name, study_names(workspace)),
        )
    return study_of(workspace, StudyPlan.from_toml(path.read_text(encoding="utf-8"), str(path)))


def study_of(workspace: Workspace, plan: StudyPlan) -> Study:
    """The study of a plan whose questions are there; raises InputError where they are not yet."""
    return Study(workspace, placed(workspace, plan))


def study_names(workspace: Workspace) -> list[str]:
    """Names of the workspace's studies, sorted; those about crowds that whoever acts may see."""
    found = sorted(workspace.studies.glob(f"[!.]*/{PLAN}"))
    return [path.parent.name for path in found if _is_seen(path)]


def _is_seen(plan: Path) -> bool:
    if not acting().restricted:
        return True
    try:
        crowd = StudyPlan.from_toml(plan.read_text(encoding="utf-8"), str(plan)).crowd
    except (CrowdSelectError, OSError, ValueError):
        return False  # nobody knows what it is about
    return acting().may_see(crowd)


@contextmanager
def _claimed(run: Path) -> Iterator[None]:
    """Be the only process that makes ``run``: a worker whose study was killed may finish first."""
    remedy = "Wait for it, or end it; then run the study again."
    with only_writer(run, busy=f"{run.name} is being made elsewhere.", remedy=remedy, wait_s=3600):
        yield
