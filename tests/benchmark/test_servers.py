"""The chat client against a real server that refuses, stumbles, talks nonsense and dies."""

import dataclasses
import threading
from pathlib import Path
from typing import Any

import pytest

from crowdselect.errors import CancelledError, CrowdSelectError, InputError
from crowdselect.servers import (
    ChatReply,
    ChatRequest,
    RequestCache,
    ServerConfig,
    ask_all,
    cost_of,
    expected_cost,
    strip_thoughts,
)
from tests.benchmark.judge import Server, serve


def requests(n: int, **options: Any) -> list[ChatRequest]:
    return [
        ChatRequest(f"k{i}", ({"role": "user", "content": f"ask {i}"},), 16, **options)
        for i in range(n)
    ]


def ask(server: Server | str, asked: list[ChatRequest], cache: Path | None = None, **o: Any) -> Any:
    url = server if isinstance(server, str) else server.url
    config = ServerConfig(model="judge", base_url=url, **{"retries": 4, **o})
    replies: dict[str, ChatReply] = {}
    ask_all(config, asked, lambda q, r: replies.__setitem__(q.key, r), cache=RequestCache(cache))
    return replies


def echo(_: int, body: dict[str, Any]) -> dict[str, Any]:
    return {"text": body["messages"][-1]["content"].upper()}


def test_refusals_are_retried_until_all_are_answered() -> None:
    def sometimes(number: int, body: dict[str, Any]) -> dict[str, Any]:
        return (
            {"status": 429 if number % 5 == 0 else 500} if number % 5 in (0, 1) else echo(0, body)
        )

    with serve(sometimes) as server:
        replies = ask(server, requests(20), retries=8)
    assert {k: r.text for k, r in replies.items()} == {f"k{i}": f"ASK {i}" for i in range(20)}
    assert len(server.asked) > 20


def test_what_was_answered_is_never_asked_again(tmp_path: Path) -> None:
    with serve(echo) as server:
        first = ask(server, requests(6), tmp_path)
        again = ask(server, requests(8), tmp_path)
        assert len(server.asked) == 8
        other = ask(server, requests(6, temperature=0.5), tmp_path)
        assert len(server.asked) == 14
    assert [r.cached for r in first.values()] == [False] * 6
    assert sum(r.cached for r in again.values()) == 6
    assert not any(r.cached for r in other.values())


def test_a_whole_answer_serves_a_higher_limit_and_no_lower_one(tmp_path: Path) -> None:
    def cut_at_20(_: int, body: dict[str, Any]) -> dict[str, Any]:
        long = body["messages"][-1]["content"] == "ask 0" and body["max_tokens"] < 20
        return {"text": "The gr", "finish": "length"} if long else {"text": "8"}

    def with_limit(n: int) -> list[ChatRequest]:
        return [dataclasses.replace(request, max_tokens=n) for request in requests(3)]

    with serve(cut_at_20) as server:
        assert ask(server, with_limit(16), tmp_path)["k0"].problem
        replies = ask(server, with_limit(30), tmp_path)
        assert len(server.asked) == 4, "only what was cut is asked again"
        assert [r.text for r in replies.values()] == ["8"] * 3
        ask(server, with_limit(9), tmp_path)
        assert len(server.asked) == 7, "ten tokens do not fit into nine"


def test_a_broken_cache_file_is_asked_anew(tmp_path: Path) -> None:
    with serve(echo) as server:
        ask(server, requests(1), tmp_path)
        next(tmp_path.rglob("*.json")).write_text("{", encoding="utf-8")
        assert ask(server, requests(1), tmp_path)["k0"].text == "ASK 0"
        assert len(server.asked) == 2


def test_a_server_that_dies_loses_nothing(tmp_path: Path) -> None:
    died = threading.Event()

    def dies(number: int, body: dict[str, Any]) -> dict[str, Any]:
        if number > 5:
            died.set()
        return {"hang_up": True} if died.is_set() else echo(number, body)

    with serve(dies) as server, pytest.raises(CrowdSelectError) as error:
        ask(server, requests(12), tmp_path, retries=1, concurrency=2)
    assert "does not answer" in error.value.problem
    assert "resume" in error.value.remedy
    kept = len(list(tmp_path.rglob("*.json")))
    assert kept == 5


def test_nobody_there() -> None:
    with pytest.raises(CrowdSelectError, match="does not answer"):
        ask("http://127.0.0.1:9/v1", requests(1), retries=0)


@pytest.mark.parametrize(("status", "words"), [(401, "refuses the key"), (404, "does not serve")])
def test_wrong_key_and_wrong_model(status: int, words: str) -> None:
    with serve(lambda *_: {"status": status}) as server, pytest.raises(CrowdSelectError) as error:
        ask(server, requests(4))
    assert words in error.value.problem
    assert len(server.asked) <= 8


def test_one_refused_request_does_not_stop_the_others() -> None:
    def picky(_: int, body: dict[str, Any]) -> dict[str, Any]:
        return {"status": 400} if "ask 3" in str(body) else echo(0, body)

    with serve(picky) as server:
        replies = ask(server, requests(6))
    assert replies["k3"].problem.startswith("the server refused")
    assert sum(not r.problem for r in replies.values()) == 5


def test_a_server_that_only_refuses_is_given_up() -> None:
    with serve(lambda *_: {"status": 400}) as server, pytest.raises(CrowdSelectError) as error:
        ask(server, requests(40), concurrency=1)
    assert "in a row" in error.value.problem
    assert len(server.asked) == 8


def test_truncated_and_empty_answers_are_problems(tmp_path: Path) -> None:
    said = {
        "ask 0": {"text": "cut", "finish": "length"},
        "ask 1": {"text": "<think>for ever"},
        "ask 2": {"text": "<think>hm</think> 7"},
        "ask 3": {"text": None},
    }
    with serve(lambda _, body: said[body["messages"][-1]["content"]]) as server:
        replies = ask(server, requests(4), tmp_path)
    assert replies["k0"].problem == "cut off at the length limit of 16 tokens"
    assert replies["k1"].problem == "its thoughts never came to an end"
    assert replies["k2"].text == "7"
    assert (replies["k3"].text, replies["k3"].problem) == ("", "its answer is null")
    assert len(list(tmp_path.rglob("*.json"))) == 1, "problems are not cached"


def test_first_token_candidates() -> None:
    top = {"m": -0.1, "M": -2.3}
    with serve(lambda *_: {"text": "m", "finish": "length", "top": top}) as server:
        reply = ask(server, requests(1, top_logprobs=5))["k0"]
    assert (reply.logprobs, reply.problem) == (top, "")
    assert server.asked[0]["top_logprobs"] == 5


def test_the_budget_stops_in_time(tmp_path: Path) -> None:
    """100 prompt tokens at 10,000 a million and 10 at 100,000 cost 2 each by the server's count."""
    prices = {"price_in": 10_000.0, "price_out": 100_000.0, "concurrency": 1}
    with serve(echo) as server, pytest.raises(CrowdSelectError) as error:
        ask(server, requests(10), tmp_path, budget=7.0, **prices)
    assert "The budget of 7 is used up" in error.value.problem
    assert len(server.asked) == 3
    with pytest.raises(InputError, match="needs prices"):
        ask(server, requests(1), budget=1.0)


def test_a_cancel_is_heard_while_the_server_thinks() -> None:
    import time

    hurry = threading.Event()

    def slow(_: int, body: dict[str, Any]) -> dict[str, Any]:
        hurry.wait(20)
        return echo(0, body)

    def stop() -> None:
        raise CancelledError

    with serve(slow) as server:
        config = ServerConfig(model="judge", base_url=server.url)
        began = time.monotonic()
        with pytest.raises(CancelledError):
            ask_all(config, requests(3), lambda *_: None, cache=RequestCache(None), heartbeat=stop)
        assert time.monotonic() - began < 15
        hurry.set()


def test_costs() -> None:
    config = ServerConfig(model="x", price_in=1.0, price_out=2.0)
    expected = expected_cost(config, requests(3))
    assert (expected.requests, expected.completion_tokens) == (3, 48)
    replies = [
        ChatReply("a", prompt_tokens=1_000_000, completion_tokens=500_000),
        ChatReply("b", prompt_tokens=9, cached=True),
    ]
    assert cost_of(config, replies).money == pytest.approx(2.0)
    assert cost_of(ServerConfig(model="x"), replies).money is None
    assert "1 requests, 1,000,000 prompt" in cost_of(config, replies).sentence("Took")


def test_the_key_stays_in_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MY_KEY", "secret-key-value")
    with serve(echo) as server:
        ask(server, requests(2), tmp_path, api_key_variable="MY_KEY")
    kept = "".join(p.read_text() for p in tmp_path.rglob("*.json"))
    assert "secret-key-value" not in kept


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("plain", "plain"),
        ("<think>a</think>b", "b"),
        ("x</think> y", "y"),
        ("<think>a", None),
        ("<think>a</think><think>b</think> [[5]]", "[[5]]"),
    ],
)
def test_thoughts(text: str, rest: str | None) -> None:
    assert strip_thoughts(text) == rest
