"""What a follower sees of a run: its true state, from its files and its process."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from crowdselect import files
from crowdselect.errors import InputError, NotFoundError
from crowdselect.jobs.record import damaged, read_record
from crowdselect.keys import scrub_all
from crowdselect.people import OWNER, acting, acting_as
from crowdselect.processes import birth, is_alive
from crowdselect.settings import Workspace

State = Literal["waiting", "running", "stalled", "done", "cancelled", "failed", "damaged"]
ENDED: tuple[State, ...] = ("done", "cancelled", "failed", "damaged")
ALIVE: tuple[State, ...] = ("waiting", "running", "stalled")

STALE_AFTER_S = 120.0
EVENTS = "events.jsonl"
STATUS = "status.json"
_LAST_WORDS = 2048
"""Bytes of the log that surely hold its last report."""
LAUNCH = "launch.json"


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
    by: str = ""
    """The identity of who asked for it at a shared server; empty: whoever ran the command."""
    author: str = ""
    """Who that is, as people know them; empty: not known."""


def read(path: Path) -> JobView:
    """Read a run's true state from its files and its process.

    Only the end of its log is read, however long it is. Raises NotFoundError if there is no such
    run, InputError if its files are damaged.
    """
    record = read_record(path)
    try:
        status = read_status(path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise damaged(path, error) from error
    events = files.read_last_lines(path / EVENTS, _LAST_WORDS)
    last: dict[str, Any] = next((e for e in reversed(events) if e["event"] == "progress"), {})
    state = _true_state(path, status)
    return JobView(
        id=path.name,
        kind=record.kind,
        state=state,
        label=last.get("label", ""),
        done=last.get("done", 0),
        total=last.get("total"),
        eta_s=eta_seconds(files.read_last_lines(path / EVENTS)) if state == "running" else None,
        started=record.created,
        error=_error_of(path, status, state),
        path=path,
        config=record.config,
        by=record.by,
        author=record.author,
    )


def all_runs(workspace: Workspace, kind: str | None = None) -> list[JobView]:
    """Every run of the workspace (of one kind), newest first; damaged ones (of any kind) last.

    Of somebody who may not see every crowd: those about crowds they see.

    A folder that cannot be read hides no other: it has the state ``damaged`` and says in its
    ``error`` what is wrong and what can be done.
    """
    found = (_read_or_damaged(path) for path in workspace.runs.glob("[!.]*/"))
    views = [view for view in found if view is not None]
    wanted = [view for view in views if kind in (None, view.kind) or view.state == "damaged"]
    return sorted(wanted, key=lambda view: (view.started, view.id), reverse=True)


def every_run(workspace: Workspace) -> list[JobView]:
    """Every run, whoever asks: for limits and locks, never to be shown."""
    with acting_as(OWNER):
        return all_runs(workspace)


def _read_or_damaged(path: Path) -> JobView | None:
    try:
        return read(path)
    except NotFoundError:
        return None  # removed just now, or not theirs to see
    except InputError as error:
        if acting().restricted:
            return None  # nobody knows what it is about
        told = (error.problem, error.remedy)
        return JobView(path.name, "", "damaged", "", 0, None, None, "", told, path, {})


def seconds_worked(path: Path) -> float:
    """Wall time that a run's processes worked, in seconds; pauses before a resume are none."""
    total, begun, last = 0.0, None, 0.0
    for event in files.read_lines(path / EVENTS):
        if event["event"] == "begin":
            total += 0.0 if begun is None else last - begun
            begun = float(event["t"])
        last = float(event["t"])
    return total + (0.0 if begun is None else last - begun)


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


def set_status(
    path: Path, state: State, *, pid: int | None = None, error: tuple[str, str] | None = None
) -> None:
    """Write the run's last word; ``pid`` is the process that works on it, or that made it."""
    born = None if pid is None else birth(pid)
    told = scrub_all(error)
    status = {"state": state, "pid": pid, "born": born, "error": told, "t": time.time()}
    files.write_json(path / STATUS, status, private=True)


def read_status(path: Path) -> dict[str, Any]:
    """The worker's last word; before it speaks, the process that the starter launched."""
    status: dict[str, Any] = files.read_json(path / STATUS)
    if status["state"] == "waiting" and (path / LAUNCH).exists():
        return {**status, **files.read_json(path / LAUNCH), "state": "running"}
    return status


def _true_state(path: Path, status: Mapping[str, Any]) -> State:
    state: State = status["state"]
    if state == "waiting":
        # Made, and its maker died before it started it: nobody will.
        return "waiting" if status.get("pid") is None or is_alive(status) else "failed"
    if state != "running":
        return state
    if not is_alive(status):
        return "failed"
    events = path / EVENTS
    beat = max(status["t"], events.stat().st_mtime if events.exists() else 0.0)
    return "stalled" if time.time() - beat > STALE_AFTER_S else "running"


def _error_of(path: Path, status: Mapping[str, Any], state: State) -> tuple[str, str] | None:
    if status.get("error"):
        return (status["error"][0], status["error"][1])
    if state != "failed":
        return None
    if status["state"] == "waiting":
        return (f"{path.name} was made, and never started.", "Resume it; it starts then.")
    return (
        f"The process of {path.name} ended without a word (killed, or out of memory).",
        "Resume it; it goes on from its last checkpoint. If it dies again, lower the batch.",
    )
