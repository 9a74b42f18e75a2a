"""Dirty data: each case is an error that names file, row and column, or a line in the report."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crowdselect.errors import InputError
from crowdselect.settings import Workspace
from crowdselect.store import Crowd
from tests.crowds import (
    MODELS,
    by_id,
    ingest,
    left_behind,
    nested_rows,
    tidy_rows,
    write_csv,
    write_jsonl,
    write_parquet,
)  # fmt: skip

Rows = list[dict[str, Any]]
KINDS: dict[str, Callable[[Path, Rows], Path]] = {
    "csv": write_csv, "jsonl": write_jsonl, "parquet": write_parquet,
}  # fmt: skip


def ingest_rows(workspace: Workspace, folder: Path, kind: str, rows: Rows, **options: Any) -> Crowd:
    return ingest(workspace, [KINDS[kind](folder / f"crowd.{kind}", rows)], **options)


def refuse(workspace: Workspace, paths: list[Path], message: str, **options: Any) -> InputError:
    """The ingest fails with ``message`` and leaves nothing behind."""
    with pytest.raises(InputError, match=message) as caught:
        ingest(workspace, paths, **options)
    assert left_behind(workspace) == []
    assert caught.value.remedy
    return caught.value


# ---------------------------------------------------------------- counted, and in the report


@pytest.mark.parametrize("kind", KINDS)
def test_nan_and_infinite_rewards_are_missing_and_counted(workspace, tmp_path, kind):
    rows = tidy_rows()
    rows[0]["reward"], rows[4]["reward"], rows[8]["reward"] = math.nan, math.inf, -math.inf
    crowd = ingest_rows(workspace, tmp_path, kind, rows)
    (judge,) = crowd.report.judges
    assert (judge.rewards, judge.missing, judge.infinite) == (9, 3, 2)
    assert judge.nan == 1
    assert len(by_id(crowd)) == 9
    lines = crowd.report_lines()
    assert "Judge reward: 2 rewards are infinite; they count as missing." in lines
    assert any("3 rewards are missing (25.00%)" in line for line in lines)


@pytest.mark.parametrize("kind", KINDS)
def test_missing_and_empty_texts(workspace, tmp_path, kind):
    rows = [r for k, r in enumerate(tidy_rows()) if k != 3]
    rows[0]["response"] = None
    rows[1]["response"] = " \n "
    for row in rows[8:]:
        row["instruction"] = "   "
    crowd = ingest_rows(workspace, tmp_path, kind, rows)
    report = crowd.report
    assert (report.missing_responses, report.empty_responses, report.empty_instructions) == (
        2,
        1,
        1,
    )
    assert "1 instructions are empty; they cannot be selected." in crowd.report_lines()


def test_duplicate_instructions_are_counted_but_for_case_and_white_space(workspace, tmp_path):
    rows = tidy_rows()
    for row in rows[3:6]:
        row["instruction"] = "  add 2   AND 3."
    crowd = ingest_rows(workspace, tmp_path, "csv", rows)
    assert (crowd.n, crowd.report.duplicate_instructions) == (4, 1)


def test_a_model_without_reward_and_two_with_the_same(workspace, tmp_path):
    rows = tidy_rows()
    for i in range(4):
        rows[3 * i + 1]["reward"] = rows[3 * i]["reward"]
        rows[3 * i + 2]["reward"] = None
    crowd = ingest_rows(workspace, tmp_path, "parquet", rows)
    (judge,) = crowd.report.judges
    assert judge.models_without == (MODELS[2],)
    assert judge.identical == ((MODELS[0], MODELS[1]),)
    assert judge.missing == 0  # a model that has no reward at all is not counted cell by cell
    lines = crowd.report_lines()
    assert f"Judge reward: no reward at all for {MODELS[2]}." in lines
    assert any("identical; one of them is probably a copy" in line for line in lines)


def test_judges_on_different_scales_are_shown_with_their_ranges(workspace, tmp_path):
    rows = [{**r, "armo": r["reward"] / 1000} for r in tidy_rows()]
    lines = ingest_rows(workspace, tmp_path, "csv", rows).report_lines()
    assert (
        "The judges are on different scales (reward 0 to 32; armo 0 to 0.032); "
        "their rewards are never averaged." in lines
    )
    same = [{**r, "twin": 32 - r["reward"]} for r in tidy_rows()]
    again = ingest_rows(workspace, tmp_path, "jsonl", same, name="same")
    assert not any("scales" in line for line in again.report_lines())


def test_answers_to_unknown_ids_are_left_out_and_counted(workspace, tmp_path):
    texts = [{"id": f"q{i}", "instruction": f"text {i}"} for i in range(3)]
    files = [
        write_csv(tmp_path / "i.csv", [*texts, {"id": "q9", "instruction": "unanswered"}]),
        write_csv(tmp_path / "a.csv", tidy_rows(), ["id", "model", "response", "reward"]),
    ]
    report = ingest(workspace, files).report
    assert (report.unknown_ids, report.unanswered_instructions, report.responses) == (3, 1, 9)
    bad = write_csv(tmp_path / "b.csv", [{"id": "zz", "instruction": "x"}])
    with pytest.raises(InputError, match=r"No row of a\.csv names an instruction of b\.csv"):
        ingest(workspace, [bad, files[1]], "none")


def test_texts_that_mean_no_number(workspace, tmp_path):
    rows = tidy_rows()
    for k, word in enumerate(["", "NaN", "n/a", "None", "-", "NULL", " 7.5 "]):
        rows[k]["reward"] = word
    crowd = ingest_rows(workspace, tmp_path, "csv", rows)
    assert crowd.report.judges[0].missing == 6
    assert by_id(crowd)["q2", MODELS[0]] == 7.5


def test_no_rewards_and_no_responses_are_crowds_too(workspace, tmp_path):
    rows = [{k: v for k, v in r.items() if k != "reward"} for r in tidy_rows()]
    crowd = ingest_rows(workspace, tmp_path, "csv", rows)
    assert crowd.judges == ()
    assert any("no rewards yet" in line for line in crowd.report_lines())
    rows = [{k: v for k, v in r.items() if k != "response"} for r in tidy_rows()]
    crowd = ingest_rows(workspace, tmp_path, "jsonl", rows, name="bare")
    assert (crowd.report.responses, crowd.report.missing_responses) == (0, 0)


def test_windows_line_ends_a_byte_order_mark_and_line_breaks_in_texts(workspace, tmp_path):
    rows = tidy_rows()
    rows[0]["response"] = 'two\nlines, "quoted"\r\nand more'
    text = write_csv(tmp_path / "x.csv", rows[1:]).read_text()
    file = tmp_path / "crlf.csv"
    file.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert len(by_id(ingest(workspace, [file], "crlf"))) == 11
    quoted = ingest_rows(workspace, tmp_path, "csv", rows)
    assert quoted.answers(0)["response"][0] == rows[0]["response"]
    lines = write_jsonl(tmp_path / "x.jsonl", rows).read_bytes()
    file = tmp_path / "crlf.jsonl"
    file.write_bytes(lines.replace(b"\n", b"\r\n") + b"\r\n\r\n")
    assert len(by_id(ingest(workspace, [file], "crlf2"))) == 12


# ---------------------------------------------------------------- errors that name the place


@pytest.mark.parametrize("kind", KINDS)
def test_text_where_a_number_should_be(workspace, tmp_path, kind):
    rows = tidy_rows()
    if kind == "parquet":
        rows = [{**r, "reward": str(r["reward"])} for r in rows]
    rows[7]["reward"] = "excellent"
    file = KINDS[kind](tmp_path / f"c.{kind}", rows)
    refuse(workspace, [file], rf"c\.{kind}, row 8, column 'reward' .*found 'excellent'")


@pytest.mark.parametrize("kind", KINDS)
def test_duplicate_answers_list_ids_or_keep_the_first(workspace, tmp_path, kind):
    rows = tidy_rows()
    rows.append({**rows[4], "reward": -5.0})
    file = KINDS[kind](tmp_path / f"c.{kind}", rows)
    error = refuse(workspace, [file], rf"'q1' by '{MODELS[1]}' \(c\.{kind}, row 5 and .*row 13\)")
    assert "--dedupe-ids keep-first" in error.remedy
    crowd = ingest(workspace, [file], dedupe_ids="keep-first")
    assert by_id(crowd)["q1", MODELS[1]] == 11.0
    assert crowd.report.dropped_answers == 1


def test_duplicate_ids_of_nested_rows_list_ids_or_keep_the_first(workspace, tmp_path):
    rows = nested_rows(tidy_rows())
    rows.insert(2, {**rows[0], "instruction": "another", "kind": "second"})
    rows[0] |= {"instruction": "", "kind": None}
    file = write_parquet(tmp_path / "n.parquet", rows)
    message = r"1 ids occur more than once: 'q0' \(n\.parquet, row 1 and n\.parquet, row 3\)"
    refuse(workspace, [file], message, source="magpie")
    crowd = ingest(workspace, [file], source="magpie", dedupe_ids="keep-first")
    assert crowd.ids.tolist() == ["q0", "q1", "q2", "q3"]
    assert crowd.report.dropped_ids == 1
    assert crowd.instruction(0).text == ""  # the first row as it is, not a mixture of both
    assert crowd.extra_columns()["kind"].tolist() == [None] * 4
    assert by_id(crowd)["q3", MODELS[2]] == 32.0
    assert crowd.answers(3)["response"][2] == f"answer 3 of {MODELS[2]}"


def test_one_id_with_two_instructions(workspace, tmp_path):
    rows = tidy_rows()
    rows[1]["instruction"] = "something else"
    file = write_csv(tmp_path / "c.csv", rows)
    refuse(workspace, [file], r"1 ids have several instructions: 'q0' \(from c\.csv, row 1\)")
    crowd = ingest(workspace, [file], dedupe_ids="keep-first")
    assert crowd.instruction_texts()[0] == rows[0]["instruction"]


@pytest.mark.parametrize("column", ["id", "model"])
def test_rows_without_id_or_model(workspace, tmp_path, column):
    rows = tidy_rows()
    rows[6][column] = None
    for kind, write in KINDS.items():
        file = write(tmp_path / f"c.{kind}", rows)
        refuse(workspace, [file], rf"c\.{kind}, row 7: column '{column}' is empty")


def test_bytes_that_are_not_utf8_name_the_line_and_an_encoding_helps(workspace, tmp_path):
    rows = tidy_rows()
    rows[2]["response"] = "café"
    for kind, line in (("csv", 4), ("jsonl", 3)):
        text = KINDS[kind](tmp_path / f"u.{kind}", rows).read_text(encoding="utf-8")
        file = tmp_path / f"latin.{kind}"
        file.write_bytes(text.replace("\\u00e9", "é").encode("latin-1"))
        error = refuse(workspace, [file], rf"latin\.{kind}, line {line} is not UTF-8: byte 0xe9")
        assert "--encoding latin-1" in error.remedy
    for kind in ("csv", "jsonl"):
        crowd = ingest(workspace, [tmp_path / f"latin.{kind}"], kind, encoding="latin-1")
        assert crowd.answers(0)["response"][2] == "café"
    with pytest.raises(InputError, match="'klingon' is no encoding"):
        ingest(workspace, [tmp_path / "latin.csv"], "x", encoding="klingon")
    with pytest.raises(InputError, match=r"latin\.csv, line 4 is not ascii"):
        ingest(workspace, [tmp_path / "latin.csv"], "x", encoding="ascii")


def test_a_line_that_is_not_json_is_named(workspace, tmp_path):
    lines = [json.dumps(r) for r in tidy_rows()]
    for k, (bad, message) in enumerate([
        ('{"id": "q1", "model"', r"line 5 is not JSON"),
        ("not json at all", r"line 5 is not JSON"),
        ("[1, 2]", r"line 5 is a JSON list, expected an object"),
        ("17", r"line 5 is a JSON number, expected an object"),
    ]):  # fmt: skip
        file = tmp_path / f"{k}.jsonl"
        file.write_text("\n".join([*lines[:4], bad, *lines[5:]]) + "\n")
        refuse(workspace, [file], rf"{k}\.jsonl, {message}")


@pytest.mark.parametrize("share", [0.02, 0.5, 0.98])
@pytest.mark.parametrize("source", ["table", "magpie"])
def test_truncated_parquet_is_named(workspace, tmp_path, share, source):
    rows = tidy_rows(50) if source == "table" else nested_rows(tidy_rows(50))
    whole = write_parquet(tmp_path / "whole.parquet", rows).read_bytes()
    file = tmp_path / "cut.parquet"
    file.write_bytes(whole[: int(len(whole) * share)])
    refuse(workspace, [file], r"cut\.parquet cannot be read", source=source)


def test_empty_files(workspace, tmp_path):
    head = b"id,instruction,model,response,reward\n"
    contents = {"a.csv": b"", "b.jsonl": b"", "c.parquet": b"", "d.csv": head, "e.json": b"[]"}
    for name, content in contents.items():
        file = tmp_path / name
        file.write_bytes(content)
        refuse(workspace, [file], name.replace(".", r"\."))


def test_ragged_csv_names_the_line(workspace, tmp_path):
    file = tmp_path / "r.csv"
    text = write_csv(tmp_path / "x.csv", tidy_rows()).read_text().splitlines()
    text[5] = "only,two"
    file.write_text("\n".join(text))
    refuse(workspace, [file], r"r\.csv.*[Ll]ine[: ]*6")


def test_a_models_table_that_makes_no_sense(workspace, tmp_path):
    file = write_csv(tmp_path / "c.csv", tidy_rows())
    for rows, message in [
        ([{"model": "", "family": "f"}], "row 1: column 'model' is empty"),
        ([{"model": "a", "size_b": "big"}], "row 1, column 'size_b' should hold billions"),
        ([{"model": "a", "size_b": -1}], "found '-1'"),
        ([{"model": "a"}, {"model": "a"}], "lists 'a' twice"),
        ([{"model": "stranger"}], "describes none of the models"),
    ]:
        table = write_csv(tmp_path / "models.csv", rows)
        refuse(workspace, [file], message, models=str(table))
