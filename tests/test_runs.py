"""Run folders: born whole, started once, moved with their workspace, listed whatever happens."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from crowdselect import files, jobs
from crowdselect.errors import InputError
from crowdselect.files import remove_leftovers
from crowdselect.settings import Workspace
from tests.test_jobs import WORKER, start, wait, wait_for_work


@pytest.fixture(autouse=True)
def _kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(jobs.KINDS, "count", "worker:count")


def test_a_run_is_there_whole_or_not_at_all(workspace: Workspace) -> None:
    """Killed at any moment of its making, a run leaves nothing that a listing could stumble on."""
    code = (
        "import os, sys; from crowdselect import files, jobs; from crowdselect.settings import "
        "open_workspace; jobs.KINDS['count'] = 'worker:count'; real = files.write_json; left = "
        "[int(sys.argv[2])]\n"
        "def dying(path, value, **how):\n"
        "    if left[0] == 0: os._exit(9)\n"
        "    left[0] -= 1; real(path, value)\n"
        "files.write_json = dying; jobs.create(open_workspace(sys.argv[1]), 'count', {})"
    )
    for writes, runs in ((0, 0), (1, 0), (2, 1)):
        subprocess.run([sys.executable, "-c", code, workspace.root, str(writes)], check=False)
        assert len(jobs.all_runs(workspace)) == runs
    remove_leftovers(workspace.runs)
    assert len([p for p in workspace.runs.iterdir() if p.is_dir()]) == 1


def test_a_run_whose_maker_died_is_not_waited_for(workspace: Workspace) -> None:
    code = (
        "import sys; from crowdselect import jobs; from crowdselect.settings import open_workspace;"
        "jobs.KINDS['count'] = 'worker:count';"
        "print(jobs.create(open_workspace(sys.argv[1]), 'count', {'n': 2}))"
    )
    out = subprocess.run(
        [sys.executable, "-c", code, workspace.root], check=True, capture_output=True, text=True
    )
    path = Path(out.stdout.strip())
    view = jobs.read(path)
    assert view.state == "failed"
    assert view.error is not None
    assert "never started" in view.error[0]
    start(path)
    assert wait(path, "done", "failed").state == "done"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("config.json", None),
        ("config.json", "{"),
        ("config.json", "[1]"),
        ("config.json", "{}"),
        ("status.json", None),
        ("status.json", "null"),
        ("status.json", "{}"),
    ],
)
def test_a_damaged_run_hides_no_other(workspace: Workspace, name: str, text: str | None) -> None:
    jobs.create(workspace, "count", {}, run_id="good")
    bad = jobs.create(workspace, "count", {}, run_id="bad")
    (bad / name).unlink()
    if text is not None:
        (bad / name).write_text(text)
    views = {view.id: view for view in jobs.all_runs(workspace, "count")}
    assert views["good"].state == "waiting"
    assert views["bad"].state == "damaged"
    assert views["bad"].error is not None
    assert "damaged" in views["bad"].error[0]
    assert str(bad) in views["bad"].error[1]
    with pytest.raises(InputError, match="damaged"):
        jobs.read(bad)


def test_listing_while_others_make_runs_never_fails(workspace: Workspace) -> None:
    code = (
        "import sys; from crowdselect import jobs; from crowdselect.settings import open_workspace;"
        "jobs.KINDS['count'] = 'worker:count'; w = open_workspace(sys.argv[1]);"
        "[jobs.create(w, 'count', {'i': i}) for i in range(200)]"
    )
    makers = [subprocess.Popen([sys.executable, "-c", code, workspace.root]) for _ in range(2)]
    seen = 0
    while any(maker.poll() is None for maker in makers):
        views = jobs.all_runs(workspace)
        assert all(view.state != "damaged" for view in views)
        seen = max(seen, len(views))
    assert len(jobs.all_runs(workspace)) == 400
    assert seen > 1


def test_two_starts_at_once_give_one_worker(workspace: Workspace) -> None:
    path = jobs.create(workspace, "count", {"n": 40, "pace": 0.05})
    starter = (
        "import sys; from pathlib import Path; from crowdselect import jobs;"
        "from crowdselect.errors import InputError\n"
        "jobs.KINDS['count'] = 'worker:count'\n"
        "try: jobs.start(Path(sys.argv[1]), command=[sys.executable, '-c', sys.argv[2], "
        "sys.argv[1]])\n"
        "except InputError as error: raise SystemExit(str(error))"
    )
    starters = [
        subprocess.Popen(
            [sys.executable, "-c", starter, str(path), WORKER], stderr=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    told = [starter.communicate(timeout=60)[1] for starter in starters]
    assert sorted(bool(text) for text in told) == [False, True, True, True]
    assert all("running already" in text for text in told if text)
    assert wait(path, "done", "failed").state == "done"
    names = [event["event"] for event in files.read_lines(path / "events.jsonl")]
    assert names.count("begin") == 1
    assert (path / "done.txt").read_text() == "x" * 40


def test_a_second_worker_leaves_a_running_one_alone(workspace: Workspace) -> None:
    path = jobs.create(workspace, "count", {"n": 200, "pace": 0.05})
    start(path)
    wait_for_work(path)
    second = subprocess.run(
        [sys.executable, "-m", "crowdselect.jobs", str(path)],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert second.returncode == 1
    assert "running already" in second.stderr
    assert "Traceback" not in second.stderr
    assert jobs.read(path).state == "running"
    jobs.cancel(path)
    assert wait(path, "cancelled", "done", "failed").state == "cancelled"


def test_a_clock_that_is_set_kills_no_job(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = jobs.create(workspace, "count", {"n": 200, "pace": 0.05})
    start(path)
    wait_for_work(path)
    now = time.time
    for step in (-3.0, 3.0):
        monkeypatch.setattr(time, "time", lambda step=step: now() + step)
        real = psutil.boot_time()
        monkeypatch.setattr(psutil, "boot_time", lambda real=real, step=step: real + step)
        monkeypatch.setattr("psutil._pslinux.boot_time", lambda real=real, step=step: real + step)
        assert jobs.read(path).state == "running"
        monkeypatch.undo()
    jobs.cancel(path)


def test_the_runs_of_a_copied_workspace_stay_in_the_copy(
    workspace: Workspace, tmp_path: Path
) -> None:
    config = {
        "n": 3,
        "model": str(workspace.root / "runs" / "other" / "adapter"),
        "files": [str(workspace.root), "/elsewhere/data.jsonl", f"{workspace.root}-2/x"],
    }
    path = jobs.create(workspace, "count", config, run_id="mine", provenance={"data": "abc"})
    copy = tmp_path / "copy"
    shutil.copytree(workspace.root, copy)
    there = copy / "runs" / "mine"
    start(there)
    assert wait(there, "done", "failed").state == "done"
    assert not (path / "events.jsonl").exists()
    assert jobs.Job(there).workspace.root == copy
    assert jobs.read(there).config == {
        "n": 3,
        "model": str(copy / "runs" / "other" / "adapter"),
        "files": [str(copy), "/elsewhere/data.jsonl", f"{workspace.root}-2/x"],
    }
    assert jobs.read_record(there).provenance == {"data": "abc"}
    assert jobs.read(path).config == config


def test_a_run_is_its_owners_alone(workspace: Workspace) -> None:
    path = jobs.create(workspace, "count", {})
    assert path.stat().st_mode & 0o077 == 0


def test_a_listing_reads_no_log(workspace: Workspace) -> None:
    """The last words of a long log are enough, and found without reading it."""
    path = jobs.create(workspace, "count", {})
    line = json.dumps({"event": "progress", "t": 1.0, "done": 1, "total": 9, "label": "a"})
    last = json.dumps({"event": "progress", "t": 2.0, "done": 7, "total": 9, "label": "b"})
    (path / "events.jsonl").write_text("\n".join([line] * 200_000 + [last, ""]))
    read = []
    real = Path.open

    class Counting:
        def __init__(self, handle: object) -> None:
            self.handle = handle

        def __enter__(self) -> "Counting":
            return self

        def __exit__(self, *_: object) -> None:
            self.handle.close()

        def seek(self, *where: int) -> int:
            return self.handle.seek(*where)

        def read(self, *size: int) -> bytes:
            data = self.handle.read(*size)
            read.append(len(data))
            return data

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            Path, "open",
            lambda self, *a, **k: Counting(real(self, *a, **k))
            if self.name == "events.jsonl" else real(self, *a, **k),
        )  # fmt: skip
        view = jobs.read(path)
    assert (view.done, view.label) == (7, "b")
    assert sum(read) < 100_000
