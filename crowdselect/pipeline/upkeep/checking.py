"""Check what a workspace holds against what was noted when it was written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from crowdselect import files, jobs
from crowdselect.errors import CrowdSelectError, InputError
from crowdselect.pipeline.damaged import damaged
from crowdselect.pipeline.selection.saving import list_selections
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
    """``crowd zoo``, ``selection 1f0c...``, ``run ...``."""
    path: Path
    problem: str
    remedy: str
    repairable: bool = False
    """Whether :func:`repair` mends it, and loses nothing that could be read."""


def check_workspace(workspace: Workspace, progress: Progress = silent) -> list[Finding]:
    """Everything that is damaged, differs from its noted hash, or is torn; empty: all is sound.

    Reads every reward, selection, export and journal once; writes nothing.
    """
    found = [
        Finding(f"{each.kind} {each.name}", each.path, each.problem, each.remedy)
        for each in damaged(workspace)
    ]
    lost = {each.path for each in found}
    steps = (_rewards(workspace, lost), _selections(workspace), _journals(workspace))
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
        if not rows.is_file() or files.sha256_file(rows) != noted:
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
                if not (manifest.parent / name).is_file()
                or files.sha256_file(manifest.parent / name) != digest
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


def _journals(workspace: Workspace) -> Iterator[Finding]:
    for place in (workspace.crowds, workspace.runs):
        for path in sorted(place.glob("[!.]*/*.jsonl")):
            lost = files.read_journal(path).damaged if path.name in JOURNALS else 0
            if lost:
                yield Finding(
                    f"journal of {path.parent.name}",
                    path,
                    f"{lost:,} lines of {path} cannot be read: a crash, or a full disk, while "
                    "they were written.",
                    "crowdselect workspace check --repair puts them into a file beside it.",
                    repairable=True,
                )


def repair(finding: Finding) -> Path:
    """Put a journal's torn lines into a file beside it, and return that; the others stay.

    Raises CrowdSelectError for what cannot be repaired.
    """
    if not finding.repairable:
        raise CrowdSelectError(f"{finding.what} cannot be repaired here.", finding.remedy)
    path = finding.path
    beside = path.with_name(path.name + TORN)
    with _resting(path.parent):
        whole, torn = files.split_journal(path)
        with files.write_aside(beside) as aside:
            aside.write_bytes((beside.read_bytes() if beside.exists() else b"") + torn)
        with files.write_aside(path) as aside:
            aside.write_bytes(whole)
            aside.chmod(path.stat().st_mode & 0o777)
    return beside


@contextmanager
def _resting(folder: Path) -> Iterator[None]:
    """Nobody writes into the crowd, or works on the run, in ``folder``."""
    if folder.parent.name == "crowds":
        with changing(folder):
            yield
        return
    if jobs.read(folder).state in jobs.ALIVE:
        raise InputError(f"The run {folder.name} is at work.", "Wait until it ends.")
    yield
