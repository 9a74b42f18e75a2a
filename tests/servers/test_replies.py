"""Whatever a server sends is an answer or one failure with its own reason; no job ends by it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdselect.servers import (
    ChatReply,
    ChatRequest,
    RequestCache,
    ServerConfig,
    ask_all,
    may_succeed,
)
from crowdselect.servers.replies import read_reply
from tests.benchmark.judge import completion, serve

PARTS = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm [[2]]"}]}]
ANSWERS: dict[str, tuple[dict[str, Any], str]] = {
    "half an emoji": (
        {"raw": b'{"choices":[{"message":{"content":"\\ud835 [[7]]"}}]}'},
        "\ufffd [[7]]",
    ),
    "parts": (
        {"text": [*PARTS, {"type": "text", "text": "8 "}, {"type": "text", "text": "[[7]]"}]},
        "8 [[7]]",
    ),
    "texts": ({"text": ["8 ", "[[7]]"]}, "8 [[7]]"),
    "nul": ({"text": "\x00 [[7]]"}, "\x00 [[7]]"),
    "byte order mark": ({"raw": b'\xef\xbb\xbf{"choices":[{"message":{"content":"8"}}]}'}, "8"),
    "not UTF-8": ({"raw": b'{"choices":[{"message":{"content":"8 \xff"}}]}'}, "8 \ufffd"),
    "odd usage": (
        {
            "body": {
                **completion({"text": "8"}),
                "usage": {"prompt_tokens": 1e999, "completion_tokens": "x"},
            }
        },
        "8",
    ),
    "no usage": ({"body": {**completion({"text": "8"}), "usage": None}}, "8"),
    "logprobs without candidates": (
        {"text": "m", "choice": {"logprobs": {"content": [{"token": "m", "logprob": -0.1}]}}},
        "m",
    ),
    "logprobs null": (
        {"text": "m", "choice": {"logprobs": {"content": [{"token": "m", "top_logprobs": None}]}}},
        "m",
    ),
    "logprobs of nothing": ({"text": "m", "choice": {"logprobs": {"content": []}}}, "m"),
    "logprobs of strings": ({"text": "m", "choice": {"logprobs": {"content": ["m"]}}}, "m"),
    "empty": ({"text": ""}, ""),
}
FAILURES: dict[str, tuple[dict[str, Any], str]] = {
    "null": ({"text": None}, "its answer is null"),
    "null with thoughts": (
        {"text": None, "message": {"reasoning_content": "Well [[8]]"}},
        "thoughts only",
    ),
    "thoughts only": ({"text": PARTS}, "thoughts only"),
    "refusal": (
        {"text": None, "message": {"refusal": "I cannot help."}},
        "the model refused: I cannot help.",
    ),
    "refusal part": ({"text": [{"type": "refusal", "refusal": "No."}]}, "the model refused: No."),
    "filter": ({"text": "", "finish": "content_filter"}, "a content filter stopped the answer"),
    "filter in the middle": ({"text": "8", "finish": "content_filter"}, "a content filter stopped"),
    "filter beforehand": (
        {"status": 400, "body": {"error": {"message": "policy", "code": "content_filter"}}},
        "a content filter refused",
    ),
    "too long": (
        {"status": 400, "body": {"error": {"message": "maximum context length is 4096"}}},
        "the prompt does not fit",
    ),
    "cut": ({"text": "The gr", "finish": "length"}, "cut off at the length limit of 16 tokens"),
    "cut thoughts": (
        {"text": "<think>so", "finish": "length"},
        "its thoughts reached the length limit of 16",
    ),
    "cut before the answer": (
        {"text": None, "finish": "length", "message": {"reasoning": "so"}},
        "its thoughts reached",
    ),
    "endless thoughts": ({"text": "<think>so"}, "its thoughts never came to an end"),
    "tool": ({"text": None, "message": {"tool_calls": [{"id": "1"}]}}, "it called a tool"),
    "a number": ({"text": 8}, "its answer is no text but int"),
}
SERVERS: dict[str, tuple[dict[str, Any], str]] = {
    "half JSON": ({"raw": b'{"id": "x", "choices": [{"mess'}, "the server sent no whole JSON"),
    "cut body": ({"raw": b'{"id": "x"', "withheld": 99}, "the server broke off"),
    "error": (
        {"body": {"error": {"message": "upstream is overloaded", "code": 502}}},
        "the server sent an error: upstream is overloaded",
    ),
    "error text": ({"body": {"error": "overloaded"}}, "the server sent an error: overloaded"),
    "html": (
        {"raw": b"<html>Sign in to the proxy</html>", "type": "text/html"},
        "Sign in to the proxy",
    ),
    "nothing": ({"raw": b" "}, "nothing at all"),
    "a list": ({"body": [1]}, "JSON that is no completion"),
    "no choice": ({"body": {"choices": []}}, "no choice"),
    "no choices": ({"body": {"choices": None}}, "no choice"),
    "choice of text": ({"body": {"choices": ["8"]}}, "no choice"),
    "no message": ({"body": {"choices": [{"text": "8"}]}}, "no choice with a message"),
    "deep": ({"raw": b"[" * 100_000}, "no whole JSON"),
    "events": ({"raw": b'data: {"choices": []}\n\n', "type": "text/event-stream"}, "no whole JSON"),
    "bad gateway": (
        {"status": 502, "raw": b"<html>502</html>", "type": "text/html"},
        "the server refused",
    ),
    "odd error": (
        {"status": 400, "body": {"detail": [{"loc": ["body"], "msg": "no"}]}},
        "the server refused",
    ),
    "error of a list": ({"status": 400, "body": [1]}, "the server refused"),
    "hang up": ({"hang_up": True}, "the server did not answer"),
}


def asked(said: dict[str, Any], **options: Any) -> tuple[dict[str, ChatReply], int]:
    """Ask a plain question, the one that ``said`` answers, and a plain one again."""

    def behave(_: int, body: dict[str, Any]) -> dict[str, Any]:
        return said if body["messages"][0]["content"] == "odd" else {"text": "8"}

    requests = [
        ChatRequest(key, ({"role": "user", "content": key},), 16) for key in ("one", "odd", "two")
    ]
    replies: dict[str, ChatReply] = {}
    with serve(behave) as server:
        config = ServerConfig(
            model="m", base_url=server.url, concurrency=1, **{"retries": 0, **options}
        )
        ask_all(
            config,
            requests,
            lambda q, r: replies.__setitem__(q.key, r),
            cache=RequestCache(None),
        )
    assert replies["one"].text == replies["two"].text == "8"
    return replies, sum(b["messages"][0]["content"] == "odd" for b in server.asked)


@pytest.mark.parametrize("case", ANSWERS)
def test_odd_answers_are_read(case: str) -> None:
    said, text = ANSWERS[case]
    replies, _ = asked(said)
    assert (replies["odd"].text, replies["odd"].problem) == (text, "")


@pytest.mark.parametrize("case", FAILURES)
def test_an_answer_that_is_none_is_one_failure_and_not_asked_again(case: str) -> None:
    said, problem = FAILURES[case]
    replies, times = asked(said, retries=2)
    assert problem in replies["odd"].problem
    assert not may_succeed(replies["odd"].problem)
    assert times == 1


@pytest.mark.parametrize("case", SERVERS)
def test_a_servers_fault_is_one_failure_in_its_own_words(case: str) -> None:
    said, problem = SERVERS[case]
    replies, _ = asked(said)
    assert problem in replies["odd"].problem
    assert may_succeed(replies["odd"].problem)


@pytest.mark.parametrize("case", ["half JSON", "cut body", "error", "html", "no choice"])
def test_what_another_try_can_mend_is_tried_again(case: str, monkeypatch: Any) -> None:
    monkeypatch.setattr("crowdselect.servers.client.FIRST_PAUSE_S", 0.0)
    _, times = asked(SERVERS[case][0], retries=2)
    assert times == 3


def test_an_endless_answer_is_cut_off(monkeypatch: Any) -> None:
    monkeypatch.setattr("crowdselect.servers.transport.LARGEST_BODY", 2_000)
    replies, _ = asked({"text": "8" * 3_000})
    assert replies["odd"].problem.startswith("the server broke off: more than")


def test_a_server_that_recovers_is_believed(monkeypatch: Any) -> None:
    monkeypatch.setattr("crowdselect.servers.client.FIRST_PAUSE_S", 0.0)
    said = iter([{"raw": b"{"}, {"body": {"error": "busy"}}, {"text": "8"}])
    replies: dict[str, ChatReply] = {}
    with serve(lambda *_: next(said)) as server:
        config = ServerConfig(model="m", base_url=server.url, retries=2)
        request = ChatRequest("k", ({"role": "user", "content": "q"},), 16)
        ask_all(
            config, [request], lambda q, r: replies.__setitem__("k", r), cache=RequestCache(None)
        )
    assert replies["k"].text == "8"


def test_candidates_of_the_first_token_in_both_formats() -> None:
    old = {"tokens": ["m"], "token_logprobs": [-0.1], "top_logprobs": [{"m": -0.1, "M": -2}]}
    body = completion({"text": "m", "choice": {"logprobs": old}})
    assert read_reply(json.dumps(body).encode(), 1).logprobs == {"m": -0.1, "M": -2.0}
    odd = [{"token": "m", "logprob": None}, {"token": "M", "logprob": -2}, 7, {"logprob": -1}]
    new = {"content": [{"token": "m", "top_logprobs": odd}]}
    body = completion({"text": "m", "choice": {"logprobs": new}})
    assert read_reply(json.dumps(body).encode(), 1).logprobs == {"M": -2.0}


def test_half_a_character_in_a_question_is_replaced() -> None:
    with serve(lambda *_: {"text": "8"}) as server:
        config = ServerConfig(model="m", base_url=server.url, retries=0)
        request = ChatRequest("k", ({"role": "user", "content": "\ud835?"},), 16)
        ask_all(config, [request], lambda *_: None, cache=RequestCache(None))
    assert server.asked[0]["messages"][0]["content"] == "??"


values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["choices", "message", "content", "logprobs", "top_logprobs", "error",
                         "finish_reason", "refusal", "usage", "text", "type", "token", "logprob"]),
        inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@given(values)
def test_any_json_is_a_reply(value: Any) -> None:
    reply = read_reply(json.dumps(value).encode(), 9)
    assert reply.problem or isinstance(value, dict)
    message = {"choices": [{"message": value, "logprobs": value, "finish_reason": value}]}
    read_reply(json.dumps(message).encode(), 9)
    said = {"choices": [{"message": {"content": value, "refusal": value}}], "usage": value}
    reply = read_reply(json.dumps(said).encode(), 9)
    json.dumps(reply.text).encode()
    assert reply.text.encode() is not None


@given(st.binary(max_size=60))
def test_any_bytes_are_a_reply(body: bytes) -> None:
    assert read_reply(body, 9).problem
