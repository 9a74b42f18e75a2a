"""Long work as processes with a run folder: start, follow, cancel, resume, by files alone.

A run folder holds ``config.json`` (kind and options), ``events.jsonl`` (progress and measured
values), ``status.json`` (state, pid), ``log.txt`` (stdout and stderr) and what the work makes.
The dashboard and the command line start the same jobs: ``python -m crowdselect.jobs RUN_DIR``.
"""

from crowdselect.jobs.kinds import KINDS
from crowdselect.jobs.record import RunRecord, note_provenance, read_record
from crowdselect.jobs.start import cancel, create, is_cancelling, start
from crowdselect.jobs.view import (
    ALIVE,
    ENDED,
    JobView,
    State,
    all_runs,
    eta_seconds,
    read,
    seconds_worked,
)
from crowdselect.jobs.wait import check_done, finish, finish_here, watch
from crowdselect.jobs.worker import Job, release_reserve, run_here

__all__ = [
    "ALIVE",
    "ENDED",
    "KINDS",
    "Job",
    "JobView",
    "RunRecord",
    "State",
    "all_runs",
    "cancel",
    "check_done",
    "create",
    "eta_seconds",
    "finish",
    "finish_here",
    "is_cancelling",
    "note_provenance",
    "read",
    "read_record",
    "release_reserve",
    "run_here",
    "seconds_worked",
    "start",
    "watch",
]
