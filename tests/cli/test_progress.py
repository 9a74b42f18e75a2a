"""Progress on stderr: a bar on a terminal, lines in a log, nothing for quick work."""

import io
import re
import sys
import time
from pathlib import Path

import pytest

from crowdselect import jobs
from crowdselect.cli import follow, terminal
from crowdselect.errors import CancelledError, CrowdSelectError
from crowdselect.settings import Workspace
from tests.test_jobs import WORKER


def test_quick_work_shows_nothing(capsys) -> None:
    with terminal.progress() as report:
        report(1, 2, "quick")
        report(2, 2, "quick")
    assert capsys.readouterr() == ("", "")


def test_a_log_gets_lines_with_the_time_left(capsys, monkeypatch) -> None:
    clock = iter(range(0, 10_000, 20))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    with terminal.progress() as report:
        for done in range(1, 5):
            report(done, 10, "reading")
        report(7, None, "counting")
    lines = capsys.readouterr().err.splitlines()
    assert "reading: 4 of 10 (40%), 120 s left" in lines
    assert lines[-1] == "counting: 7"


def test_a_terminal_gets_a_bar(monkeypatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(terminal, "SHOW_AFTER_S", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    with terminal.progress() as report:
        for done in range(30):
            report(done, 30, "embedding texts")
            time.sleep(0.01)
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen.getvalue())
    assert "embedding texts" in shown
    assert re.search(r"\d+/30", shown)


def test_json_is_plain() -> None:
    import numpy as np

    from crowdselect.values import Model, Recipe

    value = {
        "nan": float("nan"),
        "array": np.array([1, 2]),
        "number": np.float64(1.5),
        "model": Model("m"),
        "recipe": Recipe(crowd="c"),
        "path": Path("a") / "b",
        1: (np.bool_(True), np.inf),
    }
    found = terminal.plain(value)
    assert found["nan"] is None
    assert found["array"] == [1, 2]
    assert found["number"] == 1.5
    assert found["model"]["name"] == "m"
    assert found["recipe"]["crowd"] == "c"
    assert found["1"] == [True, None]


def test_tables_never_read_markup(capsys) -> None:
    terminal.print_table(("text", "number"), [("[bold]x[/bold]", 1234.5), ("[/]", None)])
    out = capsys.readouterr().out
    assert "[bold]x[/bold]" in out
    assert "[/]" in out


@pytest.fixture
def counting(workspace: Workspace, monkeypatch) -> Workspace:
    monkeypatch.setitem(jobs.KINDS, "count", "worker:count")
    real = jobs.start

    def start(path: Path) -> int:
        return real(path, command=[sys.executable, "-c", WORKER, str(path)])

    monkeypatch.setattr(jobs, "start", start)
    return workspace


def test_following_a_job_to_its_end(counting, capsys) -> None:
    path = jobs.create(counting, "count", {"n": 5, "pace": 0.05})
    assert follow.run_job(path).state == "done"
    assert capsys.readouterr().out == ""


def test_a_failed_job_gives_its_own_two_lines(counting) -> None:
    path = jobs.create(counting, "count", {"n": 5, "fail_at": 2})
    with pytest.raises(CrowdSelectError, match="Row 3 is empty") as raised:
        follow.run_job(path)
    assert raised.value.remedy == "Fill it."


def test_ctrl_c_cancels_the_job(counting, monkeypatch, capsys) -> None:
    path = jobs.create(counting, "count", {"n": 500, "pace": 0.05})
    real, interrupted = follow._watch, []

    def watch(path: Path) -> jobs.JobView:
        if not interrupted:
            interrupted.append(True)
            raise KeyboardInterrupt
        return real(path)

    monkeypatch.setattr(follow, "_watch", watch)
    with pytest.raises(CancelledError, match="was cancelled") as raised:
        follow.run_job(path)
    assert f"crowdselect run resume {path.name}" in raised.value.remedy
    assert jobs.read(path).state == "cancelled"


def test_detached_jobs_through_the_commands(counting, run) -> None:
    space = ("--workspace", counting.root)
    path = jobs.create(counting, "count", {"n": 400, "pace": 0.05})
    started = run("run", "resume", path.name, "--detach", "--json", *space)
    assert started.json["id"] == path.name
    assert run("run", "list", "--json", *space).json[0]["state"] in ("running", "waiting")
    assert path.name in run("run", "list", *space).out
    assert run("run", "cancel", path.name, "--json", *space).json["state"] == "cancelled"
    assert run("run", "show", path.name, "--json", *space).json["config"]["n"] == 400
    again = run("run", "follow", path.name, *space)
    assert again.code == 130
    assert "was cancelled" in again.err


def test_a_landscape_job_from_the_command_line(run, here) -> None:
    """The real worker: embed and cluster in a process of its own."""
    detached = run("landscape", "tiny", "-e", "lsa", "-k", "4", "--detach", "--json").json
    followed = run("run", "follow", detached["id"], "--json")
    assert followed.json["state"] == "done"
    assert len(run("landscape", "tiny", "-e", "lsa", "-k", "4", "--json").json["clusters"]) == 4
