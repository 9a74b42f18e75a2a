"""The order of a file's rows, its format and the number of threads decide nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crowdselect import pipeline
from crowdselect.chosen import Selection
from crowdselect.selection import STRATEGIES
from crowdselect.settings import Workspace, open_workspace
from crowdselect.store import Crowd
from crowdselect.values import Recipe

N = 240
MODELS = ("alpha-1b", "alpha-7b", "alpha-70b", "beta-2b", "beta-9b")

KNOWN = ("gpt2-xl", "Qwen2-7B-Instruct", "phi-2", "gemma-2-9b-it", "Qwen2-1.5B-Instruct")


def frame() -> pd.DataFrame:
    """Rows without an order, some without words or with equal texts; rewards of 0 and 1."""
    rng = np.random.default_rng(8)
    topics = [[f"w{t}x{i}" for i in range(12)] for t in range(8)]
    rows = []
    for i in range(N):
        words = [*rng.choice(topics[rng.integers(8)], 4).tolist(), f"w{rng.integers(8)}x0"]
        text = "?!" if i in (3, 4) else " ".join(words)
        answers = {f"{m}_response": f"{m} on {i % 7}" for m in MODELS}
        rewards = {f"{m}_reward": float(rng.integers(2)) for m in MODELS}
        rows.append(
            {"id": f"q{rng.integers(10**9)}-{i}", "instruction": text, **answers, **rewards}
        )
    rows[10]["instruction"] = rows[90]["instruction"].upper()
    return pd.DataFrame(rows)


def tidy(wide: pd.DataFrame) -> pd.DataFrame:
    parts = [
        pd.DataFrame(
            {
                "id": wide["id"],
                "instruction": wide["instruction"],
                "model": m,
                "response": wide[f"{m}_response"],
                "reward": wide[f"{m}_reward"],
            }
        )
        for m in MODELS
    ]
    return pd.concat(parts, ignore_index=True)


def ingest(workspace: Workspace, data: pd.DataFrame, kind: str = "csv") -> Crowd:
    """The crowd ``c`` of ``data`` from a file of ``kind``."""
    path = workspace.root / f"data.{kind}"
    if kind == "csv":
        data.to_csv(path, index=False)
    elif kind == "jsonl":
        data.to_json(path, orient="records", lines=True)
    else:
        data.to_parquet(path)
    return pipeline.ingest(workspace, "table", [path], name="c", replace=True)


def recipe(**fields) -> Recipe:
    asked = {"crowd": "c", "encoder": "lsa", "clusters": 6, "budget": 60, "seed": 5}
    return Recipe.parse({**asked, **fields}, "test")


def outcome(selection: Selection) -> tuple[object, ...]:
    return (
        selection.recipe.id,
        selection.ids.tolist(),
        selection.scores.tobytes(),
        selection.clusters.tolist(),
        selection.reasons,
        selection.models,
    )


RECIPES = {
    "exact clusters": recipe(),
    "fast clusters": recipe(clustering="fast"),
    "near-duplicates": recipe(filters={"near_duplicates": 0.8}),
    "answers drawn": recipe(answer="random"),
    **{
        name: recipe(strategy=name, options={})
        for name in STRATEGIES.names()
        if name not in ("crowdselect", "instag", "instag_crowdselect", "targeted")
    },
}


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Crowd, ...]:
    """One crowd: as its file is, shuffled in JSONL, reversed in Parquet."""
    data = frame()
    shuffled = data.sample(frac=1.0, random_state=1)
    kinds = ((data, "csv"), (shuffled, "jsonl"), (data[::-1], "parquet"))
    return tuple(
        ingest(open_workspace(tmp_path_factory.mktemp("order")), rows, kind) for rows, kind in kinds
    )


@pytest.mark.parametrize("name", RECIPES)
def test_shuffled_rows_and_other_formats_give_the_same_selection(orders, name: str) -> None:
    first, *others = (pipeline.select(crowd, RECIPES[name]) for crowd in orders)
    assert len(first.ids) > 20
    for other in others:
        assert outcome(other) == outcome(first)


def test_shuffled_rows_give_the_same_files_of_a_selection(orders) -> None:
    texts = []
    for crowd in orders:
        workspace = Workspace(crowd.path.parents[1])
        saved = pipeline.save_selection(
            workspace, pipeline.select(crowd, RECIPES["exact clusters"])
        )
        texts.append({f.name: f.read_bytes() for f in saved.path.glob("selection.parquet")})
    assert texts[0]
    assert texts.count(texts[0]) == len(texts)


@pytest.mark.parametrize("names", [MODELS, KNOWN], ids=["guessed", "known"])
def test_shuffled_tidy_rows_give_the_same_selection_and_files(tmp_path: Path, names) -> None:
    data = tidy(frame()).replace({"model": dict(zip(MODELS, names, strict=True))})
    found = []
    for seed in (None, 2):
        rows = data if seed is None else data.sample(frac=1.0, random_state=seed)
        workspace = open_workspace(tmp_path / str(seed))
        selection = pipeline.select(ingest(workspace, rows), recipe())
        saved = pipeline.save_selection(workspace, selection)
        written = pipeline.export(workspace, saved.recipe.id, "messages")
        found.append((outcome(selection), written.data.read_bytes()))
    assert found[0] == found[1]


def test_which_of_several_best_samples_stands_does_not_depend_on_chance(tmp_path: Path) -> None:
    data = tidy(frame().head(20))
    again = pd.concat([data, data.assign(response="second"), data.assign(reward=-1.0)])
    path = tmp_path / "samples.jsonl"
    again.to_json(path, orient="records", lines=True)
    crowd = pipeline.ingest(
        open_workspace(tmp_path), "table", [path], name="c", options={"samples": "best"}
    )
    assert "second" not in crowd.answers(0)["response"].tolist()
    assert crowd.rewards("reward").values.min() >= 0


def test_the_number_of_threads_changes_no_pick(orders) -> None:
    code = (
        "import sys; from pathlib import Path; from crowdselect import pipeline;"
        "from crowdselect.settings import open_workspace; from crowdselect.values import Recipe;"
        "crowd = pipeline.open_crowd(open_workspace(Path(sys.argv[1])), 'c');"
        "import shutil; shutil.rmtree(crowd.cache);"
        "print(*pipeline.select(crowd, Recipe.model_validate_json(sys.argv[2])).ids)"
    )
    asked = RECIPES["exact clusters"]
    other = "1" if os.environ.get("OMP_NUM_THREADS") == "2" else "2"
    folder = orders[0].path.parents[1]
    found = subprocess.run(
        [sys.executable, "-c", code, str(folder), asked.model_dump_json()],
        env={**os.environ, "OMP_NUM_THREADS": other},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.split() == pipeline.select(orders[0], asked).ids.tolist()
