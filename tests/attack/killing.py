"""Kill -9 at seeded moments of every writer; what was told as saved is there, and whole.

``python -m tests.attack.killing ROOT KILLS SEED`` prints a line per kind of writer. The writers are
forks of this process, which has loaded everything and opened nothing. A write that was finished but
not told when its process died is done again by the next writer.
"""

from __future__ import annotations

import os
import random
import signal
import struct
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from crowdselect import jobs, pipeline
from crowdselect.files import sha256_file
from crowdselect.settings import Workspace, open_workspace
from crowdselect.store import ScoreInfo
from crowdselect.values import Recipe
from tests.pipeline import tiny

Told = Callable[[int], None]
"""A writer says which of its writes is done."""

RECIPE = Recipe(crowd="tiny", strategy="random", clusters=0, budget=4)


def write_notes(workspace: Workspace, begin: int, told: Told) -> None:
    notes = pipeline.open_crowd(workspace, "tiny").notes
    for i in range(begin, begin + 10_000):
        notes.append("comment", "u01", str(i))
        told(i)


def check_notes(workspace: Workspace, told: int) -> None:
    notes = pipeline.open_crowd(workspace, "tiny").notes
    kept = [int(c) for c in notes.state().comments.get("u01", ())]
    assert set(range(told + 1)) <= set(kept), f"told {told}, kept {len(kept)}"


def write_scores(workspace: Workspace, begin: int, told: Told) -> None:
    crowd = pipeline.open_crowd(workspace, "tiny")
    for i in range(begin, begin + 10_000):
        frame = pd.DataFrame({"id": crowd.ids, "mine": float(i), "mine__reason": f"round {i}"})
        crowd.write_scores("mine", frame, ScoreInfo(name="mine", source=str(i)))
        told(i)


def check_scores(workspace: Workspace, told: int) -> None:
    crowd = pipeline.open_crowd(workspace, "tiny")
    if "mine" not in crowd.score_columns():
        assert told < 0
        return
    values = set(crowd.read_scores("mine").columns["mine"].tolist())
    assert len(values) == 1
    (value,) = values
    assert value >= told
    assert crowd.score_columns()["mine"].source == str(int(value))


def write_models(workspace: Workspace, begin: int, told: Told) -> None:
    crowd = pipeline.open_crowd(workspace, "tiny")
    names = [m.name for m in crowd.models]
    for i in range(begin, begin + 10_000):
        crowd.set_models(pd.DataFrame({"model": names, "family": f"f{i}", "size_b": 1.0 + i}))
        told(i)


def check_models(workspace: Workspace, told: int) -> None:
    models = pipeline.open_crowd(workspace, "tiny").models
    families = {m.family for m in models}
    if told >= 0:
        assert len(families) == 1, families
        assert int(str(models[0].family)[1:]) >= told
        assert {m.size_b for m in models} == {1.0 + int(str(models[0].family)[1:])}


def write_selections(workspace: Workspace, begin: int, told: Told) -> None:
    crowd = pipeline.open_crowd(workspace, "tiny")
    for i in range(begin, begin + 10_000):
        chosen = pipeline.select(crowd, RECIPE.model_copy(update={"seed": i % 7}))
        pipeline.save_selection(workspace, chosen, note=f"round {i}")
        told(i)


def check_selections(workspace: Workspace, told: int) -> None:
    for saved in pipeline.list_selections(workspace):
        chosen = pipeline.load_selection(workspace, saved.id)
        assert len(chosen.ids) == 4
        assert sha256_file(saved.path / "selection.parquet")
    known = len(pipeline.list_selections(workspace))
    assert known >= min(told + 1, 7), f"told {told}, found {known}"


def write_runs(workspace: Workspace, begin: int, told: Told) -> None:
    for i in range(begin, begin + 10_000):
        if not workspace.run(f"run-{i}").exists():
            jobs.create(workspace, "landscape", {"crowd": "tiny", "i": i}, run_id=f"run-{i}")
        told(i)


def check_runs(workspace: Workspace, told: int) -> None:
    views = jobs.all_runs(workspace)
    assert all(view.state != "damaged" for view in views)
    assert {f"run-{i}" for i in range(told + 1)} <= {view.id for view in views}


WRITERS = {
    "notes": (write_notes, check_notes),
    "scores": (write_scores, check_scores),
    "models": (write_models, check_models),
    "selections": (write_selections, check_selections),
    "runs": (write_runs, check_runs),
}


def in_a_fork(work: Callable[[], None]) -> int:
    """Start ``work`` in a fork and return its process id; it exits with 1 if it fails."""
    pid = os.fork()
    if pid:
        return pid
    try:
        work()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def killed_once(workspace: Workspace, name: str, told: int, pause_s: float) -> int:
    """Let a writer go on from ``told``, kill it after its first write and a pause; return told."""
    write, check = WRITERS[name]
    heard, saying = os.pipe()
    begin = told + 1
    pid = in_a_fork(
        lambda: write(workspace, begin, lambda i: (os.write(saying, struct.pack("q", i)), None)[1])
    )
    os.close(saying)
    told = struct.unpack("q", os.read(heard, 8))[0]
    time.sleep(pause_s)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    while data := os.read(heard, 8):
        told = struct.unpack("q", data)[0]
    os.close(heard)
    _, status = os.waitpid(in_a_fork(lambda: check(workspace, told)), 0)
    assert status == 0, f"{name}, killed after {told} and {pause_s:.4f} s: see above"
    return told


def main(root: Path, kills: int, seed: int) -> None:
    """Kill every kind of writer ``kills`` times."""
    workspace = Workspace(root / "w")

    def prepare() -> None:
        opened = open_workspace(workspace.root)
        pipeline.ingest(opened, "table", [tiny.write_tidy(root)], name="tiny")

    _, status = os.waitpid(in_a_fork(prepare), 0)
    assert status == 0
    draw = random.Random(seed)
    for name in WRITERS:
        told = -1
        for _ in range(kills):
            told = killed_once(workspace, name, told, draw.random() * 0.03)
        print(f"{name}: killed {kills} times in {told + 1} writes", flush=True)
    left = list(workspace.root.rglob(".tmp-*"))
    open_workspace(workspace.root)
    still = list(workspace.root.rglob(".tmp-*"))
    assert still == [], f"{len(left)} leftovers, {len(still)} stayed: {still[:3]}"
    print(f"{len(left)} leftovers, all removed at the next start")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
