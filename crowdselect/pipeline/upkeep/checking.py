"""Check what a workspace holds against what was noted when it was written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from crowdselect import files, jobs
from crowdselect.deeds import deed
from crowdselect.errors import CrowdSelectError, InputError
from crowdselect.pipeline.damaged import damaged, damaged_runs
from crowdselect.pipeline.decontamination import as_kept
from crowdselect.pipeline.selection.saving import list_selections
from crowdselect.pipeline.study.cells import CHOSEN, PLAN, Study, find_study
from crowdselect.pipeline.study.looks import JOURNAL
from crowdselect.progress import Progress, silent
from crowdselect.settings import Workspace
from crowdselect.store import changed_rewards, changing

JOURNALS = ("notes.jsonl", "events.jsonl", "results.jsonl")
TORN = ".torn"
"""Ends the name of the file that takes a journal's lines that cannot be read."""


@dataclass(frozen=True)
class Finding:
    """Something in a workspace that is not as it was written."""

    what: str
    """``crowd zoo``, ``selection 1f0c...``, ``run ...``, ``study ...``, ``questions ...``."""
    path: Path
    problem: str
    remedy: str
    repairable: bool = False
    """Whether :func:`repair` mends it, and loses nothing that could be read."""


def check_workspace(workspace: Workspace, progress: Progress = silent) -> list[Finding]:
    """Everything that is damaged, differs from its noted hash, or is torn; empty: all is sound.

    Reads every reward, selection, export, study, question file and journal once; writes nothing.
    """
    found = [
        Finding(f"{each.kind} {each.name}", each.path, each.problem, each.remedy)
        for each in damaged(workspace)
    ]
    lost = {each.path for each in found}
    steps = (
        _rewards(workspace, lost),
        _selections(workspace),
        _questions(workspace),
        _studies(workspace),
        _journals(workspace),
    )
    for k, step in enumerate(steps):
        progress(k, len(steps), "checking the workspace")
        found.extend(step)
    progress(len(steps), len(steps), "checking the workspace")
    return found


def _rewards(workspace: Workspace, lost: set[Path]) -> Iterator[Finding]:
    for name in workspace.crowd_names():
        folder = workspace.crowd(name)
        for path in changed_rewards(folder) if folder not in lost else ():
            yield Finding(
                f"crowd {name}",
                path,
                f"The rewards in {path} are not those that were written.",
                f"Ingest {name} again with --replace, or add the judge again.",
            )


def _selections(workspace: Workspace) -> Iterator[Finding]:
    for saved in list_selections(workspace):
        rows = saved.path / "selection.parquet"
        noted = files.read_json(saved.path / "manifest.json").get("rows_sha256")
        if not files.has_sha256(rows, noted):
            yield Finding(
                f"selection {saved.id}",
                rows,
                f"The rows of the selection {saved.name} ({saved.id}) are not those that were "
                "saved.",
                f"Save its recipe again: crowdselect select {saved.recipe.crowd} "
                f"--recipe {saved.path / 'recipe.toml'}",
            )
        yield from _exports(saved.path / "exports", saved.id)


def _exports(folder: Path, selection: str) -> Iterator[Finding]:
    for manifest in sorted(folder.glob("[!.]*/manifest.json")):
        try:
            outputs = files.read_json(manifest)["outputs"]
            changed = [
                name
                for name, digest in outputs.items()
                if not files.has_sha256(manifest.parent / name, digest)
            ]
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            changed = ["manifest.json"]
        if changed:
            yield Finding(
                f"export {manifest.parent.name} of {selection}",
                manifest.parent,
                f"The export {manifest.parent} was changed since it was written: "
                f"{', '.join(changed)}.",
                f"Export it again: crowdselect export {selection} --format {manifest.parent.name}",
            )


def _questions(workspace: Workspace) -> Iterator[Finding]:
    for place in sorted(workspace.questions.glob("[!.]*.json")):
        if not as_kept(place):
            yield Finding(
                f"questions {place.stem[:12]}",
                place,
                f"The questions in {place} are not those of the file that it is called after.",
                "Delete it and give the file again: crowdselect select CROWD --recipe RECIPE "
                "--against FILE",
            )


def _studies(workspace: Workspace) -> Iterator[Finding]:
    for plan in sorted(workspace.studies.glob(f"[!.]*/{PLAN}")):
        name = plan.parent.name
        try:
            study = find_study(workspace, name)
        except (CrowdSelectError, OSError, ValueError) as error:
            problem = error.problem if isinstance(error, CrowdSelectError) else f"{error}"
            remedy = "Correct that file, or remove the study's folder."
            yield Finding(f"study {name}", plan, f"{plan} cannot be read: {problem}", remedy)
            continue
        again = f"Remove it and run the study again: crowdselect study run {plan}"
        for each in damaged_runs(study.workspace):
            yield Finding(f"study {name}, run {each.name}", each.path, each.problem, each.remedy)
        for folder in _changed_data(study):
            problem = f"The training data in {folder} is not what was chosen."
            yield Finding(f"study {name}", folder, problem, again)


def _changed_data(study: Study) -> Iterator[Path]:
    """Folders whose rows are not those that were written."""
    for chosen in sorted(study.path.glob(f"data/[!.]*/{CHOSEN}")):
        try:
            about = files.read_json(chosen)
            whole = files.has_sha256(chosen.parent / about["data"], about["sha256"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            whole = False
        if not whole:
            yield chosen.parent


def _journals(workspace: Workspace) -> Iterator[Finding]:
    places = [workspace.crowds, workspace.runs, *workspace.studies.glob("[!.]*/runs/")]
    looks = [path for path in (workspace.studies / JOURNAL,) if path.exists()]
    for found in (looks, *(sorted(place.glob("[!.]*/*.jsonl")) for place in places)):
        for path in found:
            known = (*JOURNALS, JOURNAL)
            lost = files.read_journal(path).damaged if path.name in known else 0
            if lost:
                yield Finding(
                    f"journal of {path.parent.name}",
                    path,
                    f"{lost:,} lines of {path} cannot be read: a crash, or a full disk, while "
                    "they were written.",
                    "crowdselect workspace check --repair puts them into a file beside it.",
                    repairable=True,
                )


def repair(workspace: Workspace, finding: Finding) -> Path:
    """Put a journal's torn lines into a file beside it, and return that; the others stay.

    Raises CrowdSelectError for what cannot be repaired.
    """
    if not finding.repairable:
        raise CrowdSelectError(f"{finding.what} cannot be repaired here.", finding.remedy)
    path = finding.path
    beside = path.with_name(path.name + TORN)
    with deed(workspace, "repair", str(path.name)), _resting(workspace, path.parent):
        whole, torn = files.split_journal(path)
        with files.write_aside(beside) as aside:
            aside.write_bytes((beside.read_bytes() if beside.exists() else b"") + torn)
        with files.write_aside(path) as aside:
            aside.write_bytes(whole)
            aside.chmod(path.stat().st_mode & 0o777)
    return beside


@contextmanager
def _resting(workspace: Workspace, folder: Path) -> Iterator[None]:
    """Nobody writes into the crowd, or works on the run, in ``folder``."""
    if folder.parent.name == "crowds":
        with changing(folder):
            yield
        return
    if folder.name == "studies":
        views = jobs.all_runs(workspace, "study")
        if any(view.state in jobs.ALIVE for view in views):
            raise InputError("A study is at work.", "Wait until it ends.")
        yield
        return
    if jobs.read(folder).state in jobs.ALIVE:
        raise InputError(f"The run {folder.name} is at work.", "Wait until it ends.")
    yield
