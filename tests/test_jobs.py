"""Jobs: real processes that finish, fail, are cancelled, are killed and are resumed."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from crowdselect import files, jobs
from crowdselect.errors import CancelledError, CrowdSelectError, InputError, NotFoundError
from crowdselect.processes import birth
from crowdselect.settings import Workspace

WORKER = """
import sys, time, types
from pathlib import Path
from crowdselect import jobs
from crowdselect.processes import birth
from crowdselect.errors import InputError

def count(job):
    # Goes on from what is finished, as every job has to.
    done = job.path / "done.txt"
    first = len(done.read_text()) if done.exists() else 0
    for i in range(first, job.config["n"]):
        job.progress(i, job.config["n"], "counting")
        time.sleep(job.config.get("pace", 0.0))
        if job.config.get("fail_at") == i:
            raise InputError("Row 3 is empty.", "Fill it.")
        if job.config.get("bug_at") == i:
            raise ZeroDivisionError("a bug")
        with done.open("a") as handle:
            handle.write("x")
    job.progress(job.config["n"], job.config["n"], "counting")

module = types.ModuleType("worker")
module.count = count
sys.modules["worker"] = module
jobs.KINDS["count"] = "worker:count"
raise SystemExit(0 if jobs.run_here(Path(sys.argv[1])) in ("done", "cancelled") else 1)
"""


@pytest.fixture(autouse=True)
def _kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(jobs.KINDS, "count", "worker:count")


def start(path: Path) -> int:
    code = textwrap.dedent(WORKER)
    return jobs.start(path, command=[sys.executable, "-c", code, str(path)])


def wait(path: Path, *states: str, within_s: float = 60.0) -> jobs.JobView:
    """Wait for one of ``states``, not longer than a generous limit."""
    deadline = time.time() + within_s
    while (view := jobs.read(path)).state not in states:
        assert time.time() < deadline, f"still {view.state}: {(path / 'log.txt').read_text()}"
        time.sleep(0.02)
    return view


def wait_for_work(path: Path) -> None:
    deadline = time.time() + 60
    while not (path / "done.txt").exists():
        assert time.time() < deadline
        time.sleep(0.02)


def test_a_job_runs_to_its_end(workspace: Workspace) -> None:
    path = jobs.create(workspace, "count", {"n": 5})
    assert jobs.read(path).state == "waiting"
    start(path)
    view = wait(path, "done", "failed")
    assert (view.state, view.done, view.total, view.label) == ("done", 5, 5, "counting")
    assert view.config == {"n": 5}
    assert view.error is None
    names = [event["event"] for event in files.read_lines(path / "events.jsonl")]
    assert (names[0], names[-1]) == ("begin", "end")


def test_a_persons_error_arrives_in_both_halves(workspace: Workspace) -> None:
    path = jobs.create(workspace, "count", {"n": 5, "fail_at": 2})
    start(path)
    view = wait(path, "done", "failed")
    assert view.error == ("Row 3 is empty.", "Fill it.")


def test_a_bug_is_named_and_logged(workspace: Workspace) -> None:
    path = jobs.create(workspace, "count", {"n": 5, "bug_at": 2})
    start(path)
    view = wait(path, "done", "failed")
    assert view.error is not None
    assert view.error[0] == "ZeroDivisionError: a bug"
    assert "Traceback" in (path / "log.txt").read_text()


def test_kill_9_is_seen_and_resume_goes_on(workspace: Workspace) -> None:
    path = jobs.create(workspace, "count", {"n": 40, "pace": 0.05})
    pid = start(path)
    wait_for_work(path)
    os.kill(pid, signal.SIGKILL)
    view = wait(path, "failed")
    assert view.error is not None
    assert "without a word" in view.error[0]
    before = len((path / "done.txt").read_text())
    assert 0 < before < 40
    start(path)
    assert wait(path, "done", "failed").state == "done"
    assert len((path / "done.txt").read_text()) == 40


def test_killed_before_its_first_word(workspace: Workspace) -> None:
    """The process dies before it writes status.json; the run is failed, not waiting forever."""
    path = jobs.create(workspace, "count", {"n": 1})
    jobs.start(path, command=[sys.executable, "-c", "import os; os._exit(9)"])
    assert wait(path, "failed").error is not None


def test_cancel_and_resume(workspace: Workspace) -> None:
    path = jobs.create(workspace, "count", {"n": 60, "pace": 0.05})
    start(path)
    wait_for_work(path)
    jobs.cancel(path)
    view = wait(path, "cancelled", "done", "failed")
    assert view.state == "cancelled"
    assert view.error is None
    start(path)
    assert wait(path, "done", "failed").state == "done"
    assert len((path / "done.txt").read_text()) == 60


def test_sigterm_cancels(workspace: Workspace) -> None:
    path = jobs.create(workspace, "count", {"n": 200, "pace": 0.05})
    pid = start(path)
    wait_for_work(path)
    os.killpg(pid, signal.SIGTERM)
    assert wait(path, "cancelled", "done", "failed").state == "cancelled"


def test_a_running_job_is_not_started_twice(workspace: Workspace) -> None:
    path = jobs.create(workspace, "count", {"n": 200, "pace": 0.05})
    start(path)
    with pytest.raises(InputError, match="running already"):
        start(path)
    jobs.cancel(path)
    assert wait(path, "cancelled", "done", "failed").state == "cancelled"


def test_a_cancel_sent_while_the_process_starts_counts(workspace: Workspace) -> None:
    path = jobs.create(workspace, "count", {"n": 200, "pace": 0.05})
    start(path)
    jobs.cancel(path)
    assert wait(path, "cancelled", "done", "failed").state == "cancelled"
    assert jobs.read(path).done == 0


def test_a_job_survives_its_starter(workspace: Workspace) -> None:
    """A process that starts a job may end; the job goes on."""
    path = jobs.create(workspace, "count", {"n": 40, "pace": 0.05})
    starter = (
        "import sys; from pathlib import Path; from crowdselect import jobs;"
        "jobs.KINDS['count'] = 'worker:count';"
        "jobs.start(Path(sys.argv[1]), command=[sys.executable, '-c', sys.argv[2], sys.argv[1]])"
    )
    subprocess.run([sys.executable, "-c", starter, str(path), WORKER], check=True, timeout=60)
    assert wait(path, "done", "failed").state == "done"


def test_silence_is_stalled_not_running(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = jobs.create(workspace, "count", {"n": 200, "pace": 0.3})
    start(path)
    wait_for_work(path)
    monkeypatch.setattr("crowdselect.jobs.view.STALE_AFTER_S", -1.0)
    assert jobs.read(path).state == "stalled"
    monkeypatch.undo()
    jobs.cancel(path)


def test_a_recycled_pid_is_not_our_job(workspace: Workspace) -> None:
    """Status names a living process that was born at another time: that is a stranger."""
    path = jobs.create(workspace, "count", {"n": 1})
    born = birth(os.getpid())
    assert born is not None
    for shift, state in ((0.0, "running"), (-3600.0, "failed")):
        status = {"state": "running", "pid": os.getpid(), "born": born + shift, "error": None}
        files.write_json(path / "status.json", {**status, "t": time.time()})
        assert jobs.read(path).state == state


def test_runs_are_listed_newest_first(workspace: Workspace) -> None:
    first = jobs.create(workspace, "count", {"n": 1}, run_id="a")
    second = jobs.create(workspace, "landscape", {}, run_id="b")
    for path, created in ((first, "2026-01-01T00:00:00"), (second, "2026-01-02T00:00:00")):
        record = files.read_json(path / "config.json")
        files.write_json(path / "config.json", {**record, "created": created})
    assert [view.id for view in jobs.all_runs(workspace)] == ["b", "a"]
    assert [view.id for view in jobs.all_runs(workspace, "count")] == ["a"]


def test_names_that_do_not_exist(workspace: Workspace) -> None:
    with pytest.raises(NotFoundError, match="no job kind 'cuont'") as raised:
        jobs.create(workspace, "cuont", {})
    assert "count" in raised.value.remedy
    jobs.create(workspace, "count", {}, run_id="mine")
    with pytest.raises(NotFoundError) as raised:
        jobs.read(workspace.run("mina"))
    assert "mine" in raised.value.remedy
    with pytest.raises(InputError, match="exists already"):
        jobs.create(workspace, "count", {}, run_id="mine")


def test_progress_raises_once_cancelled(workspace: Workspace) -> None:
    path = jobs.create(workspace, "count", {})
    job = jobs.Job(path)
    job.progress(1, 2, "a")
    jobs.cancel(path)
    with pytest.raises(CancelledError):
        job.progress(2, 2, "a")


def test_progress_is_thinned_but_the_end_is_kept(workspace: Workspace) -> None:
    path = jobs.create(workspace, "count", {})
    job = jobs.Job(path)
    for i in range(1001):
        job.progress(i, 1000)
    events = files.read_lines(path / "events.jsonl")
    assert events[-1]["done"] == 1000
    assert len(events) < 100


def events(*reports: tuple[float, int], total: int = 100, label: str = "a") -> list[dict]:
    return [
        {"event": "progress", "t": t, "done": done, "total": total, "label": label}
        for t, done in reports
    ]


def test_eta_is_the_median_pace() -> None:
    assert jobs.eta_seconds(events((0, 0), (1, 10), (2, 20), (102, 30), (103, 40))) == 6.0
    assert jobs.eta_seconds(events((0, 0))) is None
    assert jobs.eta_seconds([]) is None
    assert jobs.eta_seconds(events((0, 50), (1, 100))) == 0.0


FULL_DISK = """
import json, sys, types
from pathlib import Path
from crowdselect import jobs
from crowdselect.settings import open_workspace

disk = Path(sys.argv[1])
filler = disk / "filler"

def work(job):
    done = job.path / "done"
    done.touch()
    if not filler.exists():
        with filler.open("wb", buffering=0) as out:
            while True:
                out.write(bytes(1 << 12))
    job.event("finished")

module = types.ModuleType("worker")
module.work = work
sys.modules["worker"] = module
jobs.KINDS["count"] = "worker:work"
path = jobs.create(open_workspace(disk / "workspace"), "count", {})
first = jobs.run_here(path)
error = jobs.read(path).error
filler.write_bytes(b"")
second = jobs.run_here(path)
print(json.dumps([first, error, second, sorted(p.name for p in path.glob("[!.]*"))]))
"""


def test_a_full_disk_is_named_in_the_status(tmp_path: Path) -> None:
    """On a real file system of 2 MB: the last word needs room, which the job has kept."""
    if subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True).returncode:
        pytest.skip("this system lets nobody mount a small file system of their own")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = f'mount -t tmpfs -o size=2M none {disk} && exec "$@"'
    out = subprocess.run(
        ["unshare", "-rm", "sh", "-c", mounted, "sh", sys.executable, "-c", FULL_DISK, str(disk)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert out.returncode == 0, out.stderr
    first, error, second, left = json.loads(out.stdout.splitlines()[-1])
    assert (first, second) == ("failed", "done")
    assert error[0].endswith("is full.")
    assert "resume" in error[1]
    assert left == ["config.json", "done", "events.jsonl", "status.json"]


def test_what_has_ended_has_no_time_left(workspace: Workspace) -> None:
    path = jobs.create(workspace, "count", {})
    for report in events((0, 0), (1, 50)):
        files.append_line(path / "events.jsonl", report)
    files.write_json(path / "status.json", {"state": "cancelled", "pid": None, "born": None})
    assert jobs.read(path).eta_s is None


def test_eta_forgets_the_pause_of_a_resume_and_other_steps() -> None:
    before = events((0, 0), (1, 1))
    resumed = [{"event": "begin", "t": 5000.0}, *events((5000, 50), (5001, 60))]
    assert jobs.eta_seconds(before + resumed) == 4.0
    assert jobs.eta_seconds(before + events((2, 0), (3, 50), label="b")) == 1.0


def test_several_jobs_run_a_few_at_a_time_until_all_are_done(workspace: Workspace) -> None:
    paths = [jobs.create(workspace, "count", {"n": 3}) for _ in range(3)]
    seen: list[tuple[int, int | None]] = []

    def progress(done: int, total: int | None, label: str = "") -> None:
        seen.append((done, total))
        assert sum((path / "launch.json").exists() for path in paths) <= done + 2

    jobs.finish(paths, 2, "counting", progress, start)
    assert [jobs.read(path).state for path in paths] == ["done"] * 3
    assert seen[-1] == (3, 3)


def test_one_failure_stops_the_others_and_is_raised(workspace: Workspace) -> None:
    long = jobs.create(workspace, "count", {"n": 1000, "pace": 0.05})
    bad = jobs.create(workspace, "count", {"n": 5, "fail_at": 0})
    never = jobs.create(workspace, "count", {"n": 1})
    with pytest.raises(CrowdSelectError, match=rf"{bad.name}: Row 3 is empty"):
        jobs.finish([long, bad, never], 2, "counting", start=start)
    assert [view.state for view in jobs.watch(long)][-1] == "cancelled"
    assert jobs.read(never).state == "waiting"
    with pytest.raises(CancelledError, match="was cancelled"):
        jobs.check_done(jobs.read(long))
