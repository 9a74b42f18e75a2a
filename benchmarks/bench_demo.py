"""How much room the demo leaves a selection strategy: base model, random, pool, oracle, weights.

    python benchmarks/bench_demo.py --seeds 5

Every condition is fine-tuned with each seed through the pipeline (TRL) and asked all held-out
tasks. A seed decides the order of training and, for ``random`` and ``oracle``, the subset.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from random import Random

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import pandas as pd

from crowdselect import jobs, pipeline
from crowdselect.benchmark import (
    BenchmarkConfig,
    SubjectConfig,
    Suite,
    compare,
    create,
    read_results,
)
from crowdselect.pipeline.benchmark import subject_of
from crowdselect.pipeline.finetune import finetune
from crowdselect.settings import Workspace, demo_data, open_workspace
from crowdselect.values import Recipe

BUDGET = 600
WEIGHTS = {
    "weights 1, 1, 2": {"difficulty": 1.0, "separability": 1.0, "stability": 2.0},
    "weights -1, -1, 1": {"difficulty": -1.0, "separability": -1.0, "stability": 1.0},
    "weights -1, 1, 1": {"difficulty": -1.0, "separability": 1.0, "stability": 1.0},
}
MODES = {"full": {"learning_rate": 1e-3}, "lora": {"learning_rate": 5e-3}}


def main() -> None:
    """Run every condition and print scores with intervals and the paired differences to random."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--base", default="base-0.5m")
    parser.add_argument("--mode", choices=list(MODES), default="full")
    parser.add_argument("--only", nargs="*", default=[], help="conditions to run; else all")
    parser.add_argument("--limit", type=int, default=None, help="held-out tasks to ask; else all")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(open_workspace(folder), chosen)


def measure(workspace: Workspace, chosen: argparse.Namespace) -> None:
    base = demo_data() / "models" / chosen.base
    pipeline.ingest(workspace, "demo", [])
    tests = [benchmark(workspace, SubjectConfig(name="base model", model=str(base)), chosen.limit)]
    spent: dict[str, list[float]] = defaultdict(list)
    for seed in range(chosen.seeds):
        for name, source in sources(workspace, seed, chosen.only).items():
            started = time.process_time()
            run = finetune(
                workspace, source, str(base), start=False, preset="demo", mode=chosen.mode,
                epochs=2.0 if name == "whole pool" else 4.0, seed=seed, **MODES[chosen.mode],
            )  # fmt: skip
            done(run)
            spent[name].append(time.process_time() - started)
            tests.append(benchmark(workspace, subject_of(workspace, run.name, name=name),
                                   chosen.limit))  # fmt: skip
    show(tests, spent)


def sources(workspace: Workspace, seed: int, only: list[str]) -> dict[str, str]:
    """Name of each condition -> selection or file to train on."""
    recipes = {
        "random": Recipe(crowd="demo", strategy="random", budget=BUDGET, seed=seed),
        "whole pool": Recipe(crowd="demo", strategy="random", budget=4200),
        **{
            name: Recipe(crowd="demo", weights=weights, budget=BUDGET)
            for name, weights in WEIGHTS.items()
        },
    }
    crowd = pipeline.open_crowd(workspace, "demo")
    found = {
        name: pipeline.save_selection(workspace, pipeline.select(crowd, recipe)).id
        for name, recipe in recipes.items()
        if not only or name in only
    }
    if not only or "oracle" in only:
        found["oracle"] = str(oracle(workspace.root / f"oracle-{seed}.jsonl", seed))
    return found


def oracle(path: Path, seed: int) -> Path:
    """Write reference answers to as many instructions, every kind equally often."""
    tasks = pd.read_parquet(demo_data() / "crowd" / "instructions.parquet")
    rng = Random(seed)
    by_kind = {
        kind: rng.sample(group[["instruction", "reference"]].values.tolist(), len(group))
        for kind, group in tasks.groupby("kind")
    }
    rows: list[list[str]] = []
    while len(rows) < BUDGET:
        rows += [left.pop() for left in by_kind.values() if left]
    lines = [json.dumps({"instruction": i, "input": "", "output": r}) for i, r in rows[:BUDGET]]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def benchmark(workspace: Workspace, subject: SubjectConfig, limit: int | None) -> Path:
    config = BenchmarkConfig(subject=subject, suites=(Suite(name="verifiable"),), limit=limit)
    return done(create(workspace, config))


def done(path: Path) -> Path:
    """Run a job in this process, silently; a failure ends the script."""
    with contextlib.redirect_stdout(io.StringIO()):
        state = jobs.run_here(path)
    if state != "done":
        raise SystemExit(f"{path.name} is {state}: {jobs.read(path).error}")
    return path


def show(tests: list[Path], spent: dict[str, list[float]]) -> None:
    found = compare([read_results(path) for path in tests])
    for result in found.benchmarks:
        print(f"| trained on | {result.unit} | 95 % interval | CPU s per fine-tune |")
        print("|---|---:|---|---:|")
        for score in result.scores:
            interval, times = score.interval, spent.get(score.name, [0.0])
            print(f"| {score.name} ({score.seeds} seeds) | {interval.value:.3f} "
                  f"| {interval.low:.3f} to {interval.high:.3f} "
                  f"| {sum(times) / len(times):.0f} |")  # fmt: skip
        for difference in result.differences:
            if "random" in (difference.first, difference.second):
                print(difference.sentence())


if __name__ == "__main__":
    main()
