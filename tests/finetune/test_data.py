"""Every format gives the same conversations; what is wrong is named by its row."""

import json

import pandas as pd
import pytest

from crowdselect.errors import InputError, NotFoundError
from crowdselect.finetune.data import read_data
from tests.crowds import write_jsonl

PAIRS = [("What is red?", "A colour."), ("Why – or “how”?\nTwo lines.", "So."), ("三?", "四 🙂")]
EXPECTED = [({"role": "user", "content": q}, {"role": "assistant", "content": a}) for q, a in PAIRS]
ROWS = {
    "messages": [{"messages": list(turns)} for turns in EXPECTED],
    "sharegpt": [
        {"conversations": [{"from": "human", "value": q}, {"from": "gpt", "value": a}]}
        for q, a in PAIRS
    ],
    "alpaca": [{"instruction": q, "input": "", "output": a} for q, a in PAIRS],
    "prompt-completion": [{"prompt": q, "completion": a} for q, a in PAIRS],
}


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("kind", ["jsonl", "json", "parquet"])
def test_every_format_and_file_gives_the_same_conversations(name, kind, tmp_path):
    path = tmp_path / f"data.{kind}"
    if kind == "jsonl":
        write_jsonl(path, ROWS[name])
    elif kind == "json":
        path.write_text(json.dumps(ROWS[name]), encoding="utf-8")
    else:
        pd.DataFrame(ROWS[name]).to_parquet(path)
    data = read_data(path)
    assert data.format == name
    assert [c.messages for c in data.conversations] == EXPECTED
    assert [c.row for c in data.conversations] == [1, 2, 3]


def test_csv_keeps_line_breaks(tmp_path):
    pd.DataFrame(ROWS["alpaca"]).to_csv(tmp_path / "d.csv", index=False)
    assert [c.messages for c in read_data(tmp_path / "d.csv").conversations] == EXPECTED


def test_prompt_and_completion_may_be_messages_and_input_joins_the_instruction(tmp_path):
    rows = [{"prompt": [EXPECTED[0][0]], "completion": [EXPECTED[0][1]]}]
    path = write_jsonl(tmp_path / "a.jsonl", rows)
    assert read_data(path).conversations[0].messages == EXPECTED[0]
    rows = [{"instruction": "Add.", "input": "1 2", "output": "3", "system": "Be brief."}]
    turns = read_data(write_jsonl(tmp_path / "b.jsonl", rows)).conversations[0].messages
    assert [m["content"] for m in turns] == ["Be brief.", "Add.\n1 2", "3"]
    assert turns[0]["role"] == "system"


def test_empty_answers_are_left_out_and_counted(tmp_path):
    rows = [*ROWS["alpaca"], {"instruction": "q", "output": "  "}]
    data = read_data(write_jsonl(tmp_path / "d.jsonl", rows))
    assert (len(data.conversations), data.empty) == (3, (4,))


def test_preference_pairs_with_and_without_a_prompt_column(tmp_path):
    user = {"role": "user", "content": "q"}
    good, bad = ({"role": "assistant", "content": text} for text in ("good", "bad"))
    rows = [
        {"prompt": "q", "chosen": "good", "rejected": "bad"},
        {"prompt": None, "chosen": [user, good], "rejected": [user, bad]},
        {"prompt": "q", "chosen": "same", "rejected": "same"},
    ]
    data = read_data(write_jsonl(tmp_path / "p.jsonl", rows), preference=True)
    first, second = data.conversations
    assert first.messages == second.messages == (user, good)
    assert first.rejected == second.rejected == (user, bad)
    assert first.prompt_turns == second.prompt_turns == 1
    assert data.empty == (3,)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{"text": "only"}], ["text", "known format"]),
        ([{"messages": EXPECTED[0]}, {"messages": "hello"}], ["row 2", "list of messages"]),
        ([{"messages": EXPECTED[0]}, {"message": []}], ["row 2", "messages"]),
        ([{"messages": [{"role": "wizard", "content": "x"}]}], ["row 1", "wizard"]),
        ([{"instruction": "q", "output": 3}], ["row 1", "int", "text"]),
        ([{"prompt": "q", "completion": "a"}, None], ["line 2"]),
    ],
)
def test_bad_rows_are_named(rows, words, tmp_path):
    with pytest.raises(InputError) as caught:
        read_data(write_jsonl(tmp_path / "d.jsonl", rows))
    for word in words:
        assert word in caught.value.problem
    assert "d.jsonl" in caught.value.problem


def test_bad_files_are_named(tmp_path):
    with pytest.raises(NotFoundError, match=r"nowhere\.jsonl"):
        read_data(tmp_path / "nowhere.jsonl")
    (tmp_path / "d.jsonl").write_text('{"prompt": "a", "completion": "b"}\n{broken\n')
    with pytest.raises(InputError, match="line 2"):
        read_data(tmp_path / "d.jsonl")
    (tmp_path / "e.jsonl").write_text("\n")
    with pytest.raises(InputError, match="no rows"):
        read_data(tmp_path / "e.jsonl")
    (tmp_path / "f.parquet").write_bytes(b"not parquet")
    with pytest.raises(InputError, match=r"f\.parquet"):
        read_data(tmp_path / "f.parquet")
    (tmp_path / "g.docx").write_bytes(b"x")
    with pytest.raises(InputError, match=r"\.docx"):
        read_data(tmp_path / "g.docx")


def test_data_and_method_must_go_together(tmp_path):
    plain = write_jsonl(tmp_path / "a.jsonl", ROWS["alpaca"])
    pairs = write_jsonl(tmp_path / "p.jsonl", [{"prompt": "q", "chosen": "a", "rejected": "b"}])
    with pytest.raises(InputError, match="alpaca"):
        read_data(plain, preference=True)
    with pytest.raises(InputError, match="preference"):
        read_data(pairs)


def test_pairs_with_what_their_methods_do_not_use_are_refused(tmp_path):
    call = {"function": {"name": "f", "arguments": {}}}
    for extra, words in [
        ({"tools": [{"name": "f"}]}, "tools"),
        ({"chosen": [{"role": "assistant", "content": "a", "weight": 0}]}, "weight 0"),
        ({"chosen": [{"role": "assistant", "content": "", "tool_calls": [call]}]}, "tool_calls"),
    ]:
        row = {"prompt": "q", "chosen": "a", "rejected": "b", **extra}
        with pytest.raises(InputError, match=f"row 1 has {words}"):
            read_data(write_jsonl(tmp_path / "p.jsonl", [row]), preference=True)


def test_nothing_to_learn_is_left_out_and_what_was_replaced_is_said(tmp_path):
    answer = {"role": "assistant", "content": "a"}
    rows = [
        {"messages": [{"role": "user", "content": "q \ud83d"}, answer]},
        {"messages": [{"role": "user", "content": "q"}, {**answer, "weight": 0}]},
    ]
    data = read_data(write_jsonl(tmp_path / "d.jsonl", rows))
    assert data.conversations[0].messages[0]["content"] == "q \ufffd"
    assert data.empty == (2,)
    assert "U+FFFD" in data.remarks[0]
