"""A real crowd in three shapes gives the same rewards, texts and oddities."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crowdselect.settings import open_workspace
from crowdselect.store import Crowd
from tests.crowds import ingest

JUDGES = ("weighted_alpaca_eval_gpt4_turbo", "alpaca_eval_gpt4")
Crowds = dict[str, Crowd]


@pytest.fixture(scope="module")
def crowds(shared_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Crowds:
    """The crowd of ``real/alpaca_eval``: nested, tidy, and laid out as AlpacaEval's results."""
    source, folder = shared_dir / "real" / "alpaca_eval", tmp_path_factory.mktemp("real")
    workspace = open_workspace(folder / "workspace")
    results = _alpaca_layout(source, folder / "results")
    tidy = [source / "instructions.parquet", source / "responses.parquet"]
    models = str(source / "models.csv")
    return {
        "tidy": ingest(workspace, tidy, "tidy", models=models),
        "nested": ingest(workspace, [source / "nested.parquet"], "nested", "magpie", models=models),
        "results": ingest(workspace, [results], "results", "alpaca-eval", models=models),
    }


def _alpaca_layout(source: Path, folder: Path) -> Path:
    """Write the tidy files as ``<model>/model_outputs.json`` and annotations."""
    texts = pd.read_parquet(source / "instructions.parquet").set_index("uuid")
    rows = pd.read_parquet(source / "responses.parquet")
    for model, mine in rows.groupby("model"):
        outputs = []
        for row in mine.itertuples():
            text = texts.loc[row.uuid]
            outputs.append({"instruction": text["instruction"], "dataset": text["dataset"],
                            "output": row.response, "generator": model})  # fmt: skip
        (folder / str(model)).mkdir(parents=True)
        (folder / str(model) / "model_outputs.json").write_text(json.dumps(outputs))
        for judge in JUDGES:
            if mine[judge].notna().any():
                items = [
                    {"instruction": o["instruction"], "generator_2": model, "output_2": o["output"],
                     "preference": None if np.isnan(v) else 1 + v}
                    for o, v in zip(outputs, mine[judge], strict=True)
                ]  # fmt: skip
                (folder / str(model) / judge).mkdir()
                (folder / str(model) / judge / "annotations.json").write_text(json.dumps(items))
    return folder


def _by_text(crowd: Crowd, judge: str) -> pd.DataFrame:
    values = crowd.rewards(judge)
    names = [m.name for m in values.models]
    return pd.DataFrame(values.values, crowd.instruction_texts(), names).sort_index()


@pytest.mark.parametrize("judge", JUDGES)
def test_rewards_are_identical_in_every_shape(crowds: Crowds, judge: str):
    tidy = _by_text(crowds["tidy"], judge)
    assert tidy.shape == (805, 27)
    pd.testing.assert_frame_equal(_by_text(crowds["nested"], judge), tidy, check_exact=True)
    # 1 + p - 1 loses the last bits of p
    pd.testing.assert_frame_equal(_by_text(crowds["results"], judge), tidy, atol=1e-15, rtol=0)


def test_rewards_are_those_of_the_file(crowds: Crowds, shared_dir: Path):
    rows = pd.read_parquet(shared_dir / "real" / "alpaca_eval" / "responses.parquet")
    crowd = crowds["tidy"]
    place = {m.name: k for k, m in enumerate(crowd.models)}
    at = (rows["uuid"].map(crowd.row_of).to_numpy(), rows["model"].map(place).to_numpy())
    for judge in JUDGES:
        np.testing.assert_array_equal(crowd.rewards(judge).values[at], rows[judge].to_numpy())


def test_tidy_and_nested_are_the_same_crowd(crowds: Crowds):
    assert crowds["tidy"].fingerprint == crowds["nested"].fingerprint
    assert crowds["tidy"].models == crowds["nested"].models == crowds["results"].models


def test_answers_are_identical_in_every_shape(crowds: Crowds):
    texts = {name: crowd.instruction_texts() for name, crowd in crowds.items()}
    for k in (0, 17, 804):
        text = texts["tidy"][k]
        expected = crowds["tidy"].answers(k)["response"].tolist()
        for name, crowd in crowds.items():
            assert crowd.answers(texts[name].index(text))["response"].tolist() == expected


@pytest.mark.parametrize("shape", ["tidy", "nested", "results"])
def test_the_quirks_left_in_the_data_are_reported(crowds: Crowds, shape: str):
    report = crowds[shape].report
    assert (report.instructions, len(report.models)) == (805, 27)
    assert report.missing_responses == 2
    assert {m.name for m in report.models if m.responses < 805} == {"phi-2"}
    assert report.empty_responses == 22
    judges = {j.name: j for j in report.judges}
    assert judges[JUDGES[0]].missing == 2
    assert judges[JUDGES[1]].models == 7
    assert [set(g) for g in judges[JUDGES[1]].identical] == [
        {"falcon-7b-instruct", "falcon-40b-instruct"}
    ]
    assert sum(m.size_b is None for m in crowds[shape].models) == 2
