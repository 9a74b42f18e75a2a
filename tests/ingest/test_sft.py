"""Training data without a crowd: each row is an instruction with one reference answer."""

import csv
import json

import pytest

from crowdselect.errors import InputError
from crowdselect.ingest.sft import AUTHOR
from tests.crowds import ingest, left_behind, write_jsonl, write_parquet

ASK, SAY = {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}
SYSTEM = {"role": "system", "content": "S"}
CALL = {"tool_calls": [{"function": {"name": "f"}}]}
HUMAN, GPT = {"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}


@pytest.mark.parametrize(
    ("row", "asked"),
    [
        ({"instruction": "q", "output": "a"}, [ASK]),
        ({"instruction": "q", "input": "", "output": "a", "system": "S"}, [SYSTEM, ASK]),
        ({"instruction": "x", "input": "y", "output": "a"}, [ASK | {"content": "x\ny"}]),
        ({"instruction": "q", "output": "a", "history": [["q", "a"]]}, [ASK, SAY, ASK]),
        ({"instruction": "x", "context": "y", "response": "a"}, [ASK | {"content": "x\ny"}]),
        ({"prompt": "q", "completion": "a"}, [ASK]),
        ({"prompt": [SYSTEM, ASK], "completion": [SAY]}, [SYSTEM, ASK]),
        ({"question": "q", "answer": "a", "model": "gpt"}, [ASK]),
        ({"messages": [SYSTEM, ASK, SAY]}, [SYSTEM, ASK]),
        ({"messages": [ASK, SAY, ASK, SAY], "prompt": "q", "prompt_id": "p"}, [ASK, SAY, ASK]),
        ({"conversations": [HUMAN, GPT], "system_prompt": "S"}, [SYSTEM, ASK]),
        ({"conversations": ["q", "a"]}, [ASK]),
        ({"Instruction": "q", "Output": "a"}, [ASK]),
    ],
)
@pytest.mark.parametrize("kind", ["jsonl", "json", "parquet"])
def test_rows_of_the_usual_forms(workspace, tmp_path, row, asked, kind):
    path = tmp_path / f"d.{kind}"
    rows = [row | {"source": "web"}]
    if kind == "parquet":
        write_parquet(path, rows)
    elif kind == "json":
        path.write_text(json.dumps(rows))
    else:
        write_jsonl(path, rows)
    crowd = ingest(workspace, [path], source="sft")
    assert list(crowd.prompt(0)) == asked
    assert crowd.answers(0)[["model", "response"]].values.tolist() == [[AUTHOR, "a"]]
    assert (crowd.judges, crowd.instruction(0).extra["source"]) == ((), "web")
    assert {use.column for use in crowd.report.columns} == set(rows[0])


def test_what_stands_beside_the_answer_is_kept_and_scores_are_rewards(workspace, tmp_path):
    path = tmp_path / "d.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(
            [["messages", "lang", "level", "score", "generator"],
             [json.dumps([ASK, SAY]), "en", 3, 0.5, "gpt"]]
        )  # fmt: skip
    crowd = ingest(workspace, [path], source="sft", author="people")
    assert crowd.instruction(0).extra == {"lang": "en", "level": "3", "generator": "gpt"}
    assert [m.name for m in crowd.models] == ["people"]
    assert crowd.rewards("score").values.tolist() == [[0.5]]


def test_equal_questions_are_rows_of_their_own_and_an_open_end_is_told(workspace, tmp_path):
    rows = [{"messages": [ASK, SAY | {"content": f"a{k}"}, ASK]} for k in range(3)]
    crowd = ingest(workspace, [write_jsonl(tmp_path / "d.jsonl", rows)], source="sft")
    assert [crowd.answers(k)["response"].item() for k in range(3)] == ["a0", "a1", "a2"]
    assert any(line.startswith("3 conversations go on after") for line in crowd.report.notes)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"text": "### Human: q"}, "has no conversation"),
        ({"prompt": "q", "chosen": "a", "rejected": "b"}, "pairs of a chosen and a rejected"),
        ({"messages": [ASK]}, "row 2: .*does not end with an answer"),
        (
            {"messages": [ASK, SAY | CALL | {"content": "<tool_call>"}]},
            "row 2: an answer that calls tools holds <tool_call> among its words",
        ),
        ({"messages": [SAY, SAY]}, "row 2: what is asked does not end with a user's turn"),
    ],
)
def test_what_is_no_training_data_is_refused(workspace, tmp_path, row, says):
    first = {"messages": [ASK, SAY]} if "messages" in row else row
    path = write_jsonl(tmp_path / "d.jsonl", [first, row])
    with pytest.raises(InputError, match=says):
        ingest(workspace, [path], source="sft")
    assert left_behind(workspace) == []


def test_the_source_table_names_the_one_for_training_data(workspace, tmp_path):
    path = write_jsonl(tmp_path / "d.jsonl", [{"instruction": "q", "output": "a"}])
    with pytest.raises(InputError) as caught:
        ingest(workspace, [path])
    assert "crowdselect ingest sft FILE" in caught.value.remedy
