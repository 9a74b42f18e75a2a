"""Time MiniLM against itself in eight bits and against static, and count the neighbours they share.

python benchmarks/bench_embed.py [--rows 800] [--file FILE --column NAME]

The texts are the demo's instructions, or a column of a Parquet file or table. MiniLM runs as
everywhere in the product: batches of like length through sentence-transformers.
"""

import argparse
import os
import time

import numpy as np

from crowdselect.landscape import ENCODERS, embed
from crowdselect.reading import read_table
from crowdselect.settings import demo_data

NEAREST = 10


def nearest(vectors: np.ndarray) -> np.ndarray:
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -np.inf)
    return np.argsort(-likeness, axis=1)[:, :NEAREST]


def shared(ours: np.ndarray, theirs: np.ndarray) -> float:
    pairs = zip(nearest(ours), nearest(theirs), strict=True)
    return float(np.mean([len(set(a) & set(b)) / NEAREST for a, b in pairs]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=800)
    parser.add_argument("--file", default=str(demo_data() / "crowd" / "instructions.parquet"))
    parser.add_argument("--column", default="instruction")
    options = parser.parse_args()
    table = read_table(options.file)
    found = sorted({str(row[options.column]) for row in table.rows})
    order = np.random.default_rng(0).permutation(len(found))[: options.rows]
    texts = [found[i] for i in order]
    letters = sum(map(len, texts)) / len(texts)
    load = os.getloadavg()[0]
    threads = os.environ.get("OMP_NUM_THREADS", "all")
    print(f"{len(texts)} texts of {letters:.0f} letters, {threads} threads, load {load:.1f}")
    print(f"\n| encoder | s | CPU s | texts/s of CPU | ratio | {NEAREST} nearest shared |")
    print("|---|---|---|---|---|---|")
    base, baseline = None, 0.0
    for name in ("minilm", "minilm-int8", "static"):
        loading = time.process_time()
        ENCODERS[name]()(texts[:64])
        loading = time.process_time() - loading
        wall, cpu = time.perf_counter(), time.process_time()
        vectors = embed(texts, name)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        base, baseline = (vectors, cpu) if base is None else (base, baseline)
        figures = f"{wall:.1f} | {cpu:.2f} | {len(texts) / cpu:.0f} | {baseline / cpu:.2f}"
        print(
            f"| {name} (loaded in {loading:.1f} s) | {figures} | {shared(base, vectors):.3f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
