"""Tidy and wide tables: what their columns are called, how they are laid out, several files."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from crowdselect.errors import InputError
from crowdselect.settings import Workspace
from tests.crowds import (
    INSTRUCTIONS,
    MODELS,
    by_id,
    ingest,
    tidy_rows,
    write_csv,
    write_jsonl,
    write_parquet,
)  # fmt: skip

EXPECTED = {(f"q{i}", m): 10.0 * i + j for i in range(4) for j, m in enumerate(MODELS)}


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "json", "parquet", "csv.gz", "jsonl.gz"])
def test_a_tidy_table_in_every_format(workspace: Workspace, tmp_path: Path, kind: str):
    file = tmp_path / f"crowd.{kind}"
    plain = tmp_path / f"crowd.{kind.removesuffix('.gz')}"
    if "csv" in kind:
        write_csv(plain, tidy_rows())
    elif kind == "tsv":
        text = write_csv(tmp_path / "x.csv", tidy_rows()).read_text().replace(",", "\t")
        plain.write_text(text)
    elif "jsonl" in kind:
        write_jsonl(plain, tidy_rows())
    elif kind == "json":
        import json

        plain.write_text(json.dumps(tidy_rows()))
    else:
        write_parquet(plain, tidy_rows())
    if kind.endswith(".gz"):
        file.write_bytes(gzip.compress(plain.read_bytes()))
    crowd = ingest(workspace, [file])
    assert by_id(crowd) == EXPECTED
    assert crowd.instruction_texts() == list(INSTRUCTIONS)
    assert crowd.answers(2)["response"].tolist() == [f"answer 2 of {m}" for m in MODELS]
    assert crowd.extra_columns()["kind"].tolist() == ["even", "odd", "even", "odd"]
    assert crowd.report.files == (file.name,)


@pytest.mark.parametrize(
    "names",
    [
        {"id": "uuid", "instruction": "prompt", "model": "generator", "response": "output"},
        {"id": "Prompt_ID", "instruction": "Question", "model": "LLM", "response": "Completion",
         "reward": "Score"},
        {"id": "instruction_id", "model": "model_name", "response": "answer", "reward": "my judge"},
    ],
)  # fmt: skip
def test_columns_are_recognised_by_the_names_people_use(workspace, tmp_path, names):
    rows = [{names.get(k, k): v for k, v in row.items()} for row in tidy_rows()]
    crowd = ingest(workspace, [write_csv(tmp_path / "t.csv", rows)])
    assert crowd.judges == (names.get("reward", "reward"),)
    assert by_id(crowd) == EXPECTED


def test_columns_can_be_told(workspace: Workspace, tmp_path: Path):
    names = {"id": "k", "instruction": "task", "model": "who", "response": "said", "reward": "good"}
    rows = [{names.get(k, k): v for k, v in row.items()} | {"other": 7} for row in tidy_rows()]
    crowd = ingest(
        workspace, [write_csv(tmp_path / "t.csv", rows)], id_column="k", instruction_column="task",
        model_column="who", response_column="said", judge_columns="good",
    )  # fmt: skip
    assert crowd.judges == ("good",)
    assert by_id(crowd) == EXPECTED
    with pytest.raises(InputError, match="no column 'nope' for the ids"):
        ingest(workspace, [tmp_path / "t.csv"], "again", id_column="nope", model_column="who")


def test_several_judges_and_numbers_that_are_no_judge(workspace: Workspace, tmp_path: Path):
    rows = [{**r, "armo": 0.1, "skywork": -3, "n_tokens": 12, "level": 4} for r in tidy_rows()]
    crowd = ingest(workspace, [write_csv(tmp_path / "t.csv", rows)])
    assert crowd.judges == ("reward", "armo", "skywork")
    assert crowd.extra_columns()["level"].tolist() == ["4"] * 4


def test_instructions_in_a_file_of_their_own(workspace: Workspace, tmp_path: Path):
    texts = [
        {"id": f"q{i}", "instruction": INSTRUCTIONS[i], "dataset": "mine"} for i in (3, 2, 1, 0)
    ]
    files = [
        write_csv(tmp_path / "instructions.csv", texts),
        write_jsonl(
            tmp_path / "responses.jsonl",
            [{k: r[k] for k in ("id", "model", "response", "reward")} for r in tidy_rows()],
        ),
    ]
    crowd = ingest(workspace, files)
    assert crowd.ids.tolist() == ["q3", "q2", "q1", "q0"]
    assert by_id(crowd) == EXPECTED
    assert list(crowd.extra_columns()) == ["dataset"]


def test_a_folder_of_shards_with_a_models_table(workspace: Workspace, tmp_path: Path):
    folder = tmp_path / "shards [1]"
    folder.mkdir()
    rows = tidy_rows()
    for k in range(3):
        write_parquet(folder / f"part-{k}.parquet", rows[k * 4 : k * 4 + 4])
    write_csv(folder / "models.csv", [{"model": MODELS[2], "family": "f", "size_b": 3}])
    crowd = ingest(workspace, [folder])
    assert by_id(crowd) == EXPECTED
    assert crowd.models[0].name == MODELS[2]
    assert (crowd.models[0].family, crowd.models[0].source) == ("f", "table")
    assert by_id(ingest(workspace, [str(tmp_path / "shards*" / "part-*.parquet")], "glob")) == (
        EXPECTED
    )


def test_rows_in_any_order_give_the_same_rewards(workspace: Workspace, tmp_path: Path):
    rows = tidy_rows(40)
    shuffled = [rows[k] for k in np.random.default_rng(0).permutation(len(rows))]
    one = ingest(workspace, [write_parquet(tmp_path / "a.parquet", rows)], "one")
    two = ingest(workspace, [write_parquet(tmp_path / "b.parquet", shuffled)], "two")
    assert by_id(one) == by_id(two)
    assert two.ids.tolist() == list(dict.fromkeys(r["id"] for r in shuffled))
    row = two.row_of["q17"]
    assert set(two.answers(row)["response"]) == {f"answer 17 of {m}" for m in MODELS}


def test_without_ids_the_text_names_the_instruction(workspace: Workspace, tmp_path: Path):
    rows = [{k: v for k, v in r.items() if k != "id"} for r in tidy_rows()]
    one = ingest(workspace, [write_csv(tmp_path / "a.csv", rows)], "one")
    two = ingest(workspace, [write_csv(tmp_path / "b.csv", rows[::-1])], "two")
    assert one.n == 4
    assert all(len(i) == 16 for i in one.ids)
    assert by_id(one) == by_id(two)


@pytest.mark.parametrize(
    ("reward", "response"),
    [("{}", "{}_response"), ("{}_reward", "{}_output"), ("score_{}", "answer_{}"), ("{}", None)],
)
def test_wide_tables_by_the_names_of_their_columns(workspace, tmp_path, reward, response):
    rows = []
    for i in range(4):
        row = {"id": f"q{i}", "instruction": INSTRUCTIONS[i], "topic": "t", "level": i}
        for j, model in enumerate(MODELS):
            row[reward.format(model)] = 10.0 * i + j
            if response:
                row[response.format(model)] = f"answer {i} of {model}"
        rows.append(row)
    crowd = ingest(workspace, [write_csv(tmp_path / "wide.csv", rows)], judge="Skywork")
    assert crowd.judges == ("Skywork",)
    assert {(i, m): v for (i, m), v in by_id(crowd).items()} == EXPECTED
    expected = [f"answer 1 of {m}" if response else None for m in MODELS]
    assert crowd.answers(1)["response"].tolist() == expected
    assert set(crowd.extra_columns()) == {"topic", "level"}


def test_a_wide_table_without_ids_keeps_rows_of_equal_text_apart(workspace, tmp_path):
    rows = [{"instruction": "same", "a-1b": k, "b-2b": -k} for k in range(3)]
    crowd = ingest(workspace, [write_csv(tmp_path / "wide.csv", rows)])
    assert crowd.n == 3
    assert [i[16:] for i in crowd.ids] == ["", "-2", "-3"]
    assert crowd.report.duplicate_instructions == 2


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"a": "x", "b": "y"}], "no column of instructions"),
        ([{"instruction": "x", "topic": "y"}], "neither tidy .* nor wide"),
        ([{"id": 1, "model": "m", "response": "r"}], "no column of instructions"),
    ],
)
def test_a_table_that_means_nothing_lists_its_columns(workspace, tmp_path, rows, message):
    with pytest.raises(InputError, match=message) as caught:
        ingest(workspace, [write_csv(tmp_path / "t.csv", rows)])
    assert all(name in str(caught.value) for name in rows[0])


def test_nested_parquet_is_sent_to_its_own_source(workspace: Workspace, tmp_path: Path):
    rows = [{"instruction": "x", "m": {"content": "c", "r": 1.0}, "k": {"content": "d", "r": 2.0}}]
    with pytest.raises(InputError, match="nested") as caught:
        ingest(workspace, [write_parquet(tmp_path / "n.parquet", rows)])
    assert "magpie" in caught.value.remedy


def test_paths_that_hold_nothing(workspace: Workspace, tmp_path: Path):
    for path, message in [
        (tmp_path / "no.csv", "no file or folder"),
        (tmp_path, "holds no"),
        (tmp_path / "*.csv", "holds no"),
    ]:
        with pytest.raises(InputError, match=message):
            ingest(workspace, [path])
    odd = tmp_path / "x.xlsx"
    odd.write_bytes(b"PK")
    with pytest.raises(InputError, match=r"ends in \.xlsx; expected"):
        ingest(workspace, [odd])
    two = [
        write_csv(tmp_path / "a.csv", tidy_rows()),
        write_jsonl(tmp_path / "b.jsonl", tidy_rows()),
    ]
    with pytest.raises(InputError, match="several formats: csv, json"):
        ingest(workspace, two)


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_columns_may_be_separated_by_any_common_sign(workspace, tmp_path, sign: str):
    rows = [{k: str(v).replace(",", "") for k, v in r.items()} for r in tidy_rows()]
    text = write_csv(tmp_path / "x.csv", rows).read_text().replace(",", sign)
    file = tmp_path / "t.csv"
    file.write_text(text)
    assert by_id(ingest(workspace, [file])) == EXPECTED
