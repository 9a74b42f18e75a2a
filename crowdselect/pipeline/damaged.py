"""What of a workspace cannot be read: listings pass over it, and this says what can be done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from crowdselect import jobs
from crowdselect.benchmark import read_results
from crowdselect.errors import CrowdSelectError, Damaged
from crowdselect.finetune import read_run
from crowdselect.people import acting
from crowdselect.pipeline.ingest import open_crowd
from crowdselect.pipeline.selection.saving import damaged_selections
from crowdselect.settings import Workspace

_READERS: dict[str, Callable[[Path], object]] = {"benchmark": read_results, "finetune": read_run}
"""Runs that are more than a state: what reads the rest of them."""


def damaged(workspace: Workspace) -> list[Damaged]:
    """Every crowd, saved selection and run that cannot be read, with problem and remedy."""
    return [
        *damaged_crowds(workspace),
        *damaged_selections(workspace),
        *damaged_runs(workspace),
    ]


def damaged_crowds(workspace: Workspace) -> list[Damaged]:
    """Folders of crowds that cannot be opened."""
    found = []
    for folder in sorted(workspace.crowds.glob("[!.]*/")):
        if not acting().may_see(folder.name):
            continue
        try:
            open_crowd(workspace, folder.name).close()
        except CrowdSelectError as error:
            if (folder / "crowd.duckdb").exists():
                problem, remedy = error.problem, error.remedy
            elif folder.is_dir():
                problem = f"The crowd {folder.name!r} has lost its crowd.duckdb."
                remedy = "Ingest it again with --replace; notes and scores are kept."
            else:
                continue  # removed just now
            found.append(Damaged("crowd", folder.name, folder, problem, remedy))
    return found


def damaged_runs(workspace: Workspace) -> list[Damaged]:
    """Folders of runs whose state, options or results cannot be read."""
    found = []
    for view in jobs.all_runs(workspace):
        told = view.error if view.state == "damaged" else None
        reader = _READERS.get(view.kind)
        if reader is not None:
            try:
                reader(view.path)
            except CrowdSelectError as error:
                told = (error.problem, error.remedy)
        if told is not None:
            found.append(Damaged("run", view.id, view.path, *told))
    return found
