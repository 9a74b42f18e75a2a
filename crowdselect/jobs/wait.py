"""Waiting for jobs: one that is followed, or several that are started a few at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from crowdselect.errors import CancelledError, CrowdSelectError
from crowdselect.jobs.start import cancel
from crowdselect.jobs.start import start as start_job
from crowdselect.jobs.view import ENDED, JobView, read
from crowdselect.jobs.worker import run_here
from crowdselect.progress import Progress, silent

POLL_S = 0.3


def watch(path: Path) -> Iterator[JobView]:
    """Look at a job a few times a second until it ends; the last view is that of its end."""
    while (view := read(path)).state not in ENDED:
        yield view
        time.sleep(POLL_S)
    yield view


def check_done(view: JobView, called: str | None = None) -> JobView:
    """Return the view of a job that is done; ``called`` is its name in messages, else its id.

    Raises the job's own CrowdSelectError when it failed, CancelledError when it was cancelled.
    """
    if view.state == "cancelled":
        raise CancelledError(
            f"{view.id} was cancelled.", f"Resume: crowdselect run resume {view.id}"
        )
    if view.state != "done":
        problem, remedy = view.error or (f"It is {view.state}.", f"See {view.path}/log.txt.")
        raise CrowdSelectError(f"{called or view.id}: {problem}", remedy)
    return view


def finish_here(path: Path, called: str) -> None:
    """Run one job to its end in this process; raises as :func:`check_done`."""
    run_here(path)
    check_done(read(path), called)


def finish(
    paths: Sequence[Path],
    at_once: int,
    label: str,
    progress: Progress = silent,
    start: Callable[[Path], object] = start_job,
) -> None:
    """Start jobs, ``at_once`` at a time, and wait for all of them.

    Raises the error of the first that does not end well. Jobs under way at that moment, or at an
    interruption, are cancelled and keep what they finished.
    """
    waiting, running = list(paths), list[Path]()
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                running.append(waiting.pop(0))
                start(running[-1])
            progress(len(paths) - len(waiting) - len(running), len(paths), label)
            time.sleep(POLL_S)
            for view in [read(path) for path in running]:
                if view.state in ENDED:
                    running.remove(view.path)
                    check_done(view)
    finally:
        for path in running:
            cancel(path)
    progress(len(paths), len(paths), label)
