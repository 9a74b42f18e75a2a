"""Calls of tools as text and back, and where a text stays a text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdselect.lm.calls import (
    is_about_tools,
    knows_calls,
    read_written,
    tools_of,
    with_tools,
    without_tools,
    written,
)
from crowdselect.lm.messages import assistant, read_message, user

NAMES = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
CALLS = st.builds(
    lambda name, arguments, number: {
        **({"id": f"c{number}"} if number else {}),
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    },
    NAMES,
    st.dictionaries(st.text(max_size=6) | st.just("</tool_call>\n<tool_call>"), VALUES, max_size=3),
    st.integers(0, 3),
)


@given(st.text(max_size=40), st.lists(CALLS, min_size=1, max_size=3))
def test_an_answer_comes_back_from_its_text(words: str, calls: list) -> None:
    message = {"role": "assistant", "content": words, "tool_calls": calls}
    if "<tool_call>" in words:
        with pytest.raises(ValueError, match="among its words"):
            written(message)
        return
    assert read_written(written(message)) == message


@given(st.text(max_size=60))
def test_words_alone_stay_as_they_are(words: str) -> None:
    assert written(assistant(words)) == words
    if "<tool_call>" not in words:
        assert read_written(words) == assistant(words)


@pytest.mark.parametrize(
    "text",
    [
        "<tool_call>",
        "<tool_call>\nno JSON\n</tool_call>",
        '<tool_call>\n{"name": "", "arguments": {}}\n</tool_call>',
        '<tool_call>\n{"name": "f"}\n</tool_call>',
        '<tool_call>\n{"name": "f", "arguments": {}}\n</tool_call> and more',
        "<tool_call>\n[1]\n</tool_call>",
    ],
)
def test_what_is_no_call_stays_words(text: str) -> None:
    assert read_written(text) == assistant(text)


def test_a_question_carries_its_tools_in_its_first_message() -> None:
    asked = (user("q"), assistant("a"), user("r"))
    tool = {"type": "function", "function": {"name": "f"}}
    marked = with_tools(asked, [tool])
    assert knows_calls(marked)
    assert not knows_calls(asked)
    assert tools_of(marked) == (tool,)
    assert without_tools(marked) == asked
    assert not is_about_tools(marked)
    assert is_about_tools([read_message({"role": "tool", "content": "12"})])
