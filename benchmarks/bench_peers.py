"""Side by side with what one would pick instead of crowdselect, in one run.

    python -m venv peers && peers/bin/pip install -e '.[dev]' -r benchmarks/peers.txt
    peers/bin/python benchmarks/bench_peers.py [--parts facility near kmeans ingest ifd overlap]

Every part gives all sides the same synthetic input, one thread, and measures seconds of process CPU
time (children included), which a busy machine does not stretch, and a quality that all sides are
judged by. A package that is not installed is named, not skipped in silence. Above one, the ratio
says how many times longer the other takes.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import subprocess
import sys
import time
from typing import Any

import numpy as np
from peers_parts import PARTS, Part


def version(package: str) -> str:
    return importlib.metadata.version(package)


def cpu() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def measure(part: Part, rounds: int) -> list[dict[str, Any]]:
    """All sides in turn, ``rounds`` times, after one run that compiles and loads; medians."""
    times: dict[int, list[float]] = {i: [] for i in range(len(part.sides))}
    told: dict[int, str] = {}
    for turn in range(rounds + 1):
        for i, side in enumerate(part.sides):
            if i in told and told[i].startswith("not "):
                continue
            began = cpu()
            try:
                result = side.work()
            except ImportError as error:
                told[i] = f"not installed: {error.name or str(error).splitlines()[0]}"
                continue
            if turn:
                times[i].append(cpu() - began)
            told[i] = part.quality(result)
    medians = {i: float(np.median(spent)) for i, spent in times.items() if spent}
    return [
        {
            "who": f"{s.package} {version(s.package)}" if s.package and i in medians else s.package,
            "how": s.how,
            "cpu_s": medians.get(i),
            "ratio": medians[i] / medians[0] if i in medians else None,
            "quality": told[i],
            "besides": s.besides,
        }
        for i, s in enumerate(part.sides)
    ]


def show(part: Part, found: list[dict[str, Any]]) -> None:
    print(f"\n{part.title}\n\n| | CPU s | ratio | {part.measured} | gives besides |")
    print("|---|---|---|---|---|")
    for f in found:
        spent = "" if f["cpu_s"] is None else f"{f['cpu_s']:.2f}"
        ratio = "" if f["ratio"] is None else f"{f['ratio']:.2f}"
        who = f"{f['who'] or '**crowdselect**'}: {f['how']}"
        print(f"| {who} | {spent} | {ratio} | {f['quality']} | {f['besides']} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--rows", type=int, default=100_000, help="at most; parts have their own")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--part", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.part:
        part = PARTS[chosen.part](chosen.rows)
        show(part, measure(part, chosen.rounds))
        return
    print(f"one thread, load average {os.getloadavg()[0]:.1f} at the start")
    for name in chosen.parts:  # each in a process of its own: no side pays for another's memory
        command = [sys.executable, __file__, "--part", name, "--rows", str(chosen.rows)]
        threads = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
        began = time.perf_counter()
        done = subprocess.run(
            [*command, "--rounds", str(chosen.rounds)], env={**os.environ, **threads}, check=False
        )
        print(json.dumps({"part": name, "exit": done.returncode,
                          "seconds": round(time.perf_counter() - began)}), flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
