"""A synthetic crowd for timing the dashboard: texts with topics, 19 models, two judges.

Everything goes through the package: the files are ingested, embedded by the encoder ``lsa`` and
clustered, so that the pages find what they would find in a real crowd.
"""

import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from crowdselect import pipeline
from crowdselect.pipeline.cache import artifact, load_or_make
from crowdselect.pipeline.landscape import texts_key
from crowdselect.settings import Workspace

FAMILIES = {
    "gemma-2": (2, 9, 27),
    "llama-3": (8, 70),
    "llama-3.1": (8, 70, 405),
    "phi-3": (3.8, 7, 14),
    "qwen2": (1.5, 7, 72),
    "qwen2.5": (3, 7, 14, 32, 72),
}
MODELS = [(f"{f}-{s}b", f, s) for f, sizes in FAMILIES.items() for s in sizes]
TOPICS = 30
WORDS_PER_TOPIC = 60
BATCH = 10_000
NAME = "synthetic"
ENCODER = "lsa"


def words(rng: np.random.Generator, count: int) -> list[str]:
    """Made-up words of two or three syllables."""
    syllables = [c + v for c in "bdfgklmnprstvz" for v in "aeiou"]
    parts = rng.integers(0, len(syllables), (count, 3))
    longer = rng.random(count) < 0.5
    return [
        "".join(syllables[i] for i in row[: 3 if more else 2])
        for row, more in zip(parts, longer, strict=True)
    ]


def write_files(folder: Path, n: int, answer_chars: int = 400, seed: int = 0) -> list[Path]:
    """``instructions.parquet``, ``responses.parquet`` and ``models.csv`` of ``n`` instructions."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = np.array(words(rng, TOPICS * WORDS_PER_TOPIC), dtype=object)
    vocabulary = vocabulary.reshape(TOPICS, WORDS_PER_TOPIC)
    ids = np.array([f"s{i:07d}" for i in range(n)], dtype=object)
    topic = rng.integers(0, TOPICS, n)
    lengths = rng.integers(6, 40, n)
    texts = [
        " ".join(vocabulary[t, rng.integers(0, WORDS_PER_TOPIC, k)])
        for t, k in zip(topic, lengths, strict=True)
    ]
    pq.write_table(pa.table({"id": ids, "instruction": texts}), folder / "instructions.parquet")
    hard = rng.normal(0, 1, n) + topic / TOPICS
    filler = " ".join(vocabulary[rng.integers(0, TOPICS), :])
    with pq.ParquetWriter(folder / "responses.parquet", schema()) as writer:
        for first in range(0, n, BATCH):
            rows = np.arange(first, min(n, first + BATCH))
            writer.write_table(answers(rng, ids[rows], hard[rows], filler, answer_chars))
    lines = [f"{name},{family},{size}" for name, family, size in MODELS]
    (folder / "models.csv").write_text("model,family,size_b\n" + "\n".join(lines) + "\n")
    return [folder / f for f in ("instructions.parquet", "responses.parquet", "models.csv")]


def schema() -> pa.Schema:
    """Columns of the tidy table of answers."""
    return pa.schema(
        [("id", pa.string()), ("model", pa.string()), ("response", pa.string()),
         ("judge_a", pa.float64()), ("judge_b", pa.float64())]
    )  # fmt: skip


def answers(
    rng: np.random.Generator, ids: np.ndarray, hard: np.ndarray, filler: str, chars: int
) -> pa.Table:
    """Every model's answer to ``ids``: bigger is usually better, 2 % of the rewards missing."""
    m = len(MODELS)
    skill = np.log([size for _, _, size in MODELS])
    quality = skill[None, :] * 0.8 - hard[:, None] * 2 + rng.normal(0, 1.2, (len(ids), m))
    second = quality * 0.1 + rng.normal(0, 0.15, quality.shape)
    quality[rng.random(quality.shape) < 0.02] = np.nan
    long = (filler + " ") * (2 * chars // max(len(filler), 1) + 2)
    sizes = rng.integers(chars // 2, chars * 3 // 2, len(ids) * m)
    texts = [f"Answer {i % m}: " + long[: int(k)] for i, k in enumerate(sizes)]
    return pa.table(
        {
            "id": np.repeat(ids, m),
            "model": np.tile(np.array([name for name, _, _ in MODELS], dtype=object), len(ids)),
            "response": texts,
            "judge_a": np.round(quality, 3).ravel(),
            "judge_b": np.round(second, 4).ravel(),
        },
        schema=schema(),
    )


def build(workspace: Workspace, folder: Path, n: int) -> None:
    """Ingest the files and compute the landscape; prints how long each took.

    The places on the map are drawn at random: a page draws n points equally fast wherever they
    are, and UMAP is timed in bench_landscape.py.
    """
    started = time.perf_counter()
    paths = write_files(folder, n)
    print(f"wrote {n:,} x {len(MODELS)} answers in {time.perf_counter() - started:.0f} s")
    started = time.perf_counter()
    crowd = pipeline.ingest(workspace, "table", paths, name=NAME, replace=True)
    print(f"ingested in {time.perf_counter() - started:.0f} s")
    started = time.perf_counter()
    plane = artifact(crowd.cache, "planes", [texts_key(crowd, ENCODER), 42], ".npz")
    places = np.random.default_rng(0).random((n, 2)).astype(np.float32)
    load_or_make(plane, lambda: {"xy": places})
    pipeline.clustering(crowd, ENCODER, 10, "fast")
    print(f"embedded ({ENCODER}) and clustered in {time.perf_counter() - started:.0f} s")
