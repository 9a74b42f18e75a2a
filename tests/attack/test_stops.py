"""Ctrl-C at any moment of an ingest: one line, exit code 130, and nothing left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb

from crowdselect.errors import CancelledError
from crowdselect.settings import Workspace
from crowdselect.store.connect import readable, was_interrupted
from tests.crowds import left_behind

ENTRY = """
import sys
from crowdselect.__main__ import main
print("begun", flush=True)
sys.exit(main())
"""

MOMENTS = (0.0, 0.8, 2.0, 3.5, 5.0, 6.5)
"""Seconds after Python has begun: while it loads, opens the file, reads, converts, writes."""


def test_ctrl_c_in_an_ingest(tmp_path: Path) -> None:
    table = tmp_path / "wide.csv"
    head = "id,instruction," + ",".join(f"m{j}" for j in range(12))
    lines = (f"q{i},question {i} about {i % 97},{','.join(['0.125'] * 12)}" for i in range(60_000))
    table.write_text("\n".join([head, *lines]) + "\n")
    running = []
    for k in range(len(MOMENTS)):
        root = tmp_path / f"w{k}"
        command = [sys.executable, "-c", ENTRY, "ingest", "table", str(table), "--name", "c"]
        environment = {**os.environ, "CROWDSELECT_WORKSPACE": str(root)}
        running.append(
            subprocess.Popen(
                command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
        )
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
    begun = time.monotonic()
    for moment, process in zip(MOMENTS, running, strict=True):
        time.sleep(max(0.0, begun + moment - time.monotonic()))
        process.send_signal(signal.SIGINT)
    stopped = 0
    for k, process in enumerate(running):
        _, told = process.communicate(timeout=120)
        workspace = Workspace(tmp_path / f"w{k}")
        assert "Traceback" not in told, told
        # Done before: the signal came too late, or found Python on its way out.
        if process.returncode in (0, -signal.SIGINT):
            assert "The crowd is called c" in told
            assert left_behind(workspace) == [workspace.crowd("c")]
            continue
        assert process.returncode == 130, (process.returncode, told)
        stopped += 1
        assert left_behind(workspace) == []
        assert told.startswith("Error: ")
        assert len(told.splitlines()) == 2
    assert stopped


def test_ctrl_c_is_heard_where_tidying_up_fails_of_it() -> None:
    """DuckDB's complaint about a half-read result came in its place."""
    try:
        try:
            raise KeyboardInterrupt
        finally:
            raise duckdb.InvalidInputException("Finish reading the result first")
    except duckdb.Error as error:
        hidden = error
    assert was_interrupted(hidden)
    assert isinstance(readable(hidden, "a.csv"), CancelledError)
    assert not was_interrupted(duckdb.InvalidInputException("Finish reading the result first"))
