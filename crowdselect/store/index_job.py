"""Building a crowd's word index as a job: ``config`` is ``{"crowd": name}``."""

from __future__ import annotations

from crowdselect.jobs import Job
from crowdselect.store.opening import open_crowd


def run(job: Job) -> None:
    """Build the index in the crowd's cache; nothing is left of one that was stopped."""
    with open_crowd(job.workspace, job.config["crowd"]) as crowd:
        folder = crowd.build_index(job.progress)
    job.event("index", path=str(folder.relative_to(job.workspace.root)))
