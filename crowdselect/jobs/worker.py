"""The worker's side of a run: options in, events out, cancellation, and how it ended."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import logging
import os
import signal
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from crowdselect import files
from crowdselect.errors import FULL, CancelledError, CrowdSelectError, of_the_disk
from crowdselect.jobs.kinds import KINDS
from crowdselect.jobs.record import read_record, workspace_of
from crowdselect.jobs.view import EVENTS, STATUS, State, set_status
from crowdselect.keys import scrub_all
from crowdselect.locks import only_writer
from crowdselect.people import OWNER, acting_as
from crowdselect.settings import Workspace, open_workspace

LOG = logging.getLogger(__name__)
CANCEL = "CANCEL"
"""The file that asks a run to stop."""

WORKER = "worker"
"""What a worker locks while it works."""

_RESERVE = ".reserve"
"""A file that keeps room for the last words of a run whose disk is full."""

_RESERVE_BYTES = 1 << 18


class Job:
    """The worker's side: options in, events out, cancellation checked at every report."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.id = path.name
        record = read_record(path)
        self.kind = record.kind
        self.config: dict[str, Any] = dict(record.config)
        self.workspace: Workspace = open_workspace(workspace_of(path))
        self._last_write = 0.0

    def event(self, name: str, **values: Any) -> None:
        """Append one event with the wall time ``t`` (seconds since the epoch)."""
        line = {"event": name, "t": time.time(), **scrub_all(values)}
        files.append_line(self.path / EVENTS, line, private=True)

    def progress(self, done: int, total: int | None, label: str = "") -> None:
        """A :class:`crowdselect.progress.Progress`; writes at most five events a second.

        Raises CancelledError once somebody asked the run to stop.
        """
        self.check_cancelled()
        now = time.time()
        if now - self._last_write > 0.2 or done == total:
            self._last_write = now
            self.event("progress", done=int(done), total=total, label=label)

    def cancelled(self) -> bool:
        """Tell whether somebody asked the run to stop."""
        return (self.path / CANCEL).exists()

    def check_cancelled(self) -> None:
        """Raise CancelledError if somebody asked the run to stop."""
        if self.cancelled():
            raise CancelledError


def run_here(path: Path) -> State:
    """Run the job in this process; return how it ended. Errors are recorded, not raised.

    Raises InputError if another process works on it already.
    """
    with only_writer(
        path / WORKER,
        busy=f"{path.name} is running already.",
        remedy="Follow it, or cancel it first.",
        wait_s=5.0,  # the last worker may be on its way out
    ):
        return _run(path)


def _run(path: Path) -> State:
    if files.read_json(path / STATUS)["state"] != "waiting":
        # Not fresh from start(): an old request to stop is void. A new one, sent while this
        # process was starting, is not.
        (path / CANCEL).unlink(missing_ok=True)
    set_status(path, "running", pid=os.getpid())
    if threading.current_thread() is threading.main_thread():  # an actor of Ray's works in another
        signal.signal(signal.SIGTERM, lambda *_: (path / CANCEL).touch(files.PRIVATE_FILE))
    job = Job(path)
    job.event("begin", pid=os.getpid())
    LOG.info("run %s begins (%s)", job.id, job.kind)
    state: State
    error: tuple[str, str] | None = None
    try:
        (path / _RESERVE).touch(files.PRIVATE_FILE)
        (path / _RESERVE).write_bytes(b"\0" * _RESERVE_BYTES)
        module, function = KINDS[job.kind].split(":")
        work = getattr(importlib.import_module(module), function)
        with acting_as(dataclasses.replace(OWNER, name=f"run {job.id}")):
            work(job)
        state = "done"
    except (CancelledError, KeyboardInterrupt):
        state = "cancelled"
    except CrowdSelectError as problem:
        state, error = "failed", (problem.problem, problem.remedy)
    except MemoryError:
        state = "failed"
        error = ("The machine ran out of memory.", "Lower the batch size or the length, or resume.")
    except OSError as problem:
        state, error = "failed", _of_the_disk(problem, path)
        _log()
    except Exception as problem:  # noqa: BLE001 - a job's last line of defence; logged in full
        state, error = "failed", (f"{type(problem).__name__}: {problem}", f"See {path}/log.txt.")
        _log()
    release_reserve(path)
    files.make_private(path)
    job.event("end", state=state)
    LOG.log(logging.WARNING if state == "failed" else logging.INFO, "run %s: %s", job.id,
            error[0] if error else state)  # fmt: skip
    set_status(path, state, error=error)
    return state


def release_reserve(path: Path) -> None:
    """Give back the disk space that a running job keeps for its last words."""
    (path / _RESERVE).unlink(missing_ok=True)


def _of_the_disk(error: OSError, path: Path) -> tuple[str, str]:
    told = of_the_disk(error)
    if told is None:
        return f"{type(error).__name__}: {error}.", f"See {path}/log.txt, then resume the run."
    if error.errno in FULL:
        return f"The disk that holds {path} is full.", "Free some space, then resume the run."
    return told.problem, told.remedy


def _log() -> None:
    """Write the traceback into the log, where there is room for it."""
    with contextlib.suppress(OSError):
        traceback.print_exc()
