"""A small crowd made up on the spot: 60 instructions on three subjects, six models, two judges."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tests import crowds

SUBJECTS = {
    "cooking": ["bake", "bread", "oven", "flour", "dough", "butter", "sugar", "recipe"],
    "coding": ["python", "function", "list", "loop", "sort", "array", "index", "string"],
    "planets": ["orbit", "planet", "moon", "star", "gravity", "telescope", "comet", "ring"],
}
MODELS = [
    ("small-1b", "small", 1.0),
    ("small-7b", "small", 7.0),
    ("small-70b", "small", 70.0),
    ("other-3b", "other", 3.0),
    ("other-30b", "other", 30.0),
    ("lonely", "", None),
]
JUDGES = ("strict", "gentle")
N = 60


def frame(n: int = N, seed: int = 3) -> pd.DataFrame:
    """One row per instruction and model, with a column per judge; one reward is missing."""
    rng = np.random.default_rng(seed)

    def row(i: int) -> tuple[dict[str, Any], Iterator[dict[str, Any]]]:
        subject = list(SUBJECTS)[0 if i % 6 < 3 else 1 if i % 6 < 5 else 2]
        words = rng.permutation(SUBJECTS[subject])[:5]
        hard = rng.normal()
        text = f"Tell me about {' and '.join(words)} number {i}"
        return {"id": f"u{i:02}", "instruction": text}, cells(i, words, hard)

    def cells(i: int, words: Any, hard: float) -> Iterator[dict[str, Any]]:
        for j, (model, _, _) in enumerate(MODELS):
            reward = round(float(hard + 0.3 * j + rng.normal()), 3)
            yield {
                "response": f"{model} says {' '.join(words[: 2 + j % 3])} about {i}.",
                "strict": None if i == 7 and j == 2 else reward,
                "gentle": round(100 + 10 * reward + float(rng.normal()), 3),
            }

    return pd.DataFrame(crowds.answered(n, [m for m, _, _ in MODELS], row))


def write_models(folder: Path) -> Path:
    return crowds.write_models(folder, MODELS)


def write_tidy(folder: Path, data: pd.DataFrame | None = None) -> Path:
    path = folder / "tidy.csv"
    (frame() if data is None else data).to_csv(path, index=False)
    return path


def write_wide(folder: Path, judge: str = "strict") -> Path:
    """One row per instruction: reward and response columns per model, one judge."""
    data = frame()
    wide = data.pivot_table(index=["id", "instruction"], columns="model", values=judge)
    responses = data.pivot(index="id", columns="model", values="response")
    names = [m for m, _, _ in MODELS]
    out = wide[names].rename(columns={m: f"{m}_reward" for m in names}).reset_index()
    for name in names:
        out[f"{name}_response"] = responses.loc[out["id"], name].to_numpy()
    path = folder / "wide.csv"
    out.to_csv(path, index=False)
    return path


def write_nested(folder: Path) -> Path:
    """A struct column per model, as Magpie-100K-Generator-Zoo has it."""
    rows = frame().astype(object).where(lambda data: data.notna(), None).to_dict("records")
    return crowds.write_parquet(folder / "nested.parquet", crowds.nested_rows(rows, *JUDGES))


def write_benchmark(folder: Path, texts: list[str]) -> Path:
    rows = [{"question_id": k, "turns": [text]} for k, text in enumerate(texts)]
    return crowds.write_jsonl(folder / "bench.jsonl", rows)
