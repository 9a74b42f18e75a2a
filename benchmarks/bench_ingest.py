"""Ingest speed, memory and read-back times, on synthetic data in the shape of Magpie-Generator-Zoo.

    python benchmarks/bench_ingest.py                        # 100,000 x 19, 1.5 KB answers: 3 GB
    python benchmarks/bench_ingest.py --rows 20000 --memory 1GB

The texts are random words and the rewards random numbers: only the shape and the sizes are those of
the real data set. Every way runs in a process of its own, whose peak resident memory is measured.
The baseline is the obvious SQL: one SELECT per model, joined by UNION ALL, with the same memory
limit, which only copies texts and rewards (no lengths, no checks, no fingerprint).
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

JUDGES = ("ArmoRM-Llama3-8B-v0.1", "Skywork-Reward-Llama-3.1-8B", "Skywork-Reward-Gemma-2-27B")
GROUP = 1_000


def generate(path: Path, rows: int, models: int, chars: int, seed: int = 0) -> int:
    """Write the nested Parquet; return the bytes of text in it."""
    rng = np.random.default_rng(seed)
    letters = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz", np.uint8)
    vocabulary = [
        letters[rng.integers(0, 26, size=n)].tobytes() for n in rng.integers(2, 10, size=20_000)
    ]
    picks = np.minimum(rng.zipf(1.3, size=3_000_000) - 1, len(vocabulary) - 1)
    pool = b" ".join(vocabulary[k] for k in picks)
    total, writer = 0, None
    for first in range(0, rows, GROUP):
        n = min(GROUP, rows - first)
        columns = {"uuid": pa.array([f"{first + i:08x}" for i in range(n)])}
        columns["instruction"] = _texts(rng, pool, n, 200)
        for j in range(models):
            content = _texts(rng, pool, n, chars)
            total += content.nbytes
            rewards = [pa.array(rng.normal(size=n)) for _ in JUDGES]
            columns[f"model-{j}"] = pa.StructArray.from_arrays(
                [content, *rewards], names=["content", *JUDGES]
            )
        table = pa.table(columns)
        writer = writer or pq.ParquetWriter(path, table.schema, compression="snappy")
        writer.write_table(table)
    assert writer is not None
    writer.close()
    return total


def _texts(rng: np.random.Generator, pool: bytes, n: int, mean: int) -> pa.StringArray:
    lengths = np.maximum(1, rng.gamma(2.5, mean / 2.5, size=n)).astype(np.int64)
    starts = rng.integers(0, len(pool) - int(lengths.max()), size=n)
    data = b"".join(pool[a : a + k] for a, k in zip(starts, lengths, strict=True))
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return pa.StringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(data))


def ingest(source: Path, folder: Path, memory: str, models: int) -> Path:
    """Ingest as a user does; return the crowd's file."""
    from crowdselect.ingest import SOURCES
    from crowdselect.settings import open_workspace
    from crowdselect.store import CrowdBuilder

    workspace = open_workspace(folder)
    with CrowdBuilder(workspace, "bench", memory=memory) as builder:
        SOURCES["magpie"]()([str(source)], builder)
    return workspace.crowd("bench") / "crowd.duckdb"


def union_all(source: Path, folder: Path, memory: str, models: int) -> Path:
    """The baseline: one SELECT per model, joined by UNION ALL."""
    import duckdb

    folder.mkdir(parents=True)
    target = folder / "baseline.duckdb"
    with duckdb.connect(str(target)) as con:
        con.execute(f"SET memory_limit = '{memory}'")
        con.execute(f"SET temp_directory = '{folder / 'spill'}'")
        con.execute("SET preserve_insertion_order = false")
        rewards = ", ".join(f'"{{m}}"."{j}" AS r{k}' for k, j in enumerate(JUDGES))
        selects = " UNION ALL ".join(
            f"SELECT uuid, 'model-{j}' AS model, \"model-{j}\".content AS text, "
            f"{rewards.format(m=f'model-{j}')} FROM read_parquet('{source}')"
            for j in range(models)
        )
        con.execute(f"CREATE TABLE answers AS {selects}")
    return target


WAYS: dict[str, Callable[[Path, Path, str, int], Path]] = {
    "crowdselect ingest": ingest,
    "UNION ALL per model": union_all,
}


def measure(way: str, source: Path, folder: Path, memory: str, models: int) -> dict[str, float]:
    """Run one way in a fresh process; return seconds, peak resident MB and the file's MB."""
    command = [sys.executable, __file__, "--run", way, str(source), str(folder), memory]
    out = subprocess.run([*command, str(models)], check=True, capture_output=True, text=True)
    return json.loads(out.stdout.splitlines()[-1])


def run_here(way: str, source: str, folder: str, memory: str, models: str) -> None:
    """What the fresh process does."""
    start = time.perf_counter()
    target = WAYS[way](Path(source), Path(folder), memory, int(models))
    seconds = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_SELF)
    found = {"s": seconds, "peak": used.ru_maxrss / 1024, "file": target.stat().st_size / 1e6}
    print(json.dumps({**found, "cpu": used.ru_utime + used.ru_stime}))


def read_back(folder: Path, source: Path, rows: int) -> list[tuple[str, float]]:
    """Return the median milliseconds of the reads that a dashboard makes."""
    import duckdb

    from crowdselect.settings import open_workspace
    from crowdselect.store import open_crowd

    rng = np.random.default_rng(1)
    crowd = open_crowd(open_workspace(folder), "bench")
    crowd.rewards()
    some = rng.integers(0, rows, size=40).tolist()
    con = duckdb.connect()
    baseline = [
        _ms(lambda r=r: con.execute("FROM read_parquet(?) LIMIT 1 OFFSET ?", [str(source), r]).df())
        for r in some[:5]
    ]
    lines = [
        ("one instruction with its answers", _median(lambda r: crowd.answers(r), some)),
        ("  baseline: the same from the Parquet file", statistics.median(baseline)),
        ("a page of 50 random instructions", _median(lambda _: crowd.page(_rows(rng, rows)), some)),
        ("50 random responses", _median(lambda _: crowd.responses_of(_want(rng, rows)), some[:5])),
    ]
    fresh = open_crowd(open_workspace(folder), "bench")
    lines.append(("one judge's rewards as a dense array, first read", _ms(fresh.rewards)))
    lines.append(("response lengths as a dense array", _ms(lambda: _lengths(fresh))))
    lines.append(("search the instructions", _ms(lambda: crowd.search("abc"))))
    lines.append(("search the responses, 50 hits", _ms(lambda: crowd.search("ab", "responses"))))
    lines.append(("search the responses, no hit", _ms(lambda: crowd.search("0123", "responses"))))
    return lines


def _rows(rng: np.random.Generator, rows: int) -> np.ndarray:
    return rng.integers(0, rows, size=50)


def _want(rng: np.random.Generator, rows: int) -> np.ndarray:
    columns = np.full(rows, -1)
    columns[_rows(rng, rows)] = 3
    return columns


def _lengths(crowd) -> None:
    crowd.texts.response_lengths("tokens")


def _ms(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1e3


def _median(call: Callable[[int], object], values: list[int]) -> float:
    return statistics.median(_ms(lambda v=v: call(v)) for v in values)


def main() -> None:
    """Generate, ingest, compare, read back, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--models", type=int, default=19)
    parser.add_argument("--chars", type=int, default=1_500)
    parser.add_argument("--memory", default="2GB")
    parser.add_argument("--no-baseline", action="store_true")
    parser.add_argument("--folder", type=Path, help="where to put some 8 GB (default: temporary)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        source = folder / "synthetic.parquet"
        total = generate(source, options.rows, options.models, options.chars) / 1e6
        print(f"{options.rows:,} x {options.models}, {total:,.0f} MB of synthetic text", flush=True)
        print(f"Parquet {source.stat().st_size / 1e6:,.0f} MB, memory {options.memory}", flush=True)
        ways = list(WAYS)[: 1 if options.no_baseline else None]
        found = {}
        for k, way in enumerate(ways):
            found[way] = r = measure(way, source, folder / f"w{k}", options.memory, options.models)
            print(
                f"{way:22} {r['s']:7.1f} s  {total / r['s']:6.0f} MB/s  CPU {r['cpu']:6.1f} s  "
                f"peak {r['peak']:6,.0f} MB  file {r['file']:6,.0f} MB",
                flush=True,
            )
        if len(found) > 1:
            first, second = found.values()
            wall, cpu = second["s"] / first["s"], second["cpu"] / first["cpu"]
            print(f"baseline / crowdselect: wall time {wall:.2f}, CPU time {cpu:.2f}")
        for label, ms in read_back(folder / "w0", source, options.rows):
            print(f"{label:50} {ms:8.1f} ms")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run"]:
        run_here(*sys.argv[2:])
    else:
        main()
