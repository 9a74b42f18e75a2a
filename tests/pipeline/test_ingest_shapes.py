"""The same data through three shapes gives the same crowd, and the golden figures come out."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crowdselect import pipeline
from crowdselect.settings import Workspace
from tests.pipeline import tiny

COLUMNS = (
    "difficulty", "separability", "stability", "best_reward", "mean_reward", "min_reward",
    "reward_gap", "n_rewards", "length", "length:response:tokens", "calc_share",
)  # fmt: skip


def test_three_shapes_one_crowd(workspace: Workspace, tmp_path: Path) -> None:
    models = {"models": str(tiny.write_models(tmp_path))}
    crowds = [
        pipeline.ingest(workspace, "table", [tiny.write_tidy(tmp_path)], name="a", options=models),
        pipeline.ingest(
            workspace, "table", [tiny.write_wide(tmp_path)], name="b",
            options={**models, "judge": "strict"},
        ),
        pipeline.ingest(
            workspace, "magpie", [tiny.write_nested(tmp_path)], name="c", options=models
        ),
    ]  # fmt: skip
    first = pipeline.metrics(crowds[0], COLUMNS, judge="strict")
    assert not any(np.isnan(values).all() for values in first.columns.values())
    for crowd in crowds[1:]:
        other = pipeline.metrics(crowd, COLUMNS, judge="strict")
        assert list(other.ids) == list(first.ids)
        for name in COLUMNS:
            np.testing.assert_array_equal(other.columns[name], first.columns[name], err_msg=name)
    assert [m.name for m in crowds[0].models] == [name for name, _, _ in tiny.MODELS]


def test_golden_metrics(workspace: Workspace, tmp_path: Path) -> None:
    """Families A (2, 9, 27) and B (8, 70), six rows worked out by hand."""
    rows = {
        "r1": (-3, 1, 5, 0, 2),
        "r2": (5, 1, -3, 2, 0),
        "r3": (4, 1, 2.5, 1.5, 6),
        "r4": (1, 1, 3, 2, 2),
        "r5": (2, 2, 2, 2, 2),
        "r6": (-3, None, 5, 0, 2),
    }
    names = ["a2", "a9", "a27", "b8", "b70"]
    pd.DataFrame(
        [{"id": k, "instruction": f"Question {k}", "model": m, "reward": v}
         for k, values in rows.items() for m, v in zip(names, values, strict=True)]
    ).to_csv(tmp_path / "g1.csv", index=False)  # fmt: skip
    sizes = [("a2", "A", 2), ("a9", "A", 9), ("a27", "A", 27), ("b8", "B", 8), ("b70", "B", 70)]
    table = tmp_path / "m.csv"
    pd.DataFrame(sizes, columns=["model", "family", "size_b"]).to_csv(table, index=False)
    crowd = pipeline.ingest(
        workspace, "table", [tmp_path / "g1.csv"], name="g1", options={"models": str(table)}
    )
    found = pipeline.metrics(crowd).columns
    np.testing.assert_allclose(found["difficulty"], [-1, -1, -3, -1.8, -2, -1], atol=1e-12)
    np.testing.assert_allclose(found["separability"], [6.8, 6.8, 3.3, 0.56, 0, 8.5], atol=1e-12)
    stability = [1, -1, 0.25, 0.4330127018922193, 0, 1]
    np.testing.assert_allclose(found["stability"], stability, atol=1e-12)
    reference = pipeline.metrics(crowd, ["stability"], profile="reference").columns["stability"]
    np.testing.assert_allclose(reference[:5], [1, -1, 0.25, 1, 1], atol=1e-12)


TOPICS = {
    0: "bread dough flour oven butter",
    1: "python loop function array string",
    2: "comet orbit telescope gravity moon",
}


@pytest.fixture
def golden(workspace: Workspace, tmp_path: Path):
    """Eight instructions in clusters 0000 111 2 with given difficulty, separability, stability."""
    clusters = [0, 0, 0, 0, 1, 1, 1, 2]
    ids = [f"u{i}" for i in range(1, 9)]
    rows = [
        {"id": i, "instruction": f"{TOPICS[c]} {TOPICS[c]}", "model": m, "reward": 1.0,
         "response": f"{m} on {i}"}
        for i, c in zip(ids, clusters, strict=True) for m in ("one-1b", "one-2b")
    ]  # fmt: skip
    pd.DataFrame(rows).to_csv(tmp_path / "g3.csv", index=False)
    given = {
        "id": ids,
        "D": [-2, -1, 0, 1, 2, 3, 4, 5],
        "S": [1, 4, 0.5, 9, 2, 3, 0.1, 6],
        "T": [1, 0.5, 0.5, -1, 0, 1, -0.5, 0.25],
    }
    pd.DataFrame(given).to_csv(tmp_path / "scores.csv", index=False)
    crowd = pipeline.ingest(workspace, "table", [tmp_path / "g3.csv"], name="g3")
    crowd.import_scores(tmp_path / "scores.csv")
    return crowd


@pytest.mark.parametrize(
    ("weights", "budget", "expected"),
    [
        ((1, 1, 2), 3, "u6 u8 u1"),
        ((1, 1, 2), 5, "u6 u8 u1 u2 u5"),
        ((1, 1, 2), 8, "u6 u8 u1 u2 u3 u5 u4 u7"),
        ((1, 1, 2), 20, "u6 u8 u1 u2 u3 u5 u4 u7"),
        ((1, 1, 1), 5, "u8 u6 u2 u4 u5"),
        ((1, -1, 1.5), 5, "u6 u1 u3 u7 u8"),
        ((-1, -1, 1), 5, "u1 u3 u6 u5 u8"),
    ],
)
def test_golden_selection(golden, recipe, weights, budget, expected) -> None:
    """Ids of the worked example, from a file of scores through clustering to the selection."""
    made = recipe(
        crowd="g3",
        weights=dict(zip("DST", weights, strict=True)),
        budget=budget,
        options={"ties": "id"},
        filters={"exact_duplicates": "keep"},
    )
    chosen = pipeline.select(golden, made)
    assert " ".join(chosen.ids) == expected
    assert [c["eligible"] for c in chosen.report["clusters"]] == [4, 3, 1]
    if budget == 5:
        assert [c["taken"] for c in chosen.report["clusters"]] == [2, 2, 1]
    if weights == (1, 1, 2):
        known = {"u6": 3.142857, "u8": 2.714286, "u1": 2.142857, "u2": 2.142857, "u5": 1.571429}
        found = dict(zip(chosen.ids, chosen.scores, strict=True))
        for identity in known.keys() & found.keys():
            assert found[identity] == pytest.approx(known[identity], abs=1e-6)


def test_real_crowd_through_three_shapes(shared_dir: Path, workspace: Workspace, recipe) -> None:
    """805 real instructions, 27 models, two judges: identical numbers, selections and exports."""
    real = shared_dir / "real" / "alpaca_eval"
    models = {"models": str(real / "models.csv")}
    long = pd.read_parquet(real / "responses.parquet")
    texts = pd.read_parquet(real / "instructions.parquet").set_index("uuid")["instruction"]
    judge = "weighted_alpaca_eval_gpt4_turbo"
    order = pd.read_csv(real / "models.csv")["model"].tolist()
    wide = long.pivot(index="uuid", columns="model", values=judge).loc[texts.index, order]
    wide.columns = [f"{name}_reward" for name in order]
    responses = long.pivot(index="uuid", columns="model", values="response").loc[texts.index, order]
    responses.columns = [f"{name}_response" for name in order]
    file = workspace.root / "wide.parquet"
    joined = pd.concat([texts, wide, responses], axis=1).reset_index()
    joined.to_parquet(file, index=False)
    tidy = [real / "instructions.parquet", real / "responses.parquet"]
    crowds = [
        pipeline.ingest(workspace, "table", tidy, name="tidy", options=models),
        pipeline.ingest(
            workspace, "table", [file], name="wide", options={**models, "judge": judge}
        ),
        pipeline.ingest(
            workspace, "magpie", [real / "nested.parquet"], name="nested", options=models
        ),
    ]
    numbers = [pipeline.metrics(crowd, COLUMNS, judge=judge) for crowd in crowds]
    for other in numbers[1:]:
        assert list(other.ids) == list(numbers[0].ids)
        for name in COLUMNS:
            np.testing.assert_array_equal(other.columns[name], numbers[0].columns[name], name)
    exports = []
    for crowd in crowds:
        made = recipe(crowd=crowd.name, clusters=10, budget=100, judge=judge)
        chosen = pipeline.select(crowd, made)
        assert len(chosen.ids) == 100
        assert {c["taken"] for c in chosen.report["clusters"]} <= set(range(13))
        against = [shared_dir / "real" / "mt_bench" / "question.jsonl"]
        out = workspace.root / f"out-{crowd.name}"
        export = pipeline.export(workspace, chosen, "messages", out, against)
        # What overlaps with the benchmark is out, and others took its place.
        flagged = {hit["id"] for hit in export.manifest["decontamination"]["flagged"]}
        assert flagged & set(crowd.ids)
        assert flagged.isdisjoint(
            pipeline.load_selection(workspace, export.manifest["recipe_id"]).ids
        )
        assert export.n == export.manifest["counts"]["selected"] == 100
        exports.append(export.data.read_bytes())
    assert exports[0] == exports[1] == exports[2]
