"""Answers of a served model, as those of a model on this machine are made."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from crowdselect.lm.answering import Maker
from crowdselect.lm.generation import Answer, Deliver, Request
from crowdselect.servers.cache import RequestCache
from crowdselect.servers.client import ask_all
from crowdselect.servers.config import ServerConfig
from crowdselect.servers.values import ChatReply, ChatRequest, may_succeed


def answered_there(
    server: ServerConfig,
    *,
    max_new_tokens: int,
    seed_of: Callable[[Request], int],
    cache: RequestCache,
) -> Maker:
    """Answers of ``server``; a request without an answer gets a problem. Raises as ``ask_all``."""

    def make(requests: Sequence[Request], deliver: Deliver, report: Callable[[], None]) -> None:
        def read(request: ChatRequest, reply: ChatReply) -> None:
            problem = reply.problem if reply.problem and not reply.text else ""
            answer = Answer(reply.text, reply.completion_tokens, reply.finished, problem)
            deliver(request.key, answer)

        asked = [
            ChatRequest(r.key, r.messages, max_new_tokens, r.temperature, seed_of(r))
            for r in requests
        ]
        ask_all(server, asked, read, cache=cache, heartbeat=report)

    return make


def is_final(answer: Answer) -> bool:
    """Whether asking again is of no use: it did not fail by the server's fault."""
    return not may_succeed(answer.problem)
