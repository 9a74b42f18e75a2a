"""What ``bench_peers.py`` compares: all sides of a part get the same input and are judged alike."""

from __future__ import annotations

import contextlib
import importlib
import io
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bench_landscape
import bench_scoring
import numpy as np


@dataclass(frozen=True)
class Side:
    """One way of doing a part's work."""

    package: str
    """Distribution whose version is printed; empty: crowdselect."""
    how: str
    work: Callable[[], Any]
    besides: str = ""
    """What it gives that the other sides do not."""


@dataclass(frozen=True)
class Part:
    """The same work done by several; the first side is ours."""

    title: str
    measured: str
    quality: Callable[[Any], str]
    sides: tuple[Side, ...]


@contextlib.contextmanager
def hushed() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


def facility(rows: int) -> Part:
    """The same objective, every pair counting, so that all sides solve the same problem."""
    from crowdselect.selection.coverage import facility_location, similarity

    rows, budget = min(rows, 2_000), min(rows, 2_000) // 10
    vectors = bench_landscape.synthetic_vectors(rows)
    dense = similarity(vectors, 64).toarray()

    def ours() -> np.ndarray:
        return facility_location(similarity(vectors, 64), budget)[0]

    def apricot() -> np.ndarray:
        from apricot import FacilityLocationSelection

        made = FacilityLocationSelection(budget, metric="precomputed", optimizer="lazy")
        return made.fit(similarity(vectors, 64).toarray()).ranking

    def submodlib() -> np.ndarray:
        from submodlib import FacilityLocationFunction

        made = FacilityLocationFunction(
            n=rows, mode="dense", sijs=similarity(vectors, 64).toarray(), separate_rep=False
        )
        with hushed():
            found = made.maximize(budget=budget, optimizer="LazyGreedy", show_progress=False)
        return np.array([row for row, _ in found])

    def quality(picked: np.ndarray) -> str:
        return f"{dense[:, picked].max(axis=1).sum():,.1f}"

    apricot_besides = "graph cuts, feature-based and saturated coverage, streaming"
    sides = (
        Side("", "lazy greedy over sparse columns", ours, "pins, quotas, gate, reasons per row"),
        Side(
            "apricot-select", "lazy greedy (numba, compiled beforehand)", apricot, apricot_besides
        ),
        Side("submodlib-py", "lazy greedy (C++)", submodlib, "mutual information for targets"),
    )
    return Part(f"Facility location, {budget} of {rows:,}", "objective", quality, sides)


def near(rows: int) -> Part:
    """A twentieth of the rows are near copies of others; how many are found, how many wrongly."""
    from crowdselect.landscape import embed
    from crowdselect.selection.near import near_duplicates

    rows = min(rows, 20_000)
    texts = bench_landscape.synthetic_texts(rows)
    random = np.random.default_rng(1)
    copies = np.sort(random.choice(np.arange(rows // 2, rows), rows // 20, replace=False))
    long = [i for i in range(rows // 2) if len(texts[i].split()) >= 12]
    for copy, source in zip(copies, random.choice(long, len(copies)), strict=True):
        words = texts[source].split()
        words[len(words) // 2] = "altered"
        texts[copy] = " ".join(words)
    vectors = embed(texts, "static")
    exact = vectors @ vectors.T > 0.9
    has_earlier = np.triu(exact, 1).any(axis=0)

    def ours() -> int:
        return int((near_duplicates(vectors, 0.9) >= 0).sum())

    def semhash() -> int:
        from semhash import SemHash

        class Encoder:
            def encode(self, inputs: Any, **_: Any) -> np.ndarray:
                return embed(list(inputs), "static")

        made = SemHash.from_embeddings(vectors, texts, Encoder())
        return len(made.self_deduplicate(threshold=0.9).filtered)

    def quality(dropped: int) -> str:
        return f"{dropped:,} dropped, {int(has_earlier.sum()):,} have an earlier row above 0.9"

    sides = (
        Side("", "every pair, in blocks", ours, "which is kept is the better-scored one"),
        Side("semhash", "approximate neighbours (usearch)", semhash, "outliers, representatives"),
    )
    return Part(f"Near-duplicates in {rows:,} vectors", "rows", quality, sides)


def kmeans(rows: int) -> Part:
    """Ten counts of clusters, as a slider asks for them."""
    from crowdselect.landscape import FastClusters

    rows, counts = min(rows, 20_000), (5, 10, 15, 20, 25, 30, 35, 40, 45, 50)
    vectors = bench_landscape.synthetic_vectors(rows)

    def inertia(labels: np.ndarray) -> float:
        total = 0.0
        for label in np.unique(labels):
            members = vectors[labels == label]
            total += float(((members - members.mean(axis=0)) ** 2).sum())
        return total

    def ours() -> list[np.ndarray]:
        made = FastClusters(vectors)
        return [made.labels(k) for k in counts]

    def sklearn(kind: str) -> Callable[[], list[np.ndarray]]:
        def work() -> list[np.ndarray]:
            made = getattr(importlib.import_module("sklearn.cluster"), kind)
            return [made(k, n_init=1, random_state=0).fit(vectors).labels_ for k in counts]

        return work

    def faiss() -> list[np.ndarray]:
        import faiss as library

        library.omp_set_num_threads(1)
        found = []
        for k in counts:
            made = library.Kmeans(vectors.shape[1], k, niter=20, seed=1)
            made.train(vectors)
            found.append(made.index.search(vectors, 1)[1][:, 0])
        return found

    best = [inertia(labels) for labels in sklearn("KMeans")()]

    def quality(found: list[np.ndarray]) -> str:
        shares = [inertia(labels) / least for labels, least in zip(found, best, strict=True)]
        return f"{np.mean(shares):.4f} (at most {max(shares):.4f})"

    sides = (
        Side("", "FastClusters: prepared once, then any k", ours, "the next k takes milliseconds"),
        Side("scikit-learn", "KMeans, one start", sklearn("KMeans")),
        Side("scikit-learn", "MiniBatchKMeans, one start", sklearn("MiniBatchKMeans")),
        Side("faiss-cpu", "Kmeans, 20 iterations (a sample of 256 per cluster)", faiss, "GPUs"),
    )
    return Part(f"k-means of {rows:,} x 384 at ten k", "inertia to KMeans", quality, sides)


def ingest(rows: int) -> Part:
    """From one Parquet file, a row per answer, to a matrix of rewards."""
    rows, models = min(rows, 20_000), 19
    folder = Path(tempfile.mkdtemp(prefix="bench-peers-"))
    source = folder / "answers.parquet"
    _tidy(source, rows, models)

    def ours() -> np.ndarray:
        from crowdselect import pipeline
        from crowdselect.settings import open_workspace

        workspace = open_workspace(Path(tempfile.mkdtemp(dir=folder)))
        crowd = pipeline.ingest(workspace, "table", [source], name="bench")
        return crowd.rewards().values

    def pandas() -> np.ndarray:
        import pandas as pd

        table = pd.read_parquet(source)
        return table.pivot(index="instruction", columns="model", values="reward").to_numpy()

    def datasets() -> np.ndarray:
        from datasets import Dataset

        with hushed():
            table = Dataset.from_parquet(str(source), cache_dir=tempfile.mkdtemp(dir=folder))
        wide = table.to_pandas().pivot(index="instruction", columns="model", values="reward")
        return wide.to_numpy()

    def quality(matrix: np.ndarray) -> str:
        return f"{matrix.shape[0]:,} x {matrix.shape[1]}, sum {np.nansum(matrix):,.3f}"

    ours_besides = "texts kept and searchable on disk, checks, a report per column, families"
    sides = (
        Side("", "pipeline.ingest into DuckDB", ours, ours_besides),
        Side("pandas", "read_parquet and pivot, all in memory", pandas),
        Side("datasets", "Dataset.from_parquet, then pivot by pandas", datasets, "streaming"),
    )
    return Part(f"Ingest of {rows:,} x {models} answers", "rewards", quality, sides)


def _tidy(path: Path, rows: int, models: int) -> None:
    import pandas as pd

    random = np.random.default_rng(0)
    texts = [f"{text} ({i})" for i, text in enumerate(bench_landscape.synthetic_texts(rows))]
    answers = bench_landscape.synthetic_texts(rows, seed=1)
    pd.DataFrame(
        {
            "instruction": np.repeat(texts, models),
            "model": np.tile([f"model-{j}" for j in range(models)], rows),
            "response": np.repeat(answers, models),
            "reward": random.normal(size=rows * models),
        }
    ).to_parquet(path, index=False)


def ifd(rows: int) -> Part:
    """SmolLM2-135M-Instruct where its package is installed, else a tiny random model."""
    from scipy.stats import spearmanr

    from crowdselect.scoring import IFD, LanguageModel, ModelSpec

    count = min(rows, 12)
    folder = Path(tempfile.mkdtemp(prefix="bench-peers-"))
    samples = bench_scoring.make_samples(count, 1 / 3)
    model, smol = _language_model(folder)
    spec = {"model": model, "dtype": "float32"}
    loaded = LanguageModel(ModelSpec.parse(spec, "spec"))
    scorer = IFD(models=(spec,), keep_harmful=True)
    (passes,) = scorer.passes()
    worker = passes.worker(folder)
    reference = bench_scoring.ifd_by_ones(loaded, samples)

    def ours() -> np.ndarray:
        return scorer.columns(samples, {passes.key: worker(samples)})["ifd"].values

    def wana(provider: Any) -> Callable[[], np.ndarray]:
        from wana.domain.example import Message, Role

        def work() -> np.ndarray:
            found = []
            for sample in samples:
                asked = (Message(role=Role.USER, content=sample.instruction),)
                with_question = provider.mean_nll(asked, sample.response)
                found.append(np.exp(with_question - provider.mean_nll((), sample.response)))
            return np.array(found)

        return work

    def quality(scores: np.ndarray) -> str:
        return f"Spearman {spearmanr(scores, reference).statistic:.3f} to the published loop"

    sides = [
        Side("", "batched, head at the answer only", ours, "GPU batches, resume, many models"),
        Side(
            "transformers",
            "the published loop, one text at a time",
            lambda: bench_scoring.ifd_by_ones(loaded, samples),
        ),
    ]
    besides = "chat template in the question; ratio of perplexities, not of losses"
    with contextlib.suppress(ImportError, ValueError):
        from wana.adapters.logprob.bundled import BundledLogProbProvider

        sides.append(
            Side("wana", "llama.cpp, Q4_1", wana(BundledLogProbProvider(threads=1)), besides)
        )
    with contextlib.suppress(ImportError, ValueError):
        from wana.adapters.logprob.transformers_cpu import TransformersCPU

        if smol:  # it asks for a chat template
            sides.append(Side("wana", "its transformers adapter", wana(TransformersCPU(model)), ""))
    name = "SmolLM2-135M-Instruct" if smol else "a tiny model with random weights"
    return Part(f"IFD of {count} made-up texts, {name}", "ranks", quality, tuple(sides))


def _language_model(folder: Path) -> tuple[str, bool]:
    """Folder of the model, and whether it is the real one."""
    from crowdselect.lm.packaged import SMOLLM2, convert

    if SMOLLM2.installed:
        convert(SMOLLM2, folder / SMOLLM2.folder)
        return str(folder / SMOLLM2.folder), True
    return str(bench_scoring.make_model(folder / "tiny", "tiny")), False


def overlap(rows: int) -> Part:
    """Thirteen words in a row shared with a benchmark, one text in fifty planted."""
    from crowdselect.export.overlap import find_overlaps
    from crowdselect.export.references import Reference, References

    rows = min(rows, 20_000)
    texts = bench_landscape.synthetic_texts(rows, seed=3)
    questions = [q for q in bench_landscape.synthetic_texts(1_500, seed=4) if len(q.split()) >= 20]
    for at in range(0, rows, 50):
        texts[at] += " " + questions[at % len(questions)]

    def ours() -> int:
        items = tuple(Reference(str(i), q) for i, q in enumerate(questions))
        return len(find_overlaps(texts, [References("bench", "", "question", items)]))

    def janitor() -> int:
        from lm_eval.decontamination.janitor import Janitor

        made = Janitor(ngram_n=13, minimum_slice_length=0, window_to_remove=0)
        for question in questions:
            made.register_contaminant_python(question)
        return sum(made.clean_python(text) != [text] for text in texts)

    def quality(flagged: int) -> str:
        return f"{flagged:,} flagged of {len(range(0, rows, 50)):,} planted"

    sides = (
        Side("", "sorted hashes, each hit verified", ours, "which words, of which question"),
        Side("lm-eval", "Janitor, in Python as pip installs it", janitor, "cuts the passage out"),
    )
    return Part(f"Overlap of {rows:,} texts with {len(questions)}", "rows", quality, sides)


PARTS: dict[str, Callable[[int], Part]] = {
    "facility": facility,
    "near": near,
    "kmeans": kmeans,
    "ingest": ingest,
    "ifd": ifd,
    "overlap": overlap,
}
