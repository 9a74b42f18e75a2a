"""What the visitors of a shared server may start at once."""

from __future__ import annotations

import shutil
from pathlib import Path

from crowdselect.errors import InputError
from crowdselect.jobs.view import ALIVE, every_run
from crowdselect.people import acting
from crowdselect.settings import Workspace, limits


def check_limits(workspace: Workspace, run: Path | None = None) -> None:
    """Raise InputError where a further job (``run``, if it is made already) is one too many."""
    most = limits()
    if most.free_gb and workspace.root.is_dir():
        free = shutil.disk_usage(workspace.root).free / 1e9
        if free < most.free_gb:
            raise InputError(
                f"The disk has {free:.1f} GB left; this server starts nothing below "
                f"{most.free_gb:g} GB.",
                "Ask whoever runs it to make room.",
            )
    if not (most.jobs or most.jobs_each):
        return
    alive = [view for view in every_run(workspace) if view.state in ALIVE and view.path != run]
    own = [view for view in alive if view.by == acting().identity]
    for known, bound, whose in ((own, most.jobs_each, "of yours "), (alive, most.jobs, "")):
        if bound and len(known) >= bound:
            raise InputError(
                f"{len(known):,} jobs {whose}are running; this server runs {bound:,} at once.",
                "Wait until one ends, or cancel one.",
            )
