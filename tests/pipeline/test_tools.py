"""Conversations that call tools, from the file to what is trained on."""

import json
from pathlib import Path

import pytest
from datasets import load_dataset

from crowdselect import pipeline
from crowdselect.errors import InputError
from crowdselect.lm.conversations import read_conversations
from crowdselect.making import Answerer, GenerateConfig
from crowdselect.pipeline.making import create_generate
from crowdselect.settings import Workspace
from crowdselect.values import Recipe

TOOL = {"type": "function", "function": {
    "name": "weather", "description": "The weather <b>now</b>",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}}  # fmt: skip
OTHER = {"type": "function", "function": {
    "name": "sum", "parameters": {"type": "object", "properties": {"n": {"type": "integer"}}},
}}  # fmt: skip


def call(name: str, **arguments: object) -> dict[str, object]:
    return {"type": "function", "function": {"name": name, "arguments": arguments}}


CALLS = {"role": "assistant", "content": "", "tool_calls": [call("weather", city="Oslo")]}
ROWS = [
    {"id": "ends", "tools": [TOOL], "messages": [
        {"role": "user", "content": "How is Oslo?"}, CALLS]},
    {"id": "goes-on", "tools": [TOOL], "messages": [
        {"role": "system", "content": "Be brief."}, {"role": "user", "content": "And Rome?"},
        {"role": "assistant", "content": "", "tool_calls": [
            {"id": "c1", **call("weather", city="Rome")}]},
        {"role": "tool", "content": "12 <script>", "tool_call_id": "c1", "name": "weather"},
        {"role": "assistant", "content": "It is 12."}]},
    {"id": "two", "tools": json.dumps([OTHER]), "messages": [
        {"role": "user", "content": "Sums, please"},
        {"role": "assistant", "content": "Both:", "tool_calls": [
            call("sum", n=1), call("sum", n=2)]}]},
    {"id": "plain", "messages": [
        {"role": "user", "content": "What does <tool_call> mean?"},
        {"role": "assistant", "content":
            '<tool_call>\n{"name": "f", "arguments": {}}\n</tool_call>'}]},
]  # fmt: skip


@pytest.fixture
def crowd(workspace: Workspace, tmp_path: Path) -> pipeline.Session:
    path = tmp_path / "talks.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return pipeline.Session(pipeline.ingest(workspace, "sft", [path], name="talks"))


def saved(workspace: Workspace, crowd: pipeline.Session, *ids: str) -> str:
    recipe = Recipe(
        crowd="talks",
        strategy="random",
        clusters=0,
        budget=len(ids),
        pins=ids,
        answer="model:reference",
    )
    return pipeline.save_selection(workspace, pipeline.select(crowd, recipe)).id


def as_given(row: dict) -> dict:
    tools = row.get("tools")
    tools = json.loads(tools) if isinstance(tools, str) else tools
    return {"messages": row["messages"], **({"tools": tools} if tools else {})}


def test_they_come_out_as_they_went_in(
    workspace: Workspace, crowd: pipeline.Session, tmp_path: Path
) -> None:
    made = pipeline.export(workspace, saved(workspace, crowd, *(r["id"] for r in ROWS)), "messages")
    lines = {row["id"]: row for row in map(json.loads, made.data.read_text().splitlines())}
    for row in ROWS:
        found = lines[row["id"]]
        assert as_given(found) == as_given(row)
    assert load_dataset("json", data_files=str(made.data), cache_dir=str(tmp_path / "c"))
    # What a fine-tune reads of it: the calls, and the tools for the chat template.
    read = {c.id: c for c in read_conversations(made.data).rows}
    assert read["ends"].tools == (TOOL,)
    assert read["ends"].messages[-1]["tool_calls"] == CALLS["tool_calls"]
    assert not read["plain"].tools


def test_what_is_embedded_and_shown_holds_the_calls(crowd: pipeline.Session) -> None:
    texts = dict(zip(crowd.crowd.ids, crowd.crowd.instruction_texts(), strict=True))
    assert texts["ends"] == "How is Oslo?"
    assert '{"name": "weather", "arguments": {"city": "Rome"}' in texts["goes-on"]
    assert texts["goes-on"].endswith("12 <script>")
    answers = crowd.crowd.answers(crowd.crowd.row_of["two"])["response"]
    assert answers[0].startswith('Both:\n<tool_call>\n{"name": "sum", "arguments": {"n": 1}}')


def test_openai_gets_ids_and_arguments_as_text(
    workspace: Workspace, crowd: pipeline.Session
) -> None:
    made = pipeline.export(workspace, saved(workspace, crowd, "goes-on", "ends"), "openai")
    first, second = map(json.loads, made.data.read_text().splitlines())
    (called,) = first["messages"][2]["tool_calls"]
    assert called == {"id": "c1", "type": "function", "function": {
        "name": "weather", "arguments": '{"city": "Rome"}'}}  # fmt: skip
    assert first["messages"][3]["tool_call_id"] == "c1"
    assert second["messages"][1]["tool_calls"][0]["id"] == "call_1_0"
    assert first["tools"] == second["tools"] == [TOOL]


def test_sharegpt_and_llamafactory_name_calls_and_observations(
    workspace: Workspace, crowd: pipeline.Session, tmp_path: Path
) -> None:
    key = saved(workspace, crowd, "goes-on", "ends")
    made = pipeline.export(workspace, key, "llamafactory", tmp_path / "data", name="calls")
    first, second = json.loads(made.data.read_text())
    assert [t["from"] for t in first["conversations"]] == [
        "human", "function_call", "observation", "gpt",
    ]  # fmt: skip
    assert json.loads(second["conversations"][1]["value"]) == {
        "name": "weather", "arguments": {"city": "Oslo"},
    }  # fmt: skip
    assert json.loads(first["tools"]) == [TOOL]
    info = json.loads((tmp_path / "data" / "dataset_info.json").read_text())["calls"]
    assert info["columns"]["tools"] == "tools"
    assert info["tags"]["observation_tag"] == "observation"
    assert read_conversations(made.data).rows[1].messages[-1]["tool_calls"] == CALLS["tool_calls"]
    with pytest.raises(InputError, match="two speaks and calls a tool in one turn"):
        pipeline.export(workspace, saved(workspace, crowd, "two"), "sharegpt")


@pytest.mark.parametrize("form", ["alpaca", "parquet"])
def test_a_format_without_tools_refuses_the_row_by_name(
    workspace: Workspace, crowd: pipeline.Session, form: str
) -> None:
    with pytest.raises(InputError, match=f"goes-on has tools .* the format {form} cannot hold"):
        pipeline.export(workspace, saved(workspace, crowd, "plain", "goes-on"), form)
    assert pipeline.export(workspace, saved(workspace, crowd, "plain"), form).data.exists()


def test_trl_reads_prompt_completion_with_tools(
    workspace: Workspace, crowd: pipeline.Session
) -> None:
    utils = pytest.importorskip("trl.data_utils")
    made = pipeline.export(workspace, saved(workspace, crowd, "ends"), "prompt-completion")
    row = json.loads(made.data.read_text())
    assert utils.is_conversational(row)
    assert row["completion"][0]["tool_calls"] == CALLS["tool_calls"]
    assert json.loads(row["tools"]) == [TOOL]


def test_answers_to_such_are_not_made(workspace: Workspace, crowd: pipeline.Session) -> None:
    config = GenerateConfig(source="talks", name="n", answerers=(Answerer(name="m", model="m"),))
    with pytest.raises(InputError, match="has tools or calls them"):
        create_generate(workspace, config)
