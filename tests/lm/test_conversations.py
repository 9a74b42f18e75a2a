"""Nothing of a conversation is lost on the way from a file, whatever names its columns have."""

import json

import pytest

from crowdselect.errors import InputError
from crowdselect.lm.conversations import read_conversations
from crowdselect.lm.messages import for_template
from crowdselect.lm.prompts import first_exchange, question_text, read_prompts, spoken_text
from tests.crowds import write_jsonl

Q = {"role": "user", "content": "q"}
A = {"role": "assistant", "content": "a"}
S = {"role": "system", "content": "s"}
EARLIER = ({"role": "user", "content": "x"}, {"role": "assistant", "content": "y"})
CALL = {"type": "function", "function": {"name": "f", "arguments": {"city": "Oslo"}}}


def one(tmp_path, row, name="d.jsonl"):
    return read_conversations(write_jsonl(tmp_path / name, [row])).rows[0]


@pytest.mark.parametrize(
    ("row", "messages"),
    [
        ({"messages": [Q, A]}, (Q, A)),
        ({"Messages": [Q, A], "System": "s"}, (S, Q, A)),
        ({"messages": [S, Q, A], "system": "s"}, (S, Q, A)),
        ({"messages": json.dumps([Q, A])}, (Q, A)),
        ({"conversation": [Q, A]}, (Q, A)),
        ({"messages": [{"role": "developer", "content": "s"}, Q, A]}, (S, Q, A)),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "q"}]}, A]}, (Q, A)),
        ({"conversations": ["q", "a"]}, (Q, A)),
        (
            {
                "conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}],
                "system": "s",
            },
            (S, Q, A),
        ),
        ({"prompt": "q", "completion": "a", "system": "s"}, (S, Q, A)),
        ({"prompt": [Q], "completion": [A], "system_prompt": "s"}, (S, Q, A)),
        ({"prompt": [Q], "completion": A}, (Q, A)),
        ({"instruction": "q", "input": "", "output": "a", "history": None}, (Q, A)),
        ({"instruction": "q", "output": "a", "history": [["x", "y"]]}, (*EARLIER, Q, A)),
        ({"instruction": "q", "output": "a", "history": list(EARLIER)}, (*EARLIER, Q, A)),
        (
            {"instruction": "q", "input": "i", "output": "a"},
            ({"role": "user", "content": "q\ni"}, A),
        ),
        (
            {"instruction": "q", "context": "i", "response": "a"},
            ({"role": "user", "content": "q\ni"}, A),
        ),
        ({"question": "q", "answer": "a"}, (Q, A)),
        ({"input": "q", "output": "a"}, (Q, A)),
        ({"problem": "q", "solution": "a"}, (Q, A)),
    ],
)
def test_every_part_of_a_row_is_in_its_conversation(row, messages, tmp_path):
    assert one(tmp_path, row).messages == messages


def test_calls_thoughts_weights_and_tools_are_kept(tmp_path):
    tool = {"name": "f", "description": "d"}
    row = {
        "messages": [
            Q,
            {"role": "assistant", "content": None, "tool_calls": [
                {"id": "1", "type": "function",
                 "function": {"name": "f", "arguments": '{"city": "Oslo"}'}}]},
            {"role": "tool", "tool_call_id": "1", "content": "12"},
            {**A, "reasoning_content": "hm", "weight": 0},
        ],
        "tools": json.dumps([tool]),
        "id": 7,
        "category": "weather",
    }  # fmt: skip
    found = one(tmp_path, row)
    assert found.messages[1] == {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"id": "1", **CALL}],
    }
    assert found.messages[3] == {**A, "reasoning_content": "hm", "weight": 0.0}
    assert "weight" not in for_template(found.messages)[3]
    assert found.tools == ({"type": "function", "function": tool},)
    assert (found.id, found.category) == ("7", "weather")


def test_calls_as_sharegpt_and_older_files_write_them(tmp_path):
    turns = [
        {"from": "human", "value": "q"},
        {
            "from": "function_call",
            "value": json.dumps({"name": "f", "arguments": {"city": "Oslo"}}),
        },
        {"from": "observation", "value": "12"},
        {"from": "gpt", "value": "a"},
    ]
    found = one(tmp_path, {"conversations": turns, "tools": ""})
    assert [m["role"] for m in found.messages] == ["user", "assistant", "tool", "assistant"]
    assert found.messages[1]["tool_calls"] == [CALL]
    older = {"role": "assistant", "content": None, "function_call": CALL["function"]}
    assert one(tmp_path, {"messages": [Q, older]}).messages[1]["tool_calls"] == [CALL]


@pytest.mark.parametrize(
    "extra",
    [
        {"prompt": "q"},
        {"prompt": [Q]},
        {"prompt": None},
        {},
        {"question": "q"},
        {"prompt": "q", "system": "s"},
    ],
)
@pytest.mark.parametrize("whole", [True, False])
def test_a_pair_holds_its_question_once(extra, whole, tmp_path):
    good, bad = ({"role": "assistant", "content": c} for c in ("good", "bad"))
    before = [Q] if whole else []
    row = {**extra, "chosen": [*before, good], "rejected": [*before, bad]}
    if not whole and not any(extra.get(k) for k in ("prompt", "question")):
        with pytest.raises(InputError, match="share no prompt"):
            one(tmp_path, row)
        return
    found = one(tmp_path, row)
    system = (S,) if "system" in extra else ()
    assert found.messages == (*system, Q, good)
    assert found.rejected == (*system, Q, bad)
    assert found.prompt_turns == 1 + len(system)


@pytest.mark.parametrize("whole", ["chosen", "rejected"])
def test_a_pair_of_which_one_side_is_only_an_answer(whole, tmp_path):
    sides = {"chosen": "good", "rejected": "bad"}
    row = {
        k: [Q, {"role": "assistant", "content": v}] if k == whole else v for k, v in sides.items()
    }
    found = one(tmp_path, {"prompt": "q", "system": "s", **row})
    assert found.messages == (S, Q, {"role": "assistant", "content": "good"})
    assert found.rejected == (S, Q, {"role": "assistant", "content": "bad"})
    assert found.prompt_turns == 2


def test_pairs_as_llama_factory_writes_them(tmp_path):
    row = {
        "conversations": [{"from": "human", "value": "q"}],
        "chosen": {"from": "gpt", "value": "good"},
        "rejected": {"from": "gpt", "value": "bad"},
    }
    assert one(tmp_path, row).messages == (Q, {"role": "assistant", "content": "good"})


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"text": "q a"}, "question and answer in one text"),
        ({"input_ids": [1], "labels": [1]}, "already tokenised"),
        ({"instruction": "q", "completions": []}, "several completions"),
        ({"prompt": "q", "completion": "a", "label": False}, "'label'"),
        ({"instruction": "q", "output": None}, "nothing (null) in output"),
        ({"chosen": "Human: q", "rejected": "Human: r"}, "no prompt column"),
        ({"messages": [Q, A], "kto_tag": True}, "'kto_tag'"),
        ({"messages": [S, Q, A], "system": "other"}, "system column differs"),
        ({"messages": [Q, {"role": "assistant", "content": None}]}, "has no content"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}, A]}, "'image_url'"),
        ({"messages": [Q, {**A, "weight": 0.5}]}, "weight of a message is 0.5"),
        ({"conversations": [{"from": "function_call", "value": "{}"}]}, "names no function"),
        ({"conversations": [{"from": "function_call", "value": "f()"}]}, "not JSON"),
        ({"instruction": "q", "output": "a", "history": "x"}, "history"),
        ({"instruction": "q", "output": "a", "history": [["x"]]}, "history"),
        ({"prompt": [Q, A, Q], "input": "i", "completion": "a"}, "column input"),
        ({"prompt": "p", "chosen": [Q, A], "rejected": [Q, A]}, "no part of the conversations"),
        ({"messages": [Q, A], "tools": "f"}, "tools"),
    ],
)
def test_what_cannot_be_used_is_refused_by_its_row(row, words, tmp_path):
    with pytest.raises(InputError) as caught:
        one(tmp_path, row)
    assert "d.jsonl, row 1" in caught.value.problem
    assert words in caught.value.problem


def test_what_is_not_used_is_named_once(tmp_path):
    rows = [{"messages": [{**Q, "likes": 3}, A]}, {"messages": [{**Q, "likes": 3}, A]}]
    found = read_conversations(write_jsonl(tmp_path / "d.jsonl", rows))
    assert found.remarks == ("Not used of the messages: likes.",)
    rows = [{"question": "q", "context": "c", "answer": "a"}]
    (remark,) = read_conversations(write_jsonl(tmp_path / "e.jsonl", rows)).remarks
    assert remark == "question with context is taken for the question, answer for the answer."


def test_pairs_and_single_answers_do_not_mix(tmp_path):
    rows = [{"prompt": "q", "completion": "a"}, {"prompt": "q", "chosen": "a", "rejected": "b"}]
    with pytest.raises(InputError, match="row 2 is a preference row"):
        read_conversations(write_jsonl(tmp_path / "d.jsonl", rows))


def test_shards_that_name_their_columns_differently(tmp_path):
    folder = tmp_path / "shards"
    folder.mkdir()
    write_jsonl(folder / "a.jsonl", [{"instruction": "q", "output": "a"}])
    write_jsonl(folder / "b.jsonl", [{"instruction": "q", "response": "a"}])
    assert [row.messages for row in read_conversations(folder).rows] == [(Q, A)] * 2


@pytest.mark.parametrize(
    ("row", "messages"),
    [
        ({"instruction": "q", "input": "i"}, ({"role": "user", "content": "q\ni"},)),
        ({"prompt": [S, Q]}, (S, Q)),
        ({"messages": [*EARLIER, Q, A], "system": "s"}, (S, *EARLIER, Q)),
        ({"conversations": [{"from": "human", "value": "q"}]}, (Q,)),
        ({"turns": ["q"]}, (Q,)),
        ({"prompt": "", "question": "q"}, (Q,)),
    ],
)
def test_prompts_with_everything_before_the_answer(row, messages, tmp_path):
    (found,) = read_prompts(write_jsonl(tmp_path / "p.jsonl", [row]))
    assert found.messages == messages
    assert found.id == "1"
    assert found.text == question_text(messages)


def test_lists_of_prompts(tmp_path):
    (tmp_path / "p.json").write_text('["one", "two"]')
    (tmp_path / "p.txt").write_text("\ufeffone\n\ntwo\n", encoding="utf-8")
    for name in ("p.json", "p.txt"):
        assert [(p.id, p.text) for p in read_prompts(tmp_path / name)] == [
            ("1", "one"),
            ("2", "two"),
        ]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{"id": "a", "prompt": "x"}, {"id": "a", "prompt": "y"}], "row 2: the id a"),
        ([{"answer": "x"}], "row 1: it asks nothing"),
        ([{"prompt": " "}], "row 1: its question is empty"),
        ([{"turns": ["x", "y"]}], "row 1: its turns follow"),
        ([{"prompt": {"a": 1}}], "row 1"),
    ],
)
def test_bad_prompts_are_named(rows, words, tmp_path):
    with pytest.raises(InputError) as caught:
        read_prompts(write_jsonl(tmp_path / "p.jsonl", rows))
    assert words in caught.value.problem


def test_the_first_exchange_goes_by_roles():
    assert first_exchange([A, S, Q, {"role": "assistant", "content": "z"}]) == ((S, Q), "z")
    assert first_exchange([A, Q]) is None
    assert first_exchange([Q, A, Q]) == ((Q,), "a")


def test_a_question_of_several_turns_says_who_speaks():
    assert spoken_text([Q]) == "q"
    assert spoken_text([S, Q]) == "System: s\n\nUser: q"
    assert spoken_text([Q, A, Q]) == "User: q\n\nAssistant: a\n\nUser: q"


def test_half_characters_in_cells_that_hold_json_are_replaced_and_counted(tmp_path):
    turns = [{"role": "user", "content": "q \ud83d"}, {"role": "assistant", "content": "\ude00 a"}]
    path = tmp_path / "d.csv"
    cell = json.dumps(turns).replace('"', '""')
    path.write_text(f'messages\n"{cell}"\n')
    found = read_conversations(path)
    assert [m["content"] for m in found.rows[0].messages] == ["q \ufffd", "\ufffd a"]
    assert found.remarks == (
        "d.csv: 2 halves of characters (lone surrogates) were replaced by U+FFFD.",
    )


def test_a_row_knows_its_file(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.jsonl").write_text(
            '{"messages": [{"role": "user", "content": "q"}]}\n'
        )
    assert [r.where for r in read_conversations(tmp_path).rows] == [
        "a.jsonl, row 1",
        "b.jsonl, row 1",
    ]


@pytest.mark.parametrize(
    "row",
    [
        {"conversation": [{"human": "q", "assistant": "a", "system": "s"}]},
        {"conversation": [{"system": "s", "input": "q", "output": "a"}]},
        {"messages": {"role": ["system", "user", "assistant"], "content": ["s", "q", "a"]}},
        {"dialogue": [S, Q, A]},
        {"chat": [{"speaker": m["role"], "text": m["content"]} for m in (S, Q, A)]},
        {"System Prompt": "s", "instruction": "q", "output": "a"},
    ],
)
def test_more_dialects_of_conversations(tmp_path, row):
    assert one(tmp_path, row).messages == (S, Q, A)


@pytest.mark.parametrize("name", ["history", "chat_history", "previous_messages"])
def test_earlier_turns_by_other_names_and_forms(tmp_path, name):
    for turns in ([["x", "y"]], [{"user": "x", "assistant": "y"}], list(EARLIER)):
        row = {"instruction": "q", "output": "a", name: turns}
        assert one(tmp_path, row).messages == (*EARLIER, Q, A)
