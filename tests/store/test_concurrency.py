"""Ten processes read while another replaces the crowd: each sees one crowd or the other, whole."""

import multiprocessing
import time
from pathlib import Path
from typing import Any

from crowdselect.settings import Workspace
from crowdselect.store import open_crowd
from tests.crowds import ingest, tidy_rows, write_csv

READERS = 10
ROUNDS = 4


def _read(root: Path, ready: Any, stop: Any, results: Any) -> None:
    """Open the crowd again and again; the answers, rewards and size must belong together."""
    seen: set[int] = set()
    problem, told = "", False
    try:
        while True:
            last = stop.is_set()
            with open_crowd(Workspace(root), "small") as crowd:
                version = crowd.n - 4
                seen.add(version)
                rewards, answers = crowd.rewards().values, crowd.answers(1)
                if rewards.shape != (crowd.n, 3) or set(rewards.ravel()) != {float(version)}:
                    problem = f"version {version}: rewards {rewards.shape} {set(rewards.ravel())}"
                if set(answers["response"]) != {f"version {version}"}:
                    problem = f"version {version}: {set(answers['response'])}"
            if not told:
                ready.release()
                told = True
            if last or problem:
                break
            time.sleep(0.1)  # ten readers without a pause would starve the writer on two cores
    except BaseException as error:
        problem = f"{type(error).__name__}: {error}"
    results.put((problem, seen))


def _ingest(root: Path, folder: Path, version: int) -> None:
    rows = [
        {**r, "response": f"version {version}", "reward": float(version)}
        for r in tidy_rows(4 + version)
    ]
    ingest(Workspace(root), [write_csv(folder / f"{version}.csv", rows)], replace=True)


def test_ten_readers_and_a_writer(workspace: Workspace, tmp_path: Path):
    _ingest(workspace.root, tmp_path, 0)
    context = multiprocessing.get_context("spawn")
    ready, stop, results = context.Semaphore(0), context.Event(), context.Queue()
    readers = [
        context.Process(target=_read, args=(workspace.root, ready, stop, results), daemon=True)
        for _ in range(READERS)
    ]
    for reader in readers:
        reader.start()
    for _ in readers:  # each has read the first crowd before it is replaced
        assert ready.acquire(timeout=120)
    for version in range(1, ROUNDS + 1):
        _ingest(workspace.root, tmp_path, version)
    stop.set()
    found = [results.get(timeout=120) for _ in readers]
    for reader in readers:
        reader.join(timeout=60)
    assert [problem for problem, _ in found if problem] == []
    assert all(ROUNDS in seen for _, seen in found)
    assert len(set().union(*(seen for _, seen in found))) > 1
