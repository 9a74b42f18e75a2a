"""Prompts for reinforcement learning: a band of pass rates, with the right answers beside them."""

import json
from pathlib import Path

import pytest

from crowdselect import pipeline
from crowdselect.errors import InputError, NotFoundError
from crowdselect.export import FORMATS
from crowdselect.registry import build
from crowdselect.settings import Workspace
from crowdselect.values import Filters, Recipe
from tests.crowds import write_jsonl

MODELS = 5


@pytest.fixture
def crowd(workspace: Workspace, tmp_path: Path) -> pipeline.Session:
    """Question i is solved by i of five models; a verifier says 1 or 0."""
    rows = [
        {"id": f"q{i}", "instruction": f"What is {i}?", "ground_truth": f"{i}", "level": i,
         "model": f"m{j}", "response": f"{i if j < i else 'no idea'}", "verifier": float(j < i)}
        for i in range(MODELS + 1) for j in range(MODELS)
    ]  # fmt: skip
    path = write_jsonl(tmp_path / "d.jsonl", rows)
    return pipeline.Session(pipeline.ingest(workspace, "table", [path], name="d"))


def band_of(low: float, high: float) -> Recipe:
    band = {"ranges": [{"metric": "pass_rate", "low": low, "high": high}]}
    return Recipe(
        crowd="d", strategy="random", clusters=0, budget=10, filters=Filters.model_validate(band)
    )


def lines(path: Path) -> dict[str, dict]:
    return {row["id"]: row for row in map(json.loads, path.read_text().splitlines())}


def test_a_band_of_pass_rates_is_exported_with_right_answers(
    workspace: Workspace, crowd: pipeline.Session
) -> None:
    picked = pipeline.select(crowd, band_of(0.2, 0.8))
    assert sorted(picked.ids) == ["q1", "q2", "q3", "q4"]
    key = pipeline.save_selection(workspace, picked).id
    found = lines(pipeline.export(workspace, key, "prompts").data)
    assert {i: (row["ground_truth"], row["pass_rate"]) for i, row in found.items()} == {
        f"q{i}": (f"{i}", i / MODELS) for i in range(1, MODELS)
    }
    assert found["q1"]["prompt"] == [{"role": "user", "content": "What is 1?"}]
    options = {"truth": "level", "called": "solution", "passing": ""}
    other = lines(pipeline.export(workspace, key, "prompts", options=options).data)
    assert other["q2"].keys() == {"id", "prompt", "solution"}
    assert float(other["q2"]["solution"]) == 2
    with pytest.raises(InputError, match="cannot be called 'prompt'"):
        pipeline.export(workspace, key, "prompts", options={"called": "prompt"})
    with pytest.raises(NotFoundError, match="no column 'nowhere'"):
        pipeline.export(workspace, key, "prompts", options={"truth": "nowhere"})


def test_a_crowd_of_rewards_alone_has_prompts(workspace: Workspace, tmp_path: Path) -> None:
    rows = [{"id": f"q{i}", "instruction": f"What is {i}?", "model": f"m{j}", "judge": j % 2}
            for i in range(4) for j in range(3)]  # fmt: skip
    path = write_jsonl(tmp_path / "d.jsonl", rows)
    crowd = pipeline.ingest(workspace, "table", [path], name="d")
    recipe = Recipe(crowd="d", strategy="random", clusters=0, budget=2)
    key = pipeline.save_selection(workspace, pipeline.select(crowd, recipe)).id
    made = pipeline.export(workspace, key, "prompts")
    assert len(lines(made.data)) == 2
    assert made.manifest["counts"]["exported"] == 2
    assert all(row["pass_rate"] == pytest.approx(1 / 3) for row in lines(made.data).values())


@pytest.mark.parametrize("name", ["prompt", "id", "pass_rate", " "])
def test_the_right_answer_takes_no_other_columns_place(name: str) -> None:
    with pytest.raises(InputError, match="such a column"):
        build(FORMATS["prompts"], {"called": name})
