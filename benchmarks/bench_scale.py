"""What grows with a crowd, stage by stage: CPU seconds and the peak of memory (RSS) of each.

    python benchmarks/bench_scale.py                              # 100,000 and 1 million
    python benchmarks/bench_scale.py --rows 1000000 3000000 10000000
    python benchmarks/bench_scale.py --parts metrics select

The crowd is synthetic (random numbers, texts of random words, 10 topics of unequal size, 2 % of the
texts are repeats, 5 % of the rewards missing); instructions and rewards of 19 models, no answers.
Vectors are synthetic as well: 64 numbers, 200 centres, 1 % near-copies. Every stage runs in a
process of its own through the code that command line and pages use. Reward matrices beyond 512 MB
are mapped files: their pages count in the peak, and the system may drop them when memory is short.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.bench_core import MODELS

SIZES = [100_000, 1_000_000]
BUDGET, DIMENSIONS, CLUSTERS = 10_000, 64, 10
CHUNK = 100_000
TOPICS = [0.4, 0.2, 0.1, 0.1, 0.05, 0.05, 0.04, 0.03, 0.02, 0.01]


def write_files(folder: Path, n: int) -> None:
    """One Parquet file of instructions and rewards, and a table of models; chunk by chunk."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    words = np.array([f"w{i:03x}" for i in range(4096)], dtype=object)
    skill = np.log([m.size_b for m in MODELS])
    writer = None
    for first in range(0, n, CHUNK):
        random = np.random.default_rng(first)
        size = min(CHUNK, n - first)
        told = words[random.integers(0, 4096, (size, 8))]
        texts = [" ".join(row) for row in told]
        for i in range(0, size, 50):
            texts[i] = texts[max(0, i - 7)]
        values = 2 * skill - random.normal(0, 6, (size, 1)) + random.normal(0, 6, (size, 19))
        values = np.round(values, 2)
        values[random.random(values.shape) < 0.05] = np.nan
        columns = {
            "id": [f"q{i:08d}" for i in range(first, first + size)],
            "instruction": texts,
            "topic": random.choice([f"topic {k}" for k in range(10)], size, p=TOPICS),
            **{
                f"{m.name}_reward": pa.array(values[:, j], mask=np.isnan(values[:, j]))
                for j, m in enumerate(MODELS)
            },
        }
        table = pa.table(columns)
        writer = writer or pq.ParquetWriter(folder / "crowd.parquet", table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()
    lines = [f"{m.name},{m.family},{m.size_b}\n" for m in MODELS]
    (folder / "models.csv").write_text("model,family,size_b\n" + "".join(lines))


def ingest(folder: Path) -> str:
    """Files -> crowd."""
    from crowdselect import pipeline

    options = {"models": str(folder / "models.csv")}
    crowd = pipeline.ingest(
        _workspace(folder), "table", [folder / "crowd.parquet"], name="big", options=options
    )
    return f"{crowd.n:,} x {len(crowd.models)}"


def metrics(folder: Path) -> str:
    """Difficulty, separability and stability."""
    from crowdselect import pipeline

    scores = pipeline.metrics(_crowd(folder))
    return ", ".join(f"{k} {np.nanmean(v):+.3f}" for k, v in scores.columns.items())


def select(folder: Path) -> str:
    """Equal quotas over ten topics, repeats dropped, whole report."""
    from crowdselect import pipeline
    from crowdselect.values import Recipe

    recipe = Recipe(crowd="big", mix="topic", budget=BUDGET)
    chosen = pipeline.select(_crowd(folder), recipe)
    ties = chosen.report["tie_block"]
    return f"{len(chosen.ids):,} chosen, {ties['taken']} of {ties['size']} by the tie rule"


def cluster(folder: Path) -> str:
    """k-means by a sample and assignment passes (method fast), ten clusters."""
    from crowdselect.landscape import FastClusters

    found = FastClusters(_vectors(folder)).clusters(CLUSTERS)
    return f"sizes {np.bincount(found.labels).tolist()}"


def near(folder: Path) -> str:
    """Near-duplicates of the first 20,000 rows: what a budget of 20,000 looks at."""
    from crowdselect.selection import near_duplicates

    found = near_duplicates(_vectors(folder), 0.95, limit=2 * BUDGET)
    looked = int((found > -2).sum())
    return f"{int((found >= 0).sum()):,} of {looked:,} dropped"


def write_vectors(folder: Path, n: int) -> None:
    """Unit rows around 200 centres, one in a hundred close to another."""
    random = np.random.default_rng(7)
    centres = random.normal(size=(200, DIMENSIONS)).astype(np.float32)
    out = np.lib.format.open_memmap(
        folder / "vectors.npy", mode="w+", dtype=np.float32, shape=(n, DIMENSIONS)
    )
    for first in range(0, n, CHUNK):
        size = min(CHUNK, n - first)
        rows = centres[random.integers(0, 200, size)]
        rows = rows + random.normal(size=rows.shape).astype(np.float32)
        rows[100::100] = rows[99:-1:100][: len(rows[100::100])]
        out[first : first + size] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    out.flush()


STAGES = {"ingest": ingest, "metrics": metrics, "select": select, "cluster": cluster, "near": near}


def _workspace(folder: Path):
    from crowdselect.settings import Workspace

    return Workspace(folder / "workspace")


def _crowd(folder: Path):
    from crowdselect import pipeline

    return pipeline.open_crowd(_workspace(folder), "big")


def _vectors(folder: Path):
    return np.load(folder / "vectors.npy", mmap_mode="r")


def _measured(stage: str, folder: Path) -> None:
    """In a process of its own: what the stage took, as JSON on the last line."""
    started = time.perf_counter()
    said = STAGES[stage](folder)
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "cpu": used.ru_utime + used.ru_stime,
                "wall": time.perf_counter() - started,
                "rss": used.ru_maxrss * 1024 / 1e9,
                "said": said,
            }
        )
    )


def _run(stage: str, folder: Path) -> dict:
    done = subprocess.run(
        [sys.executable, __file__, "--stage", stage, "--folder", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{stage} failed:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=SIZES)
    parser.add_argument("--parts", nargs="+", choices=STAGES, default=list(STAGES))
    parser.add_argument("--keep", type=Path, help="Folder whose files are used again")
    parser.add_argument("--stage", choices=STAGES, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.stage:
        _measured(given.stage, given.folder)
        return
    print("| rows | stage | CPU s | CPU s per million | wall s | peak RSS GB | what came out |")
    print("|---|---|---|---|---|---|---|")
    for n in given.rows:
        with tempfile.TemporaryDirectory() as scratch:
            folder = given.keep / str(n) if given.keep else Path(scratch)
            folder.mkdir(parents=True, exist_ok=True)
            _prepare(folder, n, given.parts)
            for stage in given.parts:
                got = _run(stage, folder)
                each = got["cpu"] / n * 1e6
                print(
                    f"| {n:,} | {stage} | {got['cpu']:.1f} | {each:.1f} | {got['wall']:.0f} | "
                    f"{got['rss']:.2f} | {got['said']} |",
                    flush=True,
                )


def _prepare(folder: Path, n: int, parts: list[str]) -> None:
    crowd = {"ingest", "metrics", "select"} & set(parts)
    ready = (folder / "workspace" / "crowds" / "big").exists()
    if crowd and not ready and not (folder / "models.csv").exists():
        write_files(folder, n)
    if crowd and not ready and "ingest" not in parts:
        _run("ingest", folder)
    if {"cluster", "near"} & set(parts) and not (folder / "vectors.npy").exists():
        write_vectors(folder, n)


if __name__ == "__main__":
    main()
