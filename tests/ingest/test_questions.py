"""What is asked: system prompt, earlier turns, question and input; kept, part of the identity."""

import hashlib

import pytest

from crowdselect.errors import InputError
from crowdselect.lm.prompts import question_text
from tests.crowds import (
    INSTRUCTIONS,
    MODELS,
    by_id,
    ingest,
    nested_rows,
    tidy_rows,
    write_csv,
    write_jsonl,
    write_parquet,
)  # fmt: skip

CITIES = ("Lima", "Oslo", "Rome", "")


def alpaca():
    return [
        {**{k: v for k, v in row.items() if k != "id"}, "instruction": "Name its country.",
         "input": CITIES[int(row["id"][1:])]}
        for row in tidy_rows()
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("name", ["input", "context"])
def test_rows_that_share_the_instruction_but_not_the_input(workspace, tmp_path, kind, name):
    rows = [{(name if k == "input" else k): v for k, v in row.items()} for row in alpaca()]
    write = {"csv": write_csv, "jsonl": write_jsonl, "parquet": write_parquet}[kind]
    crowd = ingest(workspace, [write(tmp_path / f"a.{kind}", rows)])
    wanted = [f"Name its country.\n{city}".strip() for city in CITIES]
    assert crowd.instruction_texts() == wanted
    assert crowd.report.duplicate_instructions == 0
    assert len(by_id(crowd)) == 12
    assert {u.column: u.meaning for u in crowd.report.columns}[name] == "input"


@pytest.mark.parametrize("layout", ["tidy", "wide", "nested"])
def test_a_system_prompt_is_part_of_the_question(workspace, tmp_path, layout):
    systems = ["Answer as a pirate.", "", None, "Be brief."]
    rows = tidy_rows()
    source = "table"
    if layout == "tidy":
        rows = [{**row, "system_prompt": systems[int(row["id"][1:])]} for row in rows]
    elif layout == "wide":
        rows = [{"id": f"q{i}", "instruction": INSTRUCTIONS[i], "system_prompt": systems[i],
                 **{m: float(i + j) for j, m in enumerate(MODELS)}} for i in range(4)]  # fmt: skip
    else:
        source = "magpie"
        rows = [{**row, "system_prompt": systems[i]} for i, row in enumerate(nested_rows(rows))]
    crowd = ingest(workspace, [write_parquet(tmp_path / "s.parquet", rows)], source=source)
    assert [len(p) for p in crowd.prompts()] == [2, 1, 1, 2]
    assert crowd.prompt(0)[0] == {"role": "system", "content": "Answer as a pirate."}
    assert crowd.instruction_texts() == [question_text(p) for p in crowd.prompts()]
    assert crowd.prompts([3, 1]) == [crowd.prompt(3), crowd.prompt(1)]
    plain = ingest(workspace, [write_csv(tmp_path / "p.csv", tidy_rows())], "plain")
    assert crowd.fingerprint != plain.fingerprint


def test_earlier_turns_are_part_of_the_question(workspace, tmp_path):
    rows = [{**row, "history": [["Hello", "Hi"]]} for row in tidy_rows()]
    crowd = ingest(workspace, [write_jsonl(tmp_path / "h.jsonl", rows)])
    assert [m["role"] for m in crowd.prompt(2)] == ["user", "assistant", "user"]
    assert crowd.instruction_texts()[2] == f"Hello\n\nHi\n\n{INSTRUCTIONS[2]}"


def test_the_same_words_in_other_turns_are_another_crowd(workspace, tmp_path):
    whole = [{**r, "instruction": f"Be brief.\n\n{r['instruction']}"} for r in tidy_rows()]
    apart = [{**r, "system": "Be brief."} for r in tidy_rows()]
    one = ingest(workspace, [write_jsonl(tmp_path / "one.jsonl", whole)], "one")
    two = ingest(workspace, [write_jsonl(tmp_path / "two.jsonl", apart)], "two")
    assert one.instruction_texts() == two.instruction_texts()
    assert one.fingerprint != two.fingerprint


def test_a_crowd_without_such_columns_keeps_its_ids_and_fingerprint(workspace, tmp_path):
    rows = [{k: v for k, v in row.items() if k != "id"} for row in tidy_rows()]
    crowd = ingest(workspace, [write_csv(tmp_path / "t.csv", rows)])
    assert crowd.ids[0] == hashlib.sha256(INSTRUCTIONS[0].encode()).hexdigest()[:16]
    told = ingest(workspace, [write_csv(tmp_path / "ids.csv", tidy_rows())], "told")
    # As it was before questions had turns.
    assert told.fingerprint.startswith("8a480bb1237aea0064d7f349b1a494ff")
    assert crowd.prompt(0) == ({"role": "user", "content": INSTRUCTIONS[0]},)


def test_a_prompt_that_ends_with_an_answer_is_refused(workspace, tmp_path):
    rows = [
        {**row, "instruction": [{"role": "assistant", "content": row["instruction"]}]}
        for row in tidy_rows()
    ]
    with pytest.raises(InputError, match=r"a\.jsonl, row 1: what is asked does not end"):
        ingest(workspace, [write_jsonl(tmp_path / "a.jsonl", rows)])
