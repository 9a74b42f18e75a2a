"""Make, start and cancel runs."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crowdselect import files
from crowdselect.deeds import deed
from crowdselect.errors import InputError, NotFoundError
from crowdselect.jobs.kinds import KINDS
from crowdselect.jobs.limits import check_limits
from crowdselect.jobs.record import RunRecord, check_seen, read_record, workspace_of, write_record
from crowdselect.jobs.view import LAUNCH, read, read_status, set_status
from crowdselect.jobs.worker import CANCEL
from crowdselect.locks import only_writer
from crowdselect.people import acting
from crowdselect.processes import birth, is_alive
from crowdselect.readonly import refuse_writing
from crowdselect.registry import content_key, did_you_mean
from crowdselect.settings import Workspace, unlimited

LOG = "log.txt"


def create(
    workspace: Workspace,
    kind: str,
    config: Mapping[str, Any],
    *,
    run_id: str | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> Path:
    """Make the run folder of a new job and return it; it is there whole or not at all.

    The id is kind, time and content hash; only its owner can read the folder. Raises InputError
    for an id that is taken.
    """
    if kind not in KINDS:
        raise NotFoundError(f"There is no job kind {kind!r}.", did_you_mean(kind, KINDS))
    refuse_writing(workspace.runs)
    check_seen(workspace.runs, config)
    check_limits(workspace)
    person = acting()
    now = datetime.now(UTC)
    stamp = now.strftime("%Y%m%d-%H%M%S")
    run_id = run_id or f"{kind}-{stamp}-{content_key([dict(config), now.isoformat()], 6)}"
    path = workspace.run(run_id)
    aside = files.temporary_beside(path)
    aside.mkdir(parents=True, mode=files.PRIVATE_FOLDER)
    try:
        made = now.isoformat(timespec="seconds")
        record = RunRecord(kind, config, made, provenance or {}, person.identity, person.called)
        write_record(aside, path, record)
        set_status(aside, "waiting", pid=os.getpid())
        aside.rename(path)  # fails where there is a run of that name: it is never empty
    except OSError as error:
        if not path.exists():
            raise
        raise InputError(
            f"A run called {run_id!r} exists already.", "Choose another name, or resume it."
        ) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return path


def start(path: Path, *, command: list[str] | None = None) -> int:
    """Start (or resume) the job in a process of its own that survives ours; return its pid.

    Raises InputError if it is running already, also where two processes start it at once.
    """
    remedy = "Follow it, or cancel it first."
    workspace = Workspace(workspace_of(path))
    with (
        deed(workspace, "start", f"run {path.name}"),
        only_writer(path / "start", busy=f"{path.name} is being started.", remedy=remedy),
    ):
        view = read(path)
        if view.state in ("running", "stalled"):
            raise InputError(f"{view.id} is running already.", remedy)
        check_limits(workspace, path)
        return _launch(path, command or [sys.executable, "-m", "crowdselect.jobs", str(path)])


def _launch(path: Path, command: list[str]) -> int:
    (path / CANCEL).unlink(missing_ok=True)
    (path / LAUNCH).unlink(missing_ok=True)
    set_status(path, "waiting")
    (path / LOG).touch(files.PRIVATE_FILE)
    with (path / LOG).open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=unlimited(),
        )
    # The child alone writes the status from here on; two writers could bury its last word.
    files.write_json(path / LAUNCH, {"pid": process.pid, "born": birth(process.pid)}, private=True)
    return process.pid


def is_cancelling(path: Path) -> bool:
    """Tell whether somebody asked the run to stop; it does at its next report."""
    return (path / CANCEL).exists()


def cancel(path: Path, *, wait_s: float = 0.0) -> None:
    """Ask the job to stop; after ``wait_s`` seconds send SIGTERM to its process group.

    Raises NotAllowedError where it is somebody else's and whoever acts is no admin.
    """
    refuse_writing(path)
    workspace = Workspace(workspace_of(path))
    with deed(workspace, "cancel", f"run {path.name}", of=read_record(path).by):
        (path / CANCEL).touch(files.PRIVATE_FILE)
    deadline = time.monotonic() + wait_s
    while wait_s and is_alive(read_status(path)) and time.monotonic() < deadline:
        time.sleep(0.1)
    status = read_status(path)
    if wait_s and is_alive(status):
        os.killpg(status["pid"], signal.SIGTERM)
