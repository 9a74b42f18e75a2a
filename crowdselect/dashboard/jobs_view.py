"""Long work as a visitor sees it: start, follow, cancel, resume; the job itself knows no page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from crowdselect import jobs, pipeline
from crowdselect.dashboard import reads, shell
from crowdselect.dashboard.text import md
from crowdselect.dashboard.wording import on_page, told
from crowdselect.deeds import may
from crowdselect.jobs import JobView
from crowdselect.people import acting

WORDS = {
    "waiting": "waiting to start",
    "running": "running",
    "stalled": "no sign of life for two minutes",
    "done": "done",
    "cancelled": "cancelled",
    "failed": "failed",
    "damaged": "damaged",
}


CANCELLING = "cancelling, until its next report"


def latest(kind: str, **config: Any) -> JobView | None:
    """The newest run of ``kind`` whose options include ``config``."""
    for view in jobs.all_runs(reads.workspace(), kind):
        if view.kind == kind and all(view.config.get(k) == v for k, v in config.items()):
            return view
    return None


def damaged_note() -> None:
    """Say which runs cannot be read, and what can be done."""
    for found in pipeline.damaged_runs(reads.workspace()):
        st.warning(md(on_page(str(found))))


def start(kind: str, config: Mapping[str, Any]) -> Path:
    """Create and start a job; return its folder."""
    path = jobs.create(reads.workspace(), kind, config)
    jobs.start(path)
    return path


def duration(seconds: float | None) -> str:
    """``about 3 min left``; empty where unknown."""
    if seconds is None:
        return ""
    if seconds < 90:
        return f"about {max(1, round(seconds))} s left"
    if seconds < 90 * 60:
        return f"about {round(seconds / 60)} min left"
    return f"about {seconds / 3600:.1f} h left"


def state_words(state: jobs.State, path: Path) -> str:
    """A run's state in words, with one that was asked to stop and goes on until its next report."""
    if state in jobs.ALIVE and jobs.is_cancelling(path):
        return CANCELLING
    return WORDS[state]


def cancel_button(identity: str, path: Path) -> None:
    """Ask a running job to stop, once."""
    asked = jobs.is_cancelling(path)
    if not may("cancel", jobs.read_record(path).by):
        st.caption("Who started it, or an admin, may cancel it.")
        return
    st.button(
        "Cancelling" if asked else "Cancel", key=f"cancel {identity}", disabled=asked,
        on_click=jobs.cancel, args=(path,),
        help="It stops at its next report; what is finished is kept." if asked else None,
    )  # fmt: skip


def status_line(view: JobView) -> str:
    """What the job is doing, in words."""
    said = state_words(view.state, view.path)
    parts = [said if said == CANCELLING else view.label or said]
    parts += [f"by {view.author}"] if view.author not in ("", acting().called) else []
    if view.total:
        parts.append(f"{view.done:,} of {view.total:,}")
    if view.state in jobs.ALIVE:
        parts.append(duration(view.eta_s))
    return " \N{MIDDLE DOT} ".join(p for p in parts if p)


def _resume(path: Path) -> None:
    jobs.start(path)


@shell.fragment(run_every=1.0)
def follow(path: Path, title: str, until: Callable[[], bool] = lambda: False) -> None:
    """Progress with ETA and a cancel button, refreshed every second; reruns the page at the end.

    ``until``: what the page waits for before that.
    """
    view = jobs.read(path)
    with st.container(border=True):
        st.text(title)
        share = view.done / view.total if view.total else 0.0
        st.progress(min(share, 1.0), text=md(status_line(view)))
        if view.state == "stalled":
            st.caption("The job has not reported for two minutes. It may be busy, or stuck.")
        if view.state in jobs.ALIVE:
            cancel_button(view.id, path)
    if view.state not in jobs.ALIVE or until():
        st.rerun()


def ended(view: JobView) -> None:
    """Say how a job ended that did not reach its end, and offer to go on."""
    if view.state == "failed" and view.error:
        st.error("\n\n".join(md(said) for said in told(*view.error)))
    elif view.state == "cancelled":
        st.info("Cancelled. What was finished is kept.")
    else:
        return
    if not shell.read_only_note("resuming"):
        st.button("Resume", key=f"resume {view.id}", on_click=_resume, args=(view.path,))
