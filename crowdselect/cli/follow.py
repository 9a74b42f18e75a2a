"""Follow a job to its end: a bar with the time left; Ctrl-C cancels it, --detach lets it be."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar

from crowdselect import jobs
from crowdselect.cli.terminal import print_json, say, visible
from crowdselect.errors import CrowdSelectError

LINE_EVERY_S = 10.0


def run_job(path: Path, *, detach: bool = False, as_json: bool = False) -> jobs.JobView:
    """Start the job in ``path`` (made by ``jobs.create``) and follow it, unless ``detach``.

    Raises the job's own CrowdSelectError when it failed, CancelledError when it was cancelled.
    """
    jobs.start(path)
    if not detach:
        return follow_job(path)
    say(f"Started {path.name}; follow it with: crowdselect run follow {path.name}")
    view = jobs.read(path)
    if as_json:
        print_json(describe(view))
    return view


def follow_job(path: Path) -> jobs.JobView:
    """Show the job's progress until it ends; Ctrl-C asks it to stop and waits for that.

    Raises the job's own CrowdSelectError when it failed, CancelledError when it was cancelled.
    """
    view = jobs.read(path)
    if view.state == "waiting":
        raise CrowdSelectError(
            f"{view.id} has not been started.", f"Start it: crowdselect run resume {view.id}"
        )
    try:
        _watch(path)
    except KeyboardInterrupt:
        say(f"Stopping {path.name}; what is finished is kept.")
        jobs.cancel(path)
        _watch(path)
    return jobs.check_done(jobs.read(path))


def _watch(path: Path) -> None:
    console = Console(stderr=True)
    last_line = time.monotonic()
    with Bar(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[left]}", markup=False),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task(path.name, total=None, left="")
        for view in jobs.watch(path):
            text = visible(view.label) or ("starting" if view.state == "running" else view.state)
            bar.update(
                task, description=text, completed=view.done, total=view.total, left=time_left(view)
            )
            if not console.is_terminal and time.monotonic() - last_line > LINE_EVERY_S:
                last_line = time.monotonic()
                count = f"{view.done:,}/{view.total:,}" if view.total else ""
                say(" ".join(filter(None, (text, count, time_left(view)))))


def time_left(view: jobs.JobView) -> str:
    """The time left in words; empty: unknown."""
    if view.eta_s is None:
        return "stalled" if view.state == "stalled" else ""
    minutes, seconds = divmod(round(view.eta_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02} left" if hours else f"{minutes}:{seconds:02} left"


def describe(view: jobs.JobView) -> dict[str, Any]:
    """A run for ``--json``."""
    return {
        "id": view.id,
        "kind": view.kind,
        "state": view.state,
        "label": view.label,
        "done": view.done,
        "total": view.total,
        "eta_s": view.eta_s,
        "started": view.started,
        "error": view.error,
        "path": view.path,
        "config": view.config,
    }
