"""What a server does not take is learned from its refusal, once for the server."""

import re
from pathlib import Path
from typing import Any

import pytest

from crowdselect.servers import ChatReply, ChatRequest, RequestCache, ServerConfig, ask_all
from crowdselect.servers import cache as remembered
from tests.benchmark.judge import serve

WANTS_ANOTHER_NAME = (
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
    "'max_completion_tokens' instead."
)
NO_TEMPERATURE = (
    "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) "
    "value is supported."
)


@pytest.fixture(autouse=True)
def nothing_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "_LEARNED", {})


def refusal(message: str, status: int = 400) -> dict[str, Any]:
    return {"status": status, "body": {"error": {"message": message}}}


def strict(_: int, body: dict[str, Any]) -> dict[str, Any]:
    """As the vendors' reasoning models are."""
    if "max_tokens" in body:
        return refusal(WANTS_ANOTHER_NAME)
    if body.get("temperature", 1) != 1:
        return refusal(NO_TEMPERATURE)
    if "logprobs" in body:
        return refusal("You are not allowed to request logprobs from this model.", 403)
    return {"text": "8"}


def ask(
    url: str, n: int = 1, cache: Path | None = None, **options: Any
) -> tuple[list[ChatReply], list[str]]:
    messages = options.pop("messages", None)
    requests = [
        ChatRequest(str(i), messages or ({"role": "user", "content": f"q{i}"},), 16, **options)
        for i in range(n)
    ]
    replies: list[ChatReply] = []
    told: list[str] = []
    config = ServerConfig(model="m", base_url=url, retries=0, concurrency=1)
    ask_all(
        config,
        requests,
        lambda _, r: replies.append(r),
        cache=RequestCache(cache),
        tell=told.append,
    )
    return replies, told


def test_a_reasoning_models_server_is_asked_as_it_wants_to_be(tmp_path: Path) -> None:
    with serve(strict) as server:
        replies, told = ask(server.url, 20, tmp_path)
        assert [r.text for r in replies] == ["8"] * 20
        assert len(server.asked) == 22, "two refusals taught it all"
        assert server.asked[-1]["max_completion_tokens"] == 16
        assert "temperature" not in server.asked[-1]
        assert told == ["m takes no temperature."]


def test_logprobs_that_are_not_allowed_are_left_out() -> None:
    with serve(strict) as server:
        replies, told = ask(server.url, 2, top_logprobs=5)
        assert [(r.text, r.logprobs) for r in replies] == [("8", {})] * 2
    assert told == ["m takes no temperature; no logprobs."]


def test_what_was_learned_outlives_the_process(tmp_path: Path, monkeypatch: Any) -> None:
    with serve(strict) as server:
        ask(server.url, 1, tmp_path)
        monkeypatch.setattr(remembered, "_LEARNED", {})
        before = len(server.asked)
        ask(server.url, 2, tmp_path)
        assert len(server.asked) == before + 1


@pytest.mark.parametrize(
    ("message", "status", "check"),
    [
        ("Extra inputs are not permitted: max_tokens", 422, "'max_tokens' not in body"),
        ("`temperature` is deprecated for this model.", 400, "'temperature' not in body"),
        ("temperature must be strictly positive", 400, "body['temperature'] == 0.01"),
        ("Unrecognized request argument supplied: seed", 400, "'seed' not in body"),
        (
            "This model does not support logprobs.",
            400,
            "not {'logprobs', 'top_logprobs'} & set(body)",
        ),
    ],
)
def test_other_words_for_it(message: str, status: int, check: str) -> None:
    def server_says(_: int, body: dict[str, Any]) -> dict[str, Any]:
        taken = eval(check, {"body": body})
        return {"text": "8"} if taken else refusal(message, status)

    with serve(server_says) as server:
        replies, _ = ask(server.url, 2, seed=1, top_logprobs=3)
        assert [r.text for r in replies] == ["8", "8"]
        assert len(server.asked) == 3


def test_a_system_message_that_is_refused_opens_the_question() -> None:
    def no_system(_: int, body: dict[str, Any]) -> dict[str, Any]:
        first = body["messages"][0]
        return refusal("System role not supported") if first["role"] == "system" else {"text": "8"}

    talk = ({"role": "system", "content": "Be fair."}, {"role": "user", "content": "Grade."})
    with serve(no_system) as server:
        _, told = ask(server.url, messages=talk)
        assert server.asked[-1]["messages"] == [{"role": "user", "content": "Be fair.\n\nGrade."}]
    assert "no system message" in told[0]


@pytest.mark.parametrize(
    "message",
    [
        "max_tokens is too large: 16. This model supports at most 8 completion tokens.",
        "'max_tokens' is too large: 9000. This model's maximum context length is 4096 tokens.",
        "temperature",
        "The prompt is not supported.",
    ],
)
def test_other_refusals_teach_nothing(message: str) -> None:
    with serve(lambda *_: refusal(message)) as server:
        replies, told = ask(server.url)
        assert replies[0].problem
        assert len(server.asked) == 1
    assert not told


def test_a_server_that_refuses_everything_is_not_asked_for_ever() -> None:
    every = "Unsupported parameter: max_tokens, max_completion_tokens, temperature, seed, logprobs"
    with serve(lambda *_: refusal(every)) as server:
        replies, _ = ask(server.url, seed=1, top_logprobs=2)
        assert re.match("the server refused", replies[0].problem)
        assert len(server.asked) == 5
