"""``python -m crowdselect.jobs RUN_DIR``: run a job in this process."""

import sys
from pathlib import Path

from crowdselect import logs
from crowdselect.errors import CrowdSelectError
from crowdselect.jobs import run_here
from crowdselect.keys import Scrubbed

if __name__ == "__main__":
    sys.stdout = Scrubbed(sys.stdout)
    sys.stderr = Scrubbed(sys.stderr)
    logs.set_up()
    try:
        state = run_here(Path(sys.argv[1]))
    except CrowdSelectError as error:
        raise SystemExit(str(error)) from None
    raise SystemExit(0 if state in ("done", "cancelled") else 1)
