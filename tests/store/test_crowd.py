"""Reading a crowd, and the few things that add to it."""

import sys
import threading
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from crowdselect.errors import InputError, NotFoundError
from crowdselect.settings import Workspace
from crowdselect.store import Crowd, open_crowd
from crowdselect.values import CrowdTexts, Model
from tests.crowds import (
    INSTRUCTIONS,
    MODELS,
    by_id,
    ingest,
    nested_rows,
    small_crowd,
    tidy_rows,
    write_csv,
    write_parquet,
)  # fmt: skip


@pytest.fixture
def crowd(workspace: Workspace, tmp_path: Path) -> Crowd:
    return small_crowd(workspace, tmp_path)


def test_what_went_in_comes_out(crowd: Crowd):
    assert (crowd.name, crowd.n, crowd.judges) == ("small", 4, ("reward",))
    assert crowd.ids.tolist() == ["q0", "q1", "q2", "q3"]
    assert crowd.row_of["q2"] == 2
    assert [m.name for m in crowd.models] == list(MODELS)
    assert crowd.instruction_texts() == list(INSTRUCTIONS)
    expected = [[10.0 * i + j for j in range(3)] for i in range(4)]
    np.testing.assert_array_equal(crowd.rewards().values, expected)
    assert crowd.rewards().values.dtype == np.float64


def test_one_instruction_with_its_answers(crowd: Crowd):
    found = crowd.instruction(1)
    assert (found.id, found.text, found.extra) == ("q1", INSTRUCTIONS[1], {"kind": "odd"})
    answers = crowd.answers(1)
    assert answers.columns.tolist() == ["model", "family", "size_b", "response", "reward"]
    assert answers["response"].tolist() == [f"answer 1 of {m}" for m in MODELS]
    assert answers["size_b"].tolist() == [1, 7, 3]
    with pytest.raises(NotFoundError, match="no row 4"):
        crowd.instruction(4)


def test_rows_come_in_the_order_asked_for(crowd: Crowd):
    assert crowd.instruction_texts([3, 0]) == [INSTRUCTIONS[3], INSTRUCTIONS[0]]
    page = crowd.page([2, 2, 0])
    assert page["id"].tolist() == ["q2", "q2", "q0"]
    assert page["chars"].tolist() == [len(INSTRUCTIONS[k]) for k in (2, 2, 0)]
    assert page["kind"].tolist() == ["even", "even", "even"]


def test_responses_of_takes_one_model_per_row(crowd: Crowd):
    found = crowd.responses_of(np.array([2, -1, 0, 1]))
    assert found == [
        f"answer 0 of {MODELS[2]}", None, f"answer 2 of {MODELS[0]}", f"answer 3 of {MODELS[1]}",
    ]  # fmt: skip


def test_lengths_are_dense_and_missing_where_there_is_no_answer(
    workspace: Workspace, tmp_path: Path
):
    rows = tidy_rows(2)
    rows[1]["response"] = None
    rows[2]["response"] = ""
    crowd = ingest(workspace, [write_parquet(tmp_path / "t.parquet", rows)])
    texts: CrowdTexts = crowd.texts
    chars = texts.response_lengths("chars")
    assert chars[0, 0] == len(rows[0]["response"])
    assert np.isnan(chars[0, 1])
    assert chars[0, 2] == 0
    assert texts.instruction_lengths("words").tolist() == [4, 5]
    assert crowd.answers(0)["response"].tolist() == [rows[0]["response"], None, ""]


def test_columns_beside_the_instruction_keep_their_types(workspace: Workspace, tmp_path: Path):
    rows = [{**row, "level": k // 3, "big": None if k < 3 else 1.5} for k, row in
            enumerate(tidy_rows(2))]  # fmt: skip
    frame = [{"id": r["id"], "instruction": r["instruction"], "level": r["level"], "big": r["big"],
              "row": "x", "text_": None} for r in rows[::3]]  # fmt: skip
    files = [
        write_parquet(tmp_path / "instructions.parquet", frame),
        write_csv(tmp_path / "answers.csv", rows, ["id", "model", "response", "reward"]),
    ]
    extra = ingest(workspace, files).extra_columns()
    assert extra["level"].tolist() == [0.0, 1.0]
    assert extra["big"].dtype == np.float64
    assert np.isnan(extra["big"][0])
    assert extra["row"].tolist() == ["x", "x"]


def test_an_unknown_judge_is_named_with_the_known_ones(crowd: Crowd):
    with pytest.raises(NotFoundError, match="no judge 'rewrad'") as caught:
        crowd.rewards("rewrad")
    assert "reward" in caught.value.remedy


def test_judges_and_models_may_have_any_name(workspace: Workspace, tmp_path: Path):
    judges = ["a/b:c", "a b c", "A-B-C", "a-b-c.d", "../../evil", "ein \"Richter\" 'x'", "日本"]
    models = ["org/model-7B", "..", 'quo"te-1b', "sämi.3b", "select"]
    rows = [
        {"uuid": f"i{i}", "instruction": f"text {i}"}
        | {m: {"content": f"{m} {i}"} | {j: float(i + k) for k, j in enumerate(judges)}
           for m in models}
        for i in range(3)
    ]  # fmt: skip
    crowd = ingest(workspace, [write_parquet(tmp_path / "n.parquet", rows)], source="magpie")
    assert crowd.judges == tuple(judges)
    assert [m.name for m in crowd.models] == models
    for k, judge in enumerate(judges):
        np.testing.assert_array_equal(crowd.rewards(judge).values[:, 0], np.arange(3.0) + k)
    files = list((crowd.path / "rewards").iterdir())
    assert len(files) == len(judges)
    assert {f.parent for f in files} == {crowd.path / "rewards"}
    assert crowd.answers(1)["response"].tolist() == [f"{m} 1" for m in models]


def test_the_fingerprint_tells_content_not_form(workspace: Workspace, tmp_path: Path):
    rows = tidy_rows()
    one = ingest(workspace, [write_csv(tmp_path / "a.csv", rows)], "one")
    two = ingest(
        workspace, [write_parquet(tmp_path / "b.parquet", nested_rows(rows))], "two", "magpie"
    )
    assert one.fingerprint == two.fingerprint
    for column, value in (("response", "another"), ("reward", 99.0), ("instruction", "other")):
        changed = [{**r, column: value} if r["id"] == "q1" else r for r in rows]
        other = ingest(workspace, [write_csv(tmp_path / f"{column}.csv", changed)], column)
        assert other.fingerprint != one.fingerprint


def test_set_models_shows_in_crowds_opened_afterwards(workspace: Workspace, crowd: Crowd):
    frame = pd.DataFrame({"model": MODELS[::-1], "family": ["o", "t", "t"], "size_b": [3, None, 1]})
    before = by_id(crowd)
    crowd.set_models(frame)
    again = open_crowd(workspace, "small")
    assert [(m.name, m.family, m.size_b, m.source) for m in again.models] == [
        (MODELS[2], "o", 3.0, "table"),
        (MODELS[1], "t", None, "table"),
        (MODELS[0], "t", 1.0, "table"),
    ]
    assert by_id(again) == before
    assert again.answers(0)["response"].tolist() == [f"answer 0 of {m}" for m in MODELS[::-1]]
    with pytest.raises(InputError, match="no model 'x'"):
        crowd.set_models([Model("x")])
    with pytest.raises(InputError, match="column 'size_b' should hold"):
        crowd.set_models(frame.assign(size_b="big"))


def test_a_judge_added_later_is_aligned_by_id_and_model(workspace: Workspace, crowd: Crowd):
    frame = pd.DataFrame({"id": ["q3", "q0", "gone"], MODELS[1]: [0.5, np.inf, 1.0]})
    crowd.add_judge("second opinion", frame)
    again = open_crowd(workspace, "small")
    assert again.judges == ("reward", "second opinion")
    assert again.fingerprint != crowd.fingerprint
    assert by_id(again, "second opinion") == {("q3", MODELS[1]): 0.5}
    with pytest.raises(InputError, match="no model 'x'"):
        crowd.add_judge("third", pd.DataFrame({"id": ["q0"], "x": [1]}))


def test_a_crowd_cannot_be_written_through_its_handle(crowd: Crowd):
    for sql in ("DELETE FROM crowd.answers", "COPY crowd.meta TO 'x.csv'", "SET threads = 9"):
        with pytest.raises(duckdb.Error):
            crowd._con.cursor().execute(sql)
    with pytest.raises(ValueError, match="read-only"):
        crowd.rewards().values[0, 0] = 1


def test_many_threads_read_one_handle(crowd: Crowd):
    wrong: list[str] = []

    def read(k: int) -> None:
        for _ in range(5):
            if crowd.answers(k % 4)["response"][0] != f"answer {k % 4} of {MODELS[0]}":
                wrong.append("answers")
            if crowd.instruction_texts([k % 4]) != [INSTRUCTIONS[k % 4]]:
                wrong.append("texts")

    threads = [threading.Thread(target=read, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_crowd_of_another_version_says_so(workspace: Workspace, crowd: Crowd):
    crowd.close()
    with duckdb.connect(str(crowd.path / "crowd.duckdb")) as con:
        con.execute("UPDATE meta SET value = '0' WHERE key = 'schema_version'")
    with pytest.raises(InputError, match="tables have the version 0; this one reads 1"):
        open_crowd(workspace, "small")


def test_opening_what_is_not_there_names_what_is(workspace: Workspace, crowd: Crowd):
    with pytest.raises(NotFoundError, match="no crowd called 'smal'") as caught:
        open_crowd(workspace, "smal")
    assert "small" in caught.value.remedy


def test_reading_loads_neither_torch_nor_streamlit():
    import subprocess

    code = "import crowdselect.store, crowdselect.ingest, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"torch", "streamlit", "datasets", "tantivy"} & set(loaded)


@pytest.mark.parametrize("victim", ["crowd.duckdb", "report.json", "models.csv", "rewards"])
def test_damaged_files_are_an_error_with_a_remedy(workspace: Workspace, crowd: Crowd, victim: str):
    crowd.close()
    path = crowd.path / victim
    target = next(path.iterdir()) if path.is_dir() else path
    target.write_bytes(target.read_bytes()[:20] + b"\xff\xfe")
    with pytest.raises(InputError) as caught:
        open_crowd(workspace, "small")
    assert caught.value.remedy
