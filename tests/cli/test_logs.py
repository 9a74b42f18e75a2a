"""Quiet, verbose, and logs as JSON lines."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from crowdselect import logs
from crowdselect.settings import LogForm, log_form
from tests.pipeline import tiny


@pytest.fixture(autouse=True)
def _as_before() -> Any:
    ours, root = logging.getLogger("crowdselect"), logging.root.handlers
    kept = (list(ours.handlers), ours.level, ours.propagate)
    yield
    ours.handlers, ours.propagate = kept[0], kept[2]
    ours.setLevel(kept[1])
    logging.root.handlers = root


def test_quiet_leaves_results_and_errors(run, here: Path, tmp_path: Path) -> None:
    table = str(tiny.write_tidy(tmp_path, tiny.frame(6)))
    loud = run("ingest", "table", table, "--name", "a")
    assert "The crowd is called a" in loud.err
    quiet = run("--quiet", "ingest", "table", table, "--name", "b")
    assert (quiet.code, quiet.err) == (0, "")
    assert quiet.out == loud.out
    again = run("-q", "ingest", "table", table, "--name", "b")
    assert again.code == 2
    assert again.err.startswith("Error: There is a crowd called 'b' already.")
    both = run("-q", "-v", "crowd", "list")
    assert (both.code, "exclude each other" in both.err) == (2, True)
    assert "The crowd is called c" in run("ingest", "table", table, "--name", "c").err


def test_verbose_logs_what_is_done(run, here: Path, tmp_path: Path) -> None:
    table = str(tiny.write_tidy(tmp_path, tiny.frame(6)))
    said = run("--verbose", "ingest", "table", table, "--name", "a")
    assert "INFO crowdselect.deeds" in said.err
    assert "ingest crowd a" in said.err
    assert "CROWDSELECT_LOG" not in os.environ


def test_json_lines(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_API_KEY", "sk-not-for-logs")
    monkeypatch.setenv("CROWDSELECT_LOG", "json:INFO")
    assert log_form() == LogForm(True, "INFO")
    logs.set_up()
    logs.set_up()
    log = logging.getLogger("crowdselect.test")
    log.debug("not asked for")
    try:
        raise ValueError("with sk-not-for-logs\nin it")
    except ValueError:
        log.exception("a line\nand %s", "sk-not-for-logs")
    (line,) = capsys.readouterr().err.splitlines()
    found = json.loads(line)
    assert set(found) == {"time", "level", "logger", "message", "error"}
    assert found["message"] == "a line\nand [secret]"
    assert "ValueError" in found["error"]
    assert "sk-not-for-logs" not in line


def test_a_job_logs_as_its_server_does(workspace: Any) -> None:
    from crowdselect import jobs

    path = jobs.create(workspace, "index", {"crowd": "none"})
    done = subprocess.run(
        [sys.executable, "-m", "crowdselect.jobs", str(path)],
        env={**os.environ, "CROWDSELECT_LOG": "json:INFO"},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    assert [line["level"] for line in lines] == ["INFO", "WARNING"]
    assert path.name in lines[1]["message"]
