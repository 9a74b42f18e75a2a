"""Tables whose questions or answers call tools."""

import pytest

from crowdselect.errors import InputError
from tests.crowds import ingest, write_jsonl
from tests.ingest.test_shapes import TWO, ask


def test_a_prompt_that_calls_tools_keeps_its_calls(workspace, tmp_path):
    call = {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f"}}]}
    back = {"role": "tool", "content": "12", "name": "f", "tool_call_id": "c"}
    rows = [{"prompt": [*ask("q"), call, back], "model": m, "response": "x", "reward": 1}
            for m in TWO]  # fmt: skip
    crowd = ingest(workspace, [write_jsonl(tmp_path / "d.jsonl", rows)])
    asked, called, answered = crowd.prompt(0)
    assert asked == {"role": "user", "content": "q", "tools": []}
    assert called["tool_calls"] == [
        {"type": "function", "function": {"name": "f", "arguments": {}}}
    ]  # fmt: skip
    assert answered == back
    assert crowd.n == 1


def test_an_answer_that_calls_tools_needs_its_whole_conversation(workspace, tmp_path):
    call = {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f"}}]}
    rows = [{"instruction": "q", "model": m, "response": [call], "reward": 1} for m in TWO]
    with pytest.raises(InputError, match=r"row 1: 'response' calls tools, and what is asked"):
        ingest(workspace, [write_jsonl(tmp_path / "d.jsonl", rows)])
