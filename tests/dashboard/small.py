"""A small crowd with hostile texts, for the pages' tests."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from crowdselect import pipeline
from crowdselect.pipeline.cache import load_or_make
from crowdselect.pipeline.landscape import _plane_path
from crowdselect.settings import Workspace, open_workspace
from crowdselect.store import Crowd
from tests import crowds

SCRIPT = "<script>window.__hacked = 1</script> in Python: print the sum"
IMAGE = "![x](http://192.0.2.1/pixel.png) write a poem"
LATEX = "$$\\LaTeX$$ :material/delete: :red[x] **bold** solve for x"
HOSTILE = (SCRIPT, IMAGE, LATEX)
EVIL_MODEL = "<img src=http://192.0.2.1/m.png>"
MODELS = [
    ("alpha-1b", "alpha", 1.0),
    ("alpha-7b", "alpha", 7.0),
    ("beta-2b", "beta", 2.0),
    ("beta-9b", "beta", 9.0),
    (EVIL_MODEL, None, None),
]
NAME = "small"
N = 120
ENCODER = "lsa"
TOPICS = (
    "write a python function that sorts a list of numbers",
    "explain the causes of the french revolution in history",
    "give me a recipe for soup with carrots and onions",
)


def texts() -> list[str]:
    """Three topics in turn; the hostile ones first."""
    return [*HOSTILE, *(f"{TOPICS[i % 3]}, case {i}" for i in range(len(HOSTILE), N))]


def write_files(folder: Path, seed: int = 0) -> list[Path]:
    """Tidy answers, instructions and models.csv; a few answers and rewards are missing."""
    rng = np.random.default_rng(seed)
    hard = rng.normal(0, 1, N)

    def cells(i: int) -> Iterator[dict[str, Any]]:
        for j, (model, _, size) in enumerate(MODELS):
            reward = np.log(size or 3) - hard[i] + rng.normal(0, 0.6)
            answer = f"{model} says: " + "word " * int(rng.integers(3, 60))
            if i < 3:
                answer += HOSTILE[i]
            yield {
                "response": None if (i, j) == (5, 2) else answer,
                "judge_a": np.nan if (i, j) in ((5, 2), (9, 1)) else round(reward, 3),
                "judge_b": round(reward * 0.1 + rng.normal(0, 0.05), 3),
            }

    names = [model for model, _, _ in MODELS]
    rows = crowds.answered(N, names, lambda i: ({"id": f"q{i:03d}"}, cells(i)))
    asked = [{"id": f"q{i:03d}", "instruction": text} for i, text in enumerate(texts())]
    folder.mkdir(parents=True, exist_ok=True)
    return [
        crowds.write_parquet(folder / "instructions.parquet", asked),
        crowds.write_parquet(folder / "responses.parquet", rows),
        crowds.write_models(folder, MODELS),
    ]


def build(root: Path, files: Path) -> Workspace:
    """Ingest the files and put vectors, clusters and a plane beside them."""
    workspace = open_workspace(root)
    embed(pipeline.ingest(workspace, "table", write_files(files), name=NAME), ENCODER)
    return workspace


def embed(crowd: Crowd, encoder: str) -> None:
    """Vectors and a plane of the crowd's instructions."""
    vectors = pipeline.vectors(crowd, encoder)
    path = _plane_path(crowd, encoder, 42)
    # UMAP's compilation takes longer than all tests of the pages; any plane does for them.
    load_or_make(path, lambda: {"xy": np.ascontiguousarray(vectors[:, :2], np.float32)})
