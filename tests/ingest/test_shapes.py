"""Shapes that people have: lists, objects, pairs, conversations, samples; and what is asked."""

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
    write_jsonl,
    write_parquet,
)  # fmt: skip

TWO = MODELS[:2]


def uses(crowd):
    return {u.column: u.meaning for u in crowd.report.columns}


def ask(text):
    return [{"role": "user", "content": text}]


def ultra(i: int, **more):
    return {
        "source": "made-up",
        "instruction": INSTRUCTIONS[i],
        "models": list(TWO),
        "completions": [
            {"model": m, "response": f"answer {i} of {m}", "overall_score": i + j,
             "annotations": {"honesty": {"Rating": str(1 + j), "Rationale": "so"},
                             "helpfulness": {"Rating": "N/A" if i else "4", "Rationale": "so"}}}
            for j, m in enumerate(TWO)
        ],
        **more,
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_ultrafeedback_has_a_judge_per_aspect(workspace: Workspace, tmp_path: Path, kind: str):
    write = write_jsonl if kind == "jsonl" else write_parquet
    crowd = ingest(workspace, [write(tmp_path / f"uf.{kind}", [ultra(i) for i in range(3)])])
    assert crowd.judges == ("overall_score", "honesty", "helpfulness")
    assert crowd.rewards().values.tolist() == [[0, 1], [1, 2], [2, 3]]
    assert crowd.rewards("honesty").values.tolist() == [[1, 2]] * 3
    assert crowd.report.judges[2].rewards == 2  # N/A is missing
    assert crowd.answers(1)["response"].tolist() == [f"answer 1 of {m}" for m in TWO]
    assert uses(crowd)["completions"] == "response"
    assert uses(crowd)["models"] == "left out"
    assert crowd.extra_columns()["source"].tolist() == ["made-up"] * 3


def test_ranks_are_turned_round(workspace, tmp_path):
    rows = [
        {"prompt": f"\n\nHuman: {text} \n\nAssistant: ", "answers": [
            {"answer": "a", "model": "m-1b", "rank": 1.0},
            {"answer": "b", "model": "m-7b", "rank": 2.0}]}
        for text in INSTRUCTIONS
    ]  # fmt: skip
    crowd = ingest(workspace, [write_jsonl(tmp_path / "nectar.jsonl", rows)])
    assert crowd.instruction_texts() == list(INSTRUCTIONS)
    assert crowd.rewards("rank").values.tolist() == [[-1, -2]] * 4
    assert "1 is best" in "\n".join(crowd.report_lines())


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
@pytest.mark.parametrize("names", [
    ("instruction", "generation_models", "generations", "ratings"),
    ("prompt", "models", "responses", "scores"),
    ("question", "model_names", "outputs", "rewards"),
])  # fmt: skip
def test_parallel_lists(workspace, tmp_path, kind, names):
    text, models, answers, ratings = names
    rows = [
        {text: INSTRUCTIONS[i], models: list(TWO), answers: ["x", "y"], ratings: [1.5, i]}
        for i in range(3)
    ]
    write = write_jsonl if kind == "jsonl" else write_parquet
    crowd = ingest(workspace, [write(tmp_path / f"lists.{kind}", rows)])
    assert crowd.rewards(ratings).values.tolist() == [[1.5, 0], [1.5, 1], [1.5, 2]]
    assert crowd.answers(0)["response"].tolist() == ["x", "y"]
    rows[1][ratings] = [1.0]
    with pytest.raises(InputError, match=r"bad\.jsonl, row 2: .* holds 1 numbers"):
        ingest(workspace, [write_jsonl(tmp_path / "bad.jsonl", rows)], "bad")


def test_answers_and_rewards_by_model(workspace, tmp_path):
    rows = [
        {"id": i, "prompt": INSTRUCTIONS[i], "responses": dict.fromkeys(TWO, f"r{i}"),
         "rewards": {TWO[0]: i, TWO[1]: None}}
        for i in range(3)
    ]  # fmt: skip
    crowd = ingest(workspace, [write_jsonl(tmp_path / "by.jsonl", rows)])
    assert [m.name for m in crowd.models] == list(TWO)
    assert by_id(crowd, "rewards") == {(str(i), TWO[0]): i for i in range(3)}


def pair(i, **more):
    return {"prompt": INSTRUCTIONS[i], "prompt_id": f"p{i}", "chosen": "good", "rejected": "bad",
            "chosen_model": TWO[i % 2], "rejected_model": TWO[1 - i % 2],
            "score_chosen": 8.0, "score_rejected": 4.5 - i, **more}  # fmt: skip


def test_pairs_are_two_answers_of_the_named_models(workspace, tmp_path):
    crowd = ingest(workspace, [write_jsonl(tmp_path / "p.jsonl", [pair(i) for i in range(3)])])
    assert [m.name for m in crowd.models] == list(TWO)
    assert crowd.rewards("score").values.tolist() == [[8, 4.5], [3.5, 8], [8, 2.5]]
    assert crowd.answers(1)["response"].tolist() == ["bad", "good"]


def test_pairs_of_conversations_without_scores_or_without_models(workspace, tmp_path):
    rows = [
        {k: v for k, v in pair(i).items() if "score" not in k} | {
            side: [*ask(INSTRUCTIONS[i]), {"role": "assistant", "content": side}]
            for side in ("chosen", "rejected")}
        for i in range(3)
    ]  # fmt: skip
    crowd = ingest(workspace, [write_jsonl(tmp_path / "p.jsonl", rows)])
    assert crowd.rewards("preferred").values.tolist() == [[1, 0], [0, 1], [1, 0]]
    assert crowd.answers(0)["response"].tolist() == ["chosen", "rejected"]
    for row in rows:
        del row["chosen_model"], row["rejected_model"]
    with pytest.raises(InputError, match="does not say which model wrote which"):
        ingest(workspace, [write_jsonl(tmp_path / "q.jsonl", rows)], "q")


def test_battles_with_a_winner(workspace, tmp_path):
    rows = [
        {"question_id": f"q{i}", "model_a": TWO[0], "model_b": TWO[1], "winner": winner, **{
            f"conversation_{s}": [*ask(INSTRUCTIONS[i]), {"role": "assistant", "content": s}]
            for s in "ab"}}
        for i, winner in enumerate(["model_a", "model_b", "tie (bothbad)"])
    ]  # fmt: skip
    crowd = ingest(workspace, [write_jsonl(tmp_path / "arena.jsonl", rows)])
    assert crowd.instruction_texts() == list(INSTRUCTIONS[:3])
    assert crowd.rewards("preferred").values.tolist() == [[1, 0], [0, 1], [0.5, 0.5]]
    rows[1]["winner"] = "somebody"
    with pytest.raises(InputError, match=r"row 2: the winner 'somebody'"):
        ingest(workspace, [write_jsonl(tmp_path / "a.jsonl", rows)], "a")


@pytest.mark.parametrize("kind", ["jsonl", "parquet", "csv"])
def test_a_prompt_of_messages_is_what_they_say(workspace, tmp_path, kind):
    rows = [{**row, "instruction": ask(row["instruction"])} for row in tidy_rows()]
    rows[0]["instruction"] = rows[1]["instruction"] = rows[2]["instruction"] = [
        {"role": "system", "content": "Be brief."}, *ask("Hello"),
        {"role": "assistant", "content": "Hi"}, *ask("Add 2 and 3."),
    ]  # fmt: skip
    file = tmp_path / f"m.{kind}"
    if kind == "csv":  # pandas writes a list as Python prints it
        pd.DataFrame(rows).to_csv(file)
    else:
        (write_jsonl if kind == "jsonl" else write_parquet)(file, rows)
    crowd = ingest(workspace, [file])
    assert crowd.instruction_texts()[1:] == list(INSTRUCTIONS[1:])
    assert crowd.instruction_texts()[0] == "Be brief.\n\nHello\n\nHi\n\nAdd 2 and 3."
    assert [m["role"] for m in crowd.prompt(0)] == ["system", "user", "assistant", "user"]
    assert crowd.prompt(1) == ({"role": "user", "content": INSTRUCTIONS[1]},)
    assert len(by_id(crowd)) == 12


@pytest.mark.parametrize("column", ["messages", "conversations"])
def test_a_conversation_per_row_and_model(workspace, tmp_path, column):
    rows = [
        {"id": row["id"], "model": row["model"], "reward": row["reward"], column: [
            {"from": "human", "value": row["instruction"]},
            {"from": "gpt", "value": row["response"]}]}
        for row in tidy_rows()
    ]  # fmt: skip
    crowd = ingest(workspace, [write_jsonl(tmp_path / "c.jsonl", rows)])
    assert crowd.instruction_texts() == list(INSTRUCTIONS)
    assert crowd.answers(2)["response"].tolist() == [f"answer 2 of {m}" for m in MODELS]


def sampled():
    return [
        {**row, "response": f"{row['response']} v{k}", "reward": row["reward"] + k, "sample": k}
        for row in tidy_rows() for k in range(3)
    ]  # fmt: skip


def test_several_samples_of_a_model(workspace, tmp_path):
    file = write_jsonl(tmp_path / "bon.jsonl", sampled())
    with pytest.raises(InputError, match="12 times one model") as refused:
        ingest(workspace, [file], "no")
    assert "--samples mean, best, or each" in refused.value.remedy
    mean = ingest(workspace, [file], "mean", samples="mean")
    assert mean.judges == ("reward",)
    assert by_id(mean)["q1", MODELS[0]] == 11.0
    assert mean.answers(1)["response"][0].endswith("v0")
    best = ingest(workspace, [file], "best", samples="best")
    assert by_id(best)["q1", MODELS[0]] == 12.0
    assert best.answers(1)["response"][0].endswith("v2")
    each = ingest(workspace, [file], "each", samples="each")
    assert len(each.models) == 9
    assert by_id(each)["q1", f"{MODELS[0]} #2"] == 11.0
    assert {m.family for m in each.models} == {m.family for m in mean.models}


def test_known_lists_of_samples_need_the_rule_too(workspace, tmp_path):
    rows = [
        {"prompt": text, "model": m, "responses": ["a", "b"], "rewards": [0.0, 1.0]}
        for text in INSTRUCTIONS for m in TWO
    ]  # fmt: skip
    crowd = ingest(workspace, [write_jsonl(tmp_path / "n.jsonl", rows)], samples="best")
    assert crowd.rewards("rewards").values.tolist() == [[1, 1]] * 4


def test_files_of_other_tools_are_named_with_the_line_that_converts_them(workspace, tmp_path):
    logs = write_jsonl(tmp_path / "samples.jsonl", [
        {"doc_id": 0, "doc": {"q": "1+1"}, "resps": [["2"]], "acc": 1.0}])  # fmt: skip
    with pytest.raises(InputError, match="lm-evaluation-harness") as refused:
        ingest(workspace, [logs], "a")
    assert "jq -c" in refused.value.remedy
    batch = write_jsonl(tmp_path / "batch.jsonl", [
        {"custom_id": "x", "response": {"body": {"model": "m", "choices": []}}}])  # fmt: skip
    with pytest.raises(InputError, match="OpenAI"):
        ingest(workspace, [batch], "b")
    steer = write_jsonl(tmp_path / "steer.jsonl", [
        {"prompt": t, "response": "x", "helpfulness": 3, "verbosity": 1}
        for t in INSTRUCTIONS])  # fmt: skip
    with pytest.raises(InputError, match="no column says which model"):
        ingest(workspace, [steer], "c")


def test_a_saved_dataset_and_a_folder_with_splits(workspace, tmp_path):
    table = pa.Table.from_pylist(tidy_rows())
    saved = tmp_path / "saved"
    saved.mkdir()
    with (
        pa.OSFile(str(saved / "data-00000-of-00001.arrow"), "wb") as sink,
        pa.ipc.new_stream(sink, table.schema) as writer,
    ):
        writer.write_table(table)
    (saved / "state.json").write_text(
        json.dumps({"_data_files": [{"filename": "data-00000-of-00001.arrow"}]})
    )
    (saved / "dataset_info.json").write_text("{}")
    assert len(by_id(ingest(workspace, [saved], "saved"))) == 12
    data = tmp_path / "hub" / "data"
    data.mkdir(parents=True)
    pq.write_table(table.slice(0, 9), data / "train-00000-of-00001.parquet")
    pq.write_table(table.slice(9), data / "test-00000-of-00001.parquet")
    (tmp_path / "hub" / "dataset_infos.json").write_text("{}")
    crowd = ingest(workspace, [tmp_path / "hub"], "hub")
    assert crowd.n == 3
    assert any("split train is read; left out: test" in line for line in crowd.report_lines())
    assert ingest(workspace, [tmp_path / "hub"], "test", split="test").n == 1


def test_half_characters_in_cells_of_json_are_replaced_and_counted(workspace, tmp_path):
    lines = ["id,model,reward,messages"]
    for i, model in ((0, TWO[0]), (0, TWO[1]), (1, TWO[0]), (1, TWO[1])):
        turns = [*ask(f"q{i} \ud83d"), {"role": "assistant", "content": f"{model} \ude00"}]
        lines.append(f'q{i},{model},{i},"{json.dumps(turns).replace(chr(34), chr(34) * 2)}"')
    path = tmp_path / "d.csv"
    path.write_text("\n".join(lines) + "\n")
    crowd = ingest(workspace, [path])
    assert crowd.instruction(0).text == "q0 \ufffd"
    assert [n for n in crowd.report.notes if "lone" in n] == [
        "d.csv: 8 halves of characters (lone surrogates) were replaced by U+FFFD."
    ]


TURNS = [{"role": "system", "content": "Be brief."}, *ask("Hi"),
         {"role": "assistant", "content": "Hello."}, *ask("And?")]  # fmt: skip
A_FIRST, B_FIRST = ([{"role": "assistant", "content": f"{x} 0"}] for x in "ab")


@pytest.mark.parametrize(
    ("row", "asked"),
    [
        ({"prompt": TURNS, "a-1b_response": "a 0", "b-3b_response": "b 0"}, TURNS),
        ({"instruction": "And?", "history": [["Hi", "Hello."]], "system": "Be brief.",
          "a-1b_output": "a 0", "b-3b_output": "b 0"}, TURNS),
        ({"prompt": "And?", "a-1b_response": A_FIRST, "b-3b_response": B_FIRST}, ask("And?")),
        ({"prompt": "\n\nHuman: Hi\n\nAssistant: Hello.\n\nHuman: And?\n\nAssistant:",
          "a-1b_response": "a 0", "b-3b_response": "b 0"}, TURNS[1:]),
    ],
    ids=["prompt", "history", "answers", "dialogue"],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_a_wide_table_holds_conversations(workspace, tmp_path, row, asked, kind):
    rows = [{"id": f"q{i}", **row, "a-1b_reward": i, "b-3b_reward": [0.5]} for i in range(3)]
    write = write_jsonl if kind == "jsonl" else write_parquet
    crowd = ingest(workspace, [write(tmp_path / f"d.{kind}", rows)])
    assert list(crowd.prompt(1)) == asked
    answers = crowd.answers(1)
    assert answers[["model", "response", "reward"]].values.tolist() == [
        ["a-1b", "a 0", 1.0],
        ["b-3b", "b 0", 0.5],
    ]


def test_instructions_in_a_file_of_their_own_hold_conversations(workspace, tmp_path):
    asked = [{"id": i, "prompt": TURNS, "kind": "chat"} for i in range(2)]
    said = [{"id": i, "model": m, "response": m, "reward": i} for i in range(2) for m in TWO]
    files = [write_jsonl(tmp_path / "q.jsonl", asked), write_jsonl(tmp_path / "a.jsonl", said)]
    crowd = ingest(workspace, files)
    assert list(crowd.prompt(0)) == TURNS
    assert crowd.instruction(0).extra == {"kind": "chat"}
    assert crowd.answers(0)["response"].tolist() == list(TWO)


def test_conversations_with_rewards_and_no_answers(workspace, tmp_path):
    rows = [{"id": i, "prompt": TURNS, "model": m, "reward": i} for i in range(2) for m in TWO]
    crowd = ingest(workspace, [write_jsonl(tmp_path / "d.jsonl", rows)])
    assert list(crowd.prompt(1)) == TURNS
    assert by_id(crowd, "reward")["1", TWO[1]] == 1


def test_nested_rows_of_models_hold_earlier_turns(workspace, tmp_path):
    rows = [
        {"uuid": f"q{i}", "instruction": "And?", "chat_history": [["Hi", "Hello."]],
         **{m: {"content": m, "reward": 0.5 * i} for m in TWO}}
        for i in range(2)
    ]  # fmt: skip
    crowd = ingest(workspace, [write_parquet(tmp_path / "d.parquet", rows)], source="magpie")
    assert list(crowd.prompt(0)) == TURNS[1:]
    assert uses(crowd)["chat_history"] == "earlier turns"
    assert crowd.answers(0)["response"].tolist() == list(TWO)


def test_answers_by_model_with_their_scores(workspace, tmp_path):
    rows = [{"prompt": f"p{i}", "responses": {m: {"text": f"{m} {i}", "score": i + k}
            for k, m in enumerate(TWO)}} for i in range(2)]  # fmt: skip
    crowd = ingest(workspace, [write_jsonl(tmp_path / "d.jsonl", rows)])
    assert crowd.rewards("score").values.tolist() == [[0, 1], [1, 2]]
    assert crowd.answers(1)["response"].tolist() == [f"{m} 1" for m in TWO]


BATTLE = {"prompt": "p", "model_a": TWO[0], "model_b": TWO[1],
          "response_a": "x", "response_b": "y"}  # fmt: skip


@pytest.mark.parametrize(
    ("verdict", "first"),
    [
        ({"winner_model_a": 0, "winner_model_b": 1, "winner_tie": 0}, 0),
        ({"winner_model_a": 0, "winner_model_b": 0, "winner_tie": 1}, 0.5),
        ({"winner": "model_b"}, 0),
    ],
)
def test_who_won_is_read_from_its_columns(workspace, tmp_path, verdict, first):
    crowd = ingest(workspace, [write_jsonl(tmp_path / "d.jsonl", [BATTLE | verdict])])
    assert crowd.rewards("preferred").values.tolist() == [[first, 1 - first]]


def test_two_answers_of_which_nobody_says_the_better_have_no_rewards(workspace, tmp_path):
    assert ingest(workspace, [write_jsonl(tmp_path / "d.jsonl", [BATTLE])]).judges == ()
    graded = {"instruction": "p", "generator_1": TWO[0], "generator_2": TWO[1], "output_1": "x",
              "output_2": "y", "preference": 1.75}  # fmt: skip
    crowd = ingest(workspace, [write_jsonl(tmp_path / "e.jsonl", [graded])], "e")
    assert crowd.rewards("preferred").values.tolist() == [[0.25, 0.75]]
    lone = {"prompt": "p", "response1": "x", "response2": "y", "overall_preference": -2}
    with pytest.raises(InputError, match="does not say which model") as caught:
        ingest(workspace, [write_jsonl(tmp_path / "f.jsonl", [lone])], "f")
    assert "model_1 and model_2" in caught.value.remedy


@pytest.mark.parametrize("name", ["System Prompt", "sys", "system-message"])
def test_a_system_prompt_by_other_names(workspace, tmp_path, name):
    rows = [{**r, name: "Be brief."} for r in tidy_rows()]
    crowd = ingest(workspace, [write_jsonl(tmp_path / "d.jsonl", rows)])
    assert crowd.prompt(0)[0] == {"role": "system", "content": "Be brief."}


@pytest.mark.parametrize("words", [("Yes", "No"), ("PASS", "FAIL"), ("correct", "incorrect")])
@pytest.mark.parametrize("name", ["reward", "passed"])
def test_verdicts_in_words_count_as_one_and_zero(workspace, tmp_path, words, name):
    rows = [{**r, "reward": None, name: words[k % 2]} for k, r in enumerate(tidy_rows())]
    rows = [{c: v for c, v in r.items() if v is not None} for r in rows]
    crowd = ingest(workspace, [write_jsonl(tmp_path / "d.jsonl", rows)])
    assert set(crowd.rewards(name).values.ravel().tolist()) == {0.0, 1.0}
