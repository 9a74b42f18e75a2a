"""Which column is what: known names, row numbers, counters, verdicts; and files written oddly."""

import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
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


def uses(crowd):
    return {u.column: u.meaning for u in crowd.report.columns}


@pytest.mark.parametrize(
    "name", ["Unnamed: 0", "index", "__index_level_0__", "", "row", "idx", "level_0", "row_number"]
)
def test_row_numbers_are_left_out_and_said(workspace: Workspace, tmp_path: Path, name: str):
    rows = [{name: k, **row} for k, row in enumerate(tidy_rows())]
    crowd = ingest(workspace, [write_csv(tmp_path / "t.csv", rows)])
    assert crowd.judges == ("reward",)
    assert by_id(crowd) == EXPECTED
    assert uses(crowd)[name] == "left out"
    assert any("row numbers" in line for line in crowd.report_lines())


@pytest.mark.parametrize("name", ["__index_level_0__", "Unnamed: 0", "row_id", "counter"])
def test_row_numbers_are_no_model_of_a_wide_table(workspace, tmp_path, name):
    rows = [
        {"id": f"q{i}", "instruction": t, "m-1b": 0.5, "m-7b": i / 2, name: 100 + i}
        for i, t in enumerate([*INSTRUCTIONS, "Sing."])
    ]
    crowd = ingest(workspace, [write_parquet(tmp_path / "w.parquet", rows)])
    assert [m.name for m in crowd.models] == ["m-1b", "m-7b"]


def test_numbers_that_name_or_count_are_no_judges_unless_told(workspace, tmp_path):
    rows = [
        {"worker_id": 17 + k % 2, "sample": k, "helpfulness": (k * 7) % 5, "n": k, **row}
        for k, row in enumerate(tidy_rows())
    ]
    file = write_csv(tmp_path / "t.csv", rows)
    crowd = ingest(workspace, [file])
    assert crowd.judges == ("helpfulness", "reward")
    assert {c: m for c, m in uses(crowd).items() if m == "left out"}.keys() == {
        "worker_id", "sample", "n"}  # fmt: skip
    told = ingest(workspace, [file], "told", judge_columns="sample,reward")
    assert told.judges == ("sample", "reward")


def test_every_column_is_accounted_for(workspace, tmp_path):
    rows = [{**row, "tags": ["a"], "none": None} for row in tidy_rows()]
    crowd = ingest(workspace, [write_jsonl(tmp_path / "t.jsonl", rows)])
    assert uses(crowd) == {
        "id": "id", "instruction": "instruction", "model": "model", "response": "response",
        "reward": "judge", "kind": "kept", "tags": "left out", "none": "left out"}  # fmt: skip


@pytest.mark.parametrize("kind", ["jsonl", "parquet", "csv"])
def test_two_names_that_differ_by_capitals_are_refused(workspace, tmp_path, kind):
    rows = [{**row, "Instruction": "SYSTEM: be brief"} for row in tidy_rows()]
    write = {"csv": write_csv, "jsonl": write_jsonl, "parquet": write_parquet}[kind]
    with pytest.raises(InputError, match="differ only in capital letters") as refused:
        ingest(workspace, [write(tmp_path / f"t.{kind}", rows)])
    assert "'Instruction'" in refused.value.problem
    assert "'instruction'" in refused.value.problem


def test_parquet_with_two_fields_of_one_name(workspace, tmp_path):
    table = pa.Table.from_pylist(tidy_rows())
    twice = table.append_column("reward", table["reward"])
    pq.write_table(twice, tmp_path / "t.parquet")
    with pytest.raises(InputError, match="two columns are called 'reward'"):
        ingest(workspace, [tmp_path / "t.parquet"])


def test_several_objects_on_a_line(workspace, tmp_path):
    lines = [json.dumps(row) for row in tidy_rows()]
    (tmp_path / "t.jsonl").write_text("\n".join([lines[0], lines[1] + lines[2], *lines[3:]]))
    with pytest.raises(InputError, match=r"t\.jsonl, line 2 holds more than one JSON value"):
        ingest(workspace, [tmp_path / "t.jsonl"])


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_true_and_false_count_as_one_and_zero(workspace, tmp_path, kind):
    rows = [{**row, "correct": row["reward"] > 15} for row in tidy_rows()]
    for row in rows:
        del row["reward"]
    write = {"csv": write_csv, "jsonl": write_jsonl, "parquet": write_parquet}[kind]
    crowd = ingest(workspace, [write(tmp_path / f"t.{kind}", rows)])
    assert crowd.judges == ("correct",)
    assert by_id(crowd) == {k: float(v > 15) for k, v in EXPECTED.items()}


def test_a_reward_in_a_list_of_one_and_in_a_list_of_two(workspace, tmp_path):
    rows = [{**row, "reward": [row["reward"]]} for row in tidy_rows()]
    for k, write in enumerate((write_jsonl, write_parquet)):
        file = write(tmp_path / ("t.jsonl" if k == 0 else "t.parquet"), rows)
        assert by_id(ingest(workspace, [file], f"c{k}")) == EXPECTED
    rows[4]["reward"] = [1.0, 2.0]
    with pytest.raises(InputError, match=r"row 5"):
        ingest(workspace, [write_jsonl(tmp_path / "bad.jsonl", rows)], "bad")


def test_decimal_commas(workspace, tmp_path):
    file = tmp_path / "t.csv"
    pd.DataFrame(tidy_rows()).to_csv(file, sep=";", decimal=",", index=False)
    assert by_id(ingest(workspace, [file])) == EXPECTED


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "utf-16-le"])
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_utf_16_is_recognised(workspace, tmp_path, encoding, kind):
    plain = (write_csv if kind == "csv" else write_jsonl)(tmp_path / f"p.{kind}", tidy_rows())
    file = tmp_path / f"t.{kind}"
    file.write_bytes(plain.read_text().encode(encoding))
    assert by_id(ingest(workspace, [file])) == EXPECTED


def test_half_an_emoji_is_replaced_and_counted(workspace, tmp_path):
    rows = tidy_rows()
    rows[2]["response"] = "cut \ud83d"
    crowd = ingest(workspace, [write_jsonl(tmp_path / "t.jsonl", rows)])
    assert crowd.answers(0)["response"][2] == "cut \ufffd"
    assert any("lone surrogate" in line for line in crowd.report_lines())


def test_quotes_escaped_by_a_backslash(workspace, tmp_path):
    lines = ['"id","instruction","model","response","reward"']
    lines += [
        f'"{r["id"]}","{r["instruction"]}","{r["model"]}",'
        f'"He said \\"no\\", and left","{r["reward"]}"'
        for r in tidy_rows()
    ]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    crowd = ingest(workspace, [tmp_path / "t.csv"])
    assert by_id(crowd) == EXPECTED
    assert crowd.answers(0)["response"][0] == 'He said "no", and left'


def test_a_last_row_of_forty_megabytes_is_not_dropped(workspace, tmp_path):
    rows = tidy_rows()
    rows[-1]["response"] = "h" * 40_000_000
    crowd = ingest(workspace, [write_csv(tmp_path / "t.csv", rows)])
    assert by_id(crowd) == EXPECTED
    assert len(crowd.answers(3)["response"][2]) == 40_000_000


def test_json_as_pandas_writes_it_and_rows_under_a_key(workspace, tmp_path):
    frame = pd.DataFrame(tidy_rows())
    frame.to_json(tmp_path / "columns.json")
    (tmp_path / "key.json").write_text(json.dumps({"version": 1, "data": tidy_rows()}))
    for name in ("columns", "key"):
        assert by_id(ingest(workspace, [tmp_path / f"{name}.json"], name)) == EXPECTED


def test_shards_that_call_one_thing_differently(workspace, tmp_path):
    rows = tidy_rows()
    one, two = rows[:6], [
        {("output" if k == "response" else k): v for k, v in row.items()} for row in rows[6:]
    ]  # fmt: skip
    files = [write_parquet(tmp_path / "a.parquet", one), write_parquet(tmp_path / "b.parquet", two)]
    crowd = ingest(workspace, files)
    assert crowd.report.missing_responses == 0
    assert any("Read as one column, response" in line for line in crowd.report_lines())


@pytest.mark.parametrize("other", ["{}.0", " {}", "{}.00"])
def test_ids_that_are_numbers_meet(workspace, tmp_path, other):
    asked = [{"id": i, "instruction": t} for i, t in enumerate(INSTRUCTIONS)]
    answers = [
        {"id": other.format(r["id"][1:]), "model": r["model"], "reward": r["reward"]}
        for r in tidy_rows()
    ]
    files = [write_csv(tmp_path / "i.csv", asked), write_csv(tmp_path / "a.csv", answers)]
    assert len(by_id(ingest(workspace, files))) == 12
    for row in answers:
        row["id"] = f"x{row['id']}"
    with pytest.raises(InputError, match="there the ids are like '0', here like 'x"):
        ingest(workspace, [files[0], write_csv(tmp_path / "b.csv", answers)], "b")


def test_names_are_trimmed_and_never_blank(workspace, tmp_path):
    rows = tidy_rows()
    rows[1]["model"] = f" {rows[1]['model']} "
    crowd = ingest(workspace, [write_csv(tmp_path / "t.csv", rows)])
    assert [m.name for m in crowd.models] == list(MODELS)
    rows[1]["model"] = " \u3000"
    with pytest.raises(InputError, match=r"t\.csv, row 2: column 'model' is empty"):
        ingest(workspace, [write_csv(tmp_path / "t.csv", rows)], "blank")


@pytest.mark.parametrize("name", ["all", "family", "size_b"])
def test_a_judge_may_not_be_called_by_a_word_with_a_meaning(workspace, tmp_path, name):
    rows = [{**row, name: 1.5} for row in tidy_rows()]
    file = write_csv(tmp_path / "t.csv", rows)
    with pytest.raises(InputError, match=f"a judge cannot be called '{name}'"):
        ingest(workspace, [file], judge_columns=name)


def test_a_judge_whose_name_holds_a_comma_is_told_and_weighed(workspace, tmp_path):
    from crowdselect.values import weights_from_text

    rows = [{**row, "acc,none": 1.5} for row in tidy_rows()]
    file = write_csv(tmp_path / "t.csv", rows)
    crowd = ingest(workspace, [file], judge_columns="acc,none,reward")
    assert crowd.judges == ("acc,none", "reward")
    assert weights_from_text("difficulty@acc,none=1, stability=2") == {
        "difficulty@acc,none": 1.0, "stability": 2.0}  # fmt: skip


def test_scores_by_id(workspace, tmp_path):
    asked = [{**row, "id": row["id"][1:]} for row in tidy_rows()]
    crowd = ingest(workspace, [write_csv(tmp_path / "t.csv", asked)])

    def scores(name, ids, values):
        return write_csv(
            tmp_path / f"{name}.csv", [{"id": i, "v": v} for i, v in zip(ids, values, strict=True)]
        )

    assert crowd.import_scores(scores("a", ["0.0", "1.0", "2.0"], [1, 2, 3])).matched == 3
    assert crowd.import_scores(scores("a", [" 0", "01"], [1, 2])).matched == 2
    nothing = crowd.import_scores(scores("a", [0, 1], ["nan", "nan"]), columns=["v"])
    assert nothing.summary.startswith("v: 0 instructions got a score. 2 rows hold no number")
    with pytest.raises(InputError, match=r"p\.csv, row 1, column 'v'.*found '50%'"):
        crowd.import_scores(scores("p", [0, 1], ["50%", "60%"]))
    with pytest.raises(InputError, match=r"d\.csv, row 3: the id '0' is that of d\.csv, row 1"):
        crowd.import_scores(scores("d", [0, 1, 0], [1, 2, 3]))
    with pytest.raises(InputError, match="there is 'x' here and '0' there"):
        crowd.import_scores(scores("x", ["x", "y"], [1, 2]))
    assert not list(tmp_path.glob("copy-*"))
