"""Long work as processes with a run directory: start, follow, cancel, resume, by files alone.

A run directory holds ``config.json`` (kind and options), ``events.jsonl`` (progress and measured
values), ``status.json`` (state, pid), ``log.txt`` (stdout and stderr) and what the work makes.
The dashboard and the command line start the same jobs: ``python -m crowdselect.jobs RUN_DIR``.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import itertools
import os
import signal
import statistics
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import psutil

from crowdselect import files
from crowdselect.errors import CancelledError, CrowdSelectError, InputError, NotFoundError
from crowdselect.registry import content_key, did_you_mean
from crowdselect.settings import Workspace, open_workspace

State = Literal["waiting", "running", "stalled", "done", "cancelled", "failed"]
ENDED: tuple[State, ...] = ("done", "cancelled", "failed")
ALIVE: tuple[State, ...] = ("waiting", "running", "stalled")

KINDS: dict[str, str] = {
    "landscape": "crowdselect.pipeline:run_landscape_job",
    "index": "crowdselect.store.index_job:run",
    "score": "crowdselect.pipeline.scoring:run_score_job",
    "generate": "crowdselect.pipeline.generating:run_generate_job",
    "judge": "crowdselect.pipeline.judging:run_judge_job",
    "finetune": "crowdselect.finetune.job:run",
    "benchmark": "crowdselect.benchmark.job:run",
}
"""Job kind -> ``module:function`` taking a :class:`Job`; a new kind is one line here."""

STALE_AFTER_S = 120.0

_RESERVE = ".reserve"
"""A file that keeps room for the last words of a run whose disk is full."""

_RESERVE_BYTES = 1 << 18


@dataclass(frozen=True)
class JobView:
    """What a follower sees of a run."""

    id: str
    kind: str
    state: State
    label: str
    """The step the job is in, in words."""
    done: int
    total: int | None
    eta_s: float | None
    """Seconds left, from the median pace of the last reports; None: unknown, or not running."""
    started: str
    error: tuple[str, str] | None
    """Problem and remedy of a failed run."""
    path: Path
    config: Mapping[str, Any]


class Job:
    """The worker's side: options in, events out, cancellation checked at every report."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.id = path.name
        record = files.read_json(path / "config.json")
        self.kind: str = record["kind"]
        self.config: dict[str, Any] = record["config"]
        self.workspace: Workspace = open_workspace(record["workspace"])
        self._last_write = 0.0

    def event(self, name: str, **values: Any) -> None:
        """Append one event with the wall time ``t`` (seconds since the epoch)."""
        files.append_line(self.path / "events.jsonl", {"event": name, "t": time.time(), **values})

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
        return (self.path / "CANCEL").exists()

    def check_cancelled(self) -> None:
        """Raise CancelledError if somebody asked the run to stop."""
        if self.cancelled():
            raise CancelledError


def create(
    workspace: Workspace, kind: str, config: Mapping[str, Any], *, run_id: str | None = None
) -> Path:
    """Make the run directory of a new job and return it. The id is kind, time and content hash."""
    if kind not in KINDS:
        raise NotFoundError(f"There is no job kind {kind!r}.", did_you_mean(kind, KINDS))
    now = datetime.now(UTC)
    stamp = now.strftime("%Y%m%d-%H%M%S")
    run_id = run_id or f"{kind}-{stamp}-{content_key([dict(config), now.isoformat()], 6)}"
    path = workspace.run(run_id)
    try:
        path.mkdir(parents=True)
    except FileExistsError:
        raise InputError(
            f"A run called {run_id!r} exists already.", "Choose another name, or resume it."
        ) from None
    files.write_json(
        path / "config.json",
        {
            "kind": kind,
            "config": dict(config),
            "workspace": str(workspace.root),
            "created": now.isoformat(timespec="seconds"),
        },
    )
    _set_status(path, "waiting")
    return path


def start(path: Path, *, command: list[str] | None = None) -> int:
    """Start (or resume) the job in a process of its own that survives ours; return its pid."""
    view = read(path)
    if view.state in ("running", "stalled"):
        raise InputError(f"{view.id} is running already.", "Follow it, or cancel it first.")
    (path / "CANCEL").unlink(missing_ok=True)
    (path / "launch.json").unlink(missing_ok=True)
    _set_status(path, "waiting")
    with (path / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            command or [sys.executable, "-m", "crowdselect.jobs", str(path)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    # The child alone writes status.json from here on; two writers could bury its last word.
    files.write_json(path / "launch.json", {"pid": process.pid, "born": _born(process.pid)})
    return process.pid


def run_here(path: Path) -> State:
    """Run the job in this process; return how it ended. Errors are recorded, not raised."""
    if files.read_json(path / "status.json")["state"] != "waiting":
        # Not fresh from start(): an old request to stop is void. A new one, sent while this
        # process was starting, is not.
        (path / "CANCEL").unlink(missing_ok=True)
    _set_status(path, "running", pid=os.getpid())
    signal.signal(signal.SIGTERM, lambda *_: (path / "CANCEL").touch())
    job = Job(path)
    job.event("begin", pid=os.getpid())
    state: State
    error: tuple[str, str] | None = None
    try:
        (path / _RESERVE).write_bytes(b"\0" * _RESERVE_BYTES)
        module, function = KINDS[job.kind].split(":")
        getattr(importlib.import_module(module), function)(job)
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
    job.event("end", state=state)
    _set_status(path, state, error=error)
    return state


def release_reserve(path: Path) -> None:
    """Give back the disk space that a running job keeps for its last words."""
    (path / _RESERVE).unlink(missing_ok=True)


def _of_the_disk(error: OSError, path: Path) -> tuple[str, str]:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk that holds {path} is full.", "Free some space, then resume the run."
    return f"{error}.", "Free some disk space, then resume the run."


def _log() -> None:
    """Write the traceback into the log, where there is room for it."""
    with contextlib.suppress(OSError):
        traceback.print_exc()


def cancel(path: Path, *, wait_s: float = 0.0) -> None:
    """Ask the job to stop; after ``wait_s`` seconds send SIGTERM to its process group."""
    (path / "CANCEL").touch()
    deadline = time.time() + wait_s
    while wait_s and _process_alive(_read_status(path)) and time.time() < deadline:
        time.sleep(0.1)
    status = _read_status(path)
    if wait_s and _process_alive(status):
        os.killpg(status["pid"], signal.SIGTERM)


def read(path: Path) -> JobView:
    """Read a run's true state from its files and its process."""
    if not (path / "config.json").exists():
        known = [p.parent.name for p in path.parent.glob("*/config.json")]
        raise NotFoundError(f"There is no run {path.name!r}.", did_you_mean(path.name, known))
    record = files.read_json(path / "config.json")
    status = _read_status(path)
    events = files.read_lines(path / "events.jsonl")
    last: dict[str, Any] = next((e for e in reversed(events) if e["event"] == "progress"), {})
    state = _true_state(path, status)
    return JobView(
        id=path.name,
        kind=record["kind"],
        state=state,
        label=last.get("label", ""),
        done=last.get("done", 0),
        total=last.get("total"),
        eta_s=eta_seconds(events) if state == "running" else None,
        started=record["created"],
        error=_error_of(path, status),
        path=path,
        config=record["config"],
    )


def all_runs(workspace: Workspace, kind: str | None = None) -> list[JobView]:
    """Every run of the workspace (of one kind), newest first."""
    paths = [p.parent for p in workspace.runs.glob("*/config.json")]
    views = [read(p) for p in paths]
    return sorted(
        (v for v in views if kind in (None, v.kind)), key=lambda v: (v.started, v.id), reverse=True
    )


def eta_seconds(events: list[dict[str, Any]]) -> float | None:
    """Seconds left: remaining units times the median pace of the last 20 reports of this segment.

    Only reports since the last ``begin`` with the same label count, so neither a pause nor a
    resume distorts the estimate.
    """
    segment: list[dict[str, Any]] = []
    for event in events:
        if event["event"] == "begin":
            segment = []
        elif event["event"] == "progress" and event.get("total"):
            if segment and segment[-1]["label"] != event["label"]:
                segment = []
            segment.append(event)
    recent = segment[-21:]
    paces = [
        (b["t"] - a["t"]) / (b["done"] - a["done"])
        for a, b in itertools.pairwise(recent)
        if b["done"] > a["done"]
    ]
    if not paces:
        return None
    left = float(recent[-1]["total"] - recent[-1]["done"])
    return max(0.0, left * float(statistics.median(paces)))


def _born(pid: int) -> float | None:
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return None


def _set_status(
    path: Path, state: State, *, pid: int | None = None, error: tuple[str, str] | None = None
) -> None:
    born = None if pid is None else _born(pid)
    status = {"state": state, "pid": pid, "born": born, "error": error, "t": time.time()}
    files.write_json(path / "status.json", status)


def _read_status(path: Path) -> dict[str, Any]:
    """The worker's last word; before it speaks, the process that the starter launched."""
    status: dict[str, Any] = files.read_json(path / "status.json")
    if status["state"] == "waiting" and (path / "launch.json").exists():
        return {**status, **files.read_json(path / "launch.json"), "state": "running"}
    return status


def _process_alive(status: Mapping[str, Any]) -> bool:
    pid, born = status.get("pid"), status.get("born")
    if not pid or born is None:
        return False
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - born) < 1.0
        return bool(same and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _true_state(path: Path, status: Mapping[str, Any]) -> State:
    state: State = status["state"]
    if state != "running":
        return state
    if not _process_alive(status):
        return "failed"
    events = path / "events.jsonl"
    beat = max(status["t"], events.stat().st_mtime if events.exists() else 0.0)
    return "stalled" if time.time() - beat > STALE_AFTER_S else "running"


def _error_of(path: Path, status: Mapping[str, Any]) -> tuple[str, str] | None:
    if status.get("error"):
        return (status["error"][0], status["error"][1])
    if status["state"] == "running" and not _process_alive(status):
        return (
            f"The process of {path.name} ended without a word (killed, or out of memory).",
            "Resume it; it goes on from its last checkpoint. If it dies again, lower the batch.",
        )
    return None


if __name__ == "__main__":
    raise SystemExit(0 if run_here(Path(sys.argv[1])) in ("done", "cancelled") else 1)
