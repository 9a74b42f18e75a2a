"""Nested Parquet: struct fields by name, unknown fields ignored, hub ids."""

from pathlib import Path

import numpy as np
import pytest

from crowdselect.errors import InputError
from crowdselect.settings import Workspace
from tests.crowds import MODELS, by_id, ingest, nested_rows, tidy_rows, write_parquet

JUDGES = ("ArmoRM-Llama3-8B-v0.1", "Skywork-Reward-Llama-3.1-8B")


def zoo_rows(n: int = 4) -> list[dict]:
    """Rows as in the Generator-Zoo, in another column order, with fields nobody asked for."""
    names = (
        "Qwen2.5-72B-Instruct",
        "gemma-2-2b-it",
        "Qwen2.5-3B-Instruct",
        "Phi-3-mini-128k-instruct",
    )
    return [
        {
            "uuid": f"u{i}",
            "instruction": f"instruction {i}",
            "language": "EN",
            "tags": ["a", "b"],
            "info": {"seed": 3},
        }
        | {
            name: {
                "n_tokens": 12,
                JUDGES[0]: i + j / 10,
                "content": f"{name} says {i}",
                JUDGES[1]: None if j == 3 else float(j - i),
                "flags": ["x"],
            }
            for j, name in enumerate(names)
        }
        for i in range(n)
    ]  # fmt: skip


def test_models_are_known_by_name_and_fields_found_by_name(workspace, tmp_path):
    crowd = ingest(workspace, [write_parquet(tmp_path / "z.parquet", zoo_rows())], source="magpie")
    assert crowd.judges == JUDGES
    assert [(m.family, m.size_b, m.source) for m in crowd.models] == [
        ("qwen2.5", 72, "known"), ("gemma-2", 2, "known"), ("qwen2.5", 3, "known"),
        ("phi-3", 3.8, "known"),
    ]  # fmt: skip
    np.testing.assert_allclose(crowd.rewards(JUDGES[0]).values[:, 1], [0.1, 1.1, 2.1, 3.1])
    assert crowd.answers(2)["response"][3] == "Phi-3-mini-128k-instruct says 2"
    assert crowd.report.judges[1].models_without == ("Phi-3-mini-128k-instruct",)
    assert list(crowd.extra_columns()) == ["language"]
    assert "Columns left out: tags, info." in crowd.report_lines()


def test_a_whole_answer_may_be_missing(workspace: Workspace, tmp_path: Path):
    rows = nested_rows(tidy_rows())
    rows[1][MODELS[0]] = None
    crowd = ingest(workspace, [write_parquet(tmp_path / "n.parquet", rows)], source="magpie")
    assert crowd.report.missing_responses == 1
    assert ("q1", MODELS[0]) not in by_id(crowd)
    assert len(by_id(crowd)) == 11


def test_shards_may_lack_models_and_their_rows_keep_their_place(workspace, tmp_path):
    rows = nested_rows(tidy_rows(6))
    for row in rows[3:]:
        del row[MODELS[1]]
    for k in range(2):
        write_parquet(tmp_path / f"train-{k}.parquet", rows[k * 3 : k * 3 + 3])
    crowd = ingest(workspace, [tmp_path], source="magpie")
    expected = {
        (f"q{i}", m): 10.0 * i + j
        for i in range(6)
        for j, m in enumerate(MODELS)
        if i < 3 or m != MODELS[1]
    }
    assert by_id(crowd) == expected
    assert crowd.ids.tolist() == [f"q{i}" for i in range(6)]


def test_fields_can_be_told(workspace: Workspace, tmp_path: Path):
    rows = [
        {"id": "a", "prompt": "p", "m-1b": {"said": "s", "content": "c", "good": 3, "bad": 0.5}},
        {"id": "b", "prompt": "q", "m-1b": {"said": "t", "content": "d", "good": 4, "bad": 0.5}},
    ]
    file = write_parquet(tmp_path / "n.parquet", rows)
    crowd = ingest(workspace, [file], source="magpie", content="said", judges="good")
    assert crowd.judges == ("good",)
    assert crowd.answers(0)["response"].tolist() == ["s"]
    assert crowd.rewards().values.tolist() == [[3.0], [4.0]]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"uuid": "a", "instruction": "x"}], "no struct column"),
        ([{"uuid": "a", "m": {"content": "x"}}], "no column of instructions"),
        ([{"instruction": "a", "m": {"tags": ["x"]}}], "no struct column"),
    ],
)
def test_what_is_not_nested_is_refused(workspace, tmp_path, rows, message):
    with pytest.raises(InputError, match=message):
        ingest(workspace, [write_parquet(tmp_path / "n.parquet", rows)], source="magpie")
