"""Time the core against the published scripts' way of doing it, in one run.

python benchmarks/bench_core.py [--rows 100000 1000000] [--parts metrics reselect ingest landscape]

The rewards are synthetic: 19 models in 6 families, better with size, 5 % missing, rounded to two
decimals so that ties occur. The baseline is the plain per-row loop over numpy and scipy that the
published scripts are. It runs in full up to --baseline-rows; above, its time is scaled from that
many rows and the line says so. Everything timed here runs in one thread; ratios are of process CPU
time, which a busy machine does not stretch, and wall times stand beside them. Parts "ingest" and
"landscape" run bench_ingest.py and bench_landscape.py with the same number of rows.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
import tracemalloc
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import rankdata, spearmanr

from crowdselect.metrics import BASE, METRICS, MetricInputs
from crowdselect.selection import (
    STRATEGIES,
    MetricTable,
    Pool,
    Reselector,
    normalise,
    normalise_sklearn,
)
from crowdselect.values import Model, RewardMatrix, Scores

FAMILIES = {
    "gemma-2": (2, 9, 27),
    "llama-3": (8, 70),
    "llama-3.1": (8, 70, 405),
    "phi-3": (3.8, 7, 14),
    "qwen2": (1.5, 7, 72),
    "qwen2.5": (3, 7, 14, 32, 72),
}
MODELS = tuple(
    Model(f"{family}-{size}b", family, float(size), i)
    for i, (family, size) in enumerate((f, s) for f, sizes in FAMILIES.items() for s in sizes)
)
CLUSTERS = 10


def synthetic_rewards(n: int, order: str = "F") -> RewardMatrix:
    """Rewards as the store hands them over: one contiguous column per model."""
    random = np.random.default_rng(0)
    skill = np.log([m.size_b for m in MODELS])
    hardness = random.normal(0, 6, (n, 1))
    values = np.round(2 * skill - hardness + random.normal(0, 6, (n, len(MODELS))), 2)
    values[random.random(values.shape) < 0.05] = np.nan
    ids = np.array([f"{i:08x}-4f1c-4b7e-9d2a-{i * 7919 % 2**48:012x}" for i in range(n)], object)
    return RewardMatrix("synthetic", ids, MODELS, np.asarray(values, order=order))


def per_row(rewards: RewardMatrix, rows: int) -> dict[str, np.ndarray]:
    """The three metrics row by row and family by family, as the published scripts go."""
    families = {
        f: [j for j, m in enumerate(MODELS) if m.family == f] for f in dict.fromkeys(FAMILIES)
    }
    sizes = np.array([m.size_b for m in MODELS])
    difficulty, separability, stability = [], [], []
    for row in np.ascontiguousarray(rewards.values[:rows]):
        there = row[~np.isnan(row)]
        difficulty.append(-np.mean(there))
        separability.append(np.var(there))
        rhos = []
        for columns in families.values():
            x = row[columns]
            ok = ~np.isnan(x)
            if ok.sum() > 1:
                rho = spearmanr(sizes[columns][ok], x[ok])[0]
                rhos.append(0.0 if np.isnan(rho) else rho)
        stability.append(np.mean(rhos))
    return dict(zip(BASE, map(np.array, (difficulty, separability, stability)), strict=True))


@dataclass(frozen=True)
class Timing:
    """Milliseconds of process CPU time and of wall time."""

    cpu: float
    wall: float

    def cells(self, base: "Timing") -> tuple[str, str, str]:
        return f"{self.cpu:,.2f}", f"{self.wall:,.2f}", f"{base.cpu / self.cpu:,.1f}x"


def timed(work: Callable[[], Any], times: int = 7) -> Timing:
    """Medians over ``times`` runs of ``work``, after one run that warms caches."""
    if times > 1:
        work()
    cpu, wall = [], []
    for _ in range(times):
        begin = time.process_time(), time.perf_counter()
        work()
        cpu.append(time.process_time() - begin[0])
        wall.append(time.perf_counter() - begin[1])
    return Timing(1000 * statistics.median(cpu), 1000 * statistics.median(wall))


def peak_mb(work: Callable[[], Any]) -> float:
    """Largest memory that ``work`` allocates on top of what is there, in MB."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def header(title: str, columns: str) -> None:
    print(f"\n{title}\n\n| {columns} |\n|{'---|' * (columns.count('|') + 1)}", flush=True)


def line(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


def bench_metrics(n: int, baseline_rows: int) -> None:
    rewards = synthetic_rewards(n)
    inputs = MetricInputs(rewards)
    rows = min(n, baseline_rows)

    def ours() -> dict[str, np.ndarray]:
        return {name: METRICS[name]()(inputs) for name in BASE}

    header(f"Metrics, {n:,} x {len(MODELS)}", "way | CPU ms | wall ms | speed-up | extra memory MB")
    plain: dict[str, np.ndarray] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        part = timed(lambda: plain.update(per_row(rewards, rows)), 1)
    base = Timing(part.cpu * n / rows, part.wall * n / rows)
    found = ours()
    for name in BASE:
        np.testing.assert_allclose(found[name][:rows], plain[name], atol=1e-9)
    how = "run in full" if rows == n else f"scaled from {rows:,} rows"
    line(f"row by row, numpy and scipy, the three ({how})", *base.cells(base), "")
    line("the three metrics", *timed(ours).cells(base), f"{peak_mb(ours):.0f}")
    for name in BASE:
        one = partial(METRICS[name](), inputs)
        cpu, wall, _ = timed(one).cells(base)
        line(name, cpu, wall, "", f"{peak_mb(one):.0f}")
    print(f"\nEqual to the baseline on {rows:,} rows (1e-9).")


def synthetic_pool(n: int) -> Pool:
    """Metrics of the synthetic rewards, unequal clusters, 5 % exact duplicates."""
    rewards = synthetic_rewards(n)
    inputs = MetricInputs(rewards)
    columns = {name: METRICS[name]()(inputs) for name in BASE}
    random = np.random.default_rng(1)
    clusters = random.choice(CLUSTERS, n, p=random.dirichlet(np.full(CLUSTERS, 3.0)))
    groups = np.full(n, -1)
    copies = random.permutation(n)[: n // 20]
    groups[copies] = np.arange(len(copies)) // 2
    weights = {"difficulty": 1.0, "separability": 1.0, "stability": 2.0}
    table = MetricTable(Scores(rewards.ids, columns))
    return Pool(table, weights, 1000, clusters=clusters, groups=groups)


def bench_reselect(n: int) -> None:
    pool = synthetic_pool(n)
    table = pool.table
    column = table.raw("difficulty")
    header(f"Normalise and re-select, {n:,} rows, 3 metrics", "step | CPU ms | wall ms | speed-up")
    chain = timed(lambda: normalise_sklearn(column), 3)
    line("scikit-learn chain, one metric", *chain.cells(chain))
    ranked = timed(lambda: rankdata(column, nan_policy="omit"), 3)
    line("scipy rankdata, one metric", *ranked.cells(chain))
    line("normalise, one metric (exact)", *timed(lambda: normalise(column), 5).cells(chain))
    whole = timed(lambda: STRATEGIES["crowdselect"]()(pool), 3)
    line("strategy from scratch, with 1,000 reasons", *whole.cells(whole))
    first = timed(lambda: Reselector(pool).reselect(), 3)
    line("Reselector: build and first selection", *first.cells(whole))
    reselector = Reselector(pool)
    steps = iter(np.linspace(-1.0, 2.0, 400))

    def change() -> np.ndarray:
        weights = {"difficulty": 1.0, "separability": float(next(steps)), "stability": 2.0}
        return table.ids[reselector.reselect(weights).rows]

    again = timed(change, 51)
    line("change a weight: weights to ids, median of 51", *again.cells(whole))
    print(f"\nExtra memory of a change: {peak_mb(change):.0f} MB.")


def run_script(name: str, rows: int, more: list[str]) -> None:
    script = Path(__file__).with_name(name)
    subprocess.run([sys.executable, str(script), "--rows", str(rows), *more], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parts = ["metrics", "reselect", "ingest", "landscape"]
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--baseline-rows", type=int, default=100_000)
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts)
    options = parser.parse_args()
    threads, load = os.environ.get("OMP_NUM_THREADS", "all"), os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, {threads} threads, load average {load:.1f} at the start")
    for n in options.rows:
        if "metrics" in options.parts:
            bench_metrics(n, options.baseline_rows)
        if "reselect" in options.parts:
            bench_reselect(n)
        if "ingest" in options.parts:
            # The same 3 GB of text whatever the number of rows.
            run_script("bench_ingest.py", n, ["--chars", str(max(20, 150_000_000 // n))])
        if "landscape" in options.parts:
            run_script("bench_landscape.py", n, ["--parts", "k", "umap"])


if __name__ == "__main__":
    main()
