"""One of several training processes: ``python -m crowdselect.finetune.worker RUN OWNER_PID``.

Started by ``torchrun`` or ``accelerate launch``; OWNER_PID is the job that waits for it (0: none,
on a second machine).
"""

from __future__ import annotations

import signal
import sys
import traceback
from pathlib import Path

from crowdselect import files
from crowdselect.errors import CancelledError, CrowdSelectError
from crowdselect.finetune.failures import in_words
from crowdselect.finetune.job import PLAN, PREPARED
from crowdselect.finetune.launch import WORKER_ERROR
from crowdselect.finetune.plan import Plan
from crowdselect.finetune.prepare import load_prepared
from crowdselect.jobs import Job, read_record


def main(run: Path, owner: int) -> int:
    """Train as one process of several; return the exit code."""
    from crowdselect.finetune.train import train
    from crowdselect.finetune.trainer import CHECKPOINTS

    plan, prepared = Plan.load(run / PLAN), load_prepared(run / PREPARED)
    sha256 = read_record(run).provenance["data_sha256"]
    # A launcher that is told to end gives its workers some time: enough for a checkpoint.
    signal.signal(signal.SIGTERM, lambda *_: (run / "CANCEL").touch())
    try:
        with in_words(run, run / CHECKPOINTS, plan):
            train(Job(run), plan, prepared, data_sha256=sha256, owner=owner or None)
    except CancelledError:
        return 0
    except CrowdSelectError as error:
        traceback.print_exc()
        files.write_json(run / WORKER_ERROR, {"problem": error.problem, "remedy": error.remedy})
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), int(sys.argv[2])))
