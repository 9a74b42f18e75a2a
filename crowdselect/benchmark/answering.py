"""Every request answered once, whatever stopped an earlier start."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from crowdselect.benchmark.base import Context
from crowdselect.benchmark.generate import (
    Answer,
    Deliver,
    Request,
    generate,
    request_seed,
    use_vllm,
)
from crowdselect.servers import (
    REFUSED,
    ChatReply,
    ChatRequest,
    RequestCache,
    ServerConfig,
    ask_all,
)


def answer_all(
    context: Context, requests: Sequence[Request], max_new_tokens: int
) -> dict[str, dict[str, Any]]:
    """Answers by key (text, tokens, finished, problem), from the journal or freshly generated.

    What a server refused is not kept, so a resume asks for it again.
    """
    todo = [r for r in requests if r.key not in context.journal]
    refused: dict[str, dict[str, Any]] = {}
    done = len(requests) - len(todo)
    if todo and not context.subject.config.endpoint and not use_vllm():
        context.progress(0, None, "loading the model")  # its time is no pace of answering
        context.subject.loaded  # noqa: B018
    context.progress(done, len(requests), "answering")

    def deliver(key: str, answer: Answer) -> None:
        if answer.problem.startswith(REFUSED):
            refused[key] = dataclasses.asdict(answer)
        else:
            context.journal.add(key, dataclasses.asdict(answer))
        nonlocal done
        done += 1
        context.progress(done, len(requests), "answering")

    config = context.subject.config
    if config.endpoint:
        _ask(context, config.endpoint, todo, deliver, max_new_tokens)
    else:
        generate(context.subject, todo, deliver, max_new_tokens=max_new_tokens, seed=context.seed)
    return {r.key: refused.get(r.key) or context.journal.get(r.key) or {} for r in requests}


def _ask(
    context: Context,
    endpoint: str,
    requests: Sequence[Request],
    deliver: Deliver,
    max_new_tokens: int,
) -> None:
    """Answers of the served model under test; a refused request is a problem, not an answer."""

    def read(request: ChatRequest, reply: ChatReply) -> None:
        problem = reply.problem if reply.problem and not reply.text else ""
        answer = Answer(reply.text, reply.completion_tokens, reply.finished, problem)
        deliver(request.key, answer)

    asked = [
        ChatRequest(r.key, r.messages, max_new_tokens, r.temperature, request_seed(r, context.seed))
        for r in requests
    ]
    server = ServerConfig(model=context.subject.config.model, base_url=endpoint)
    ask_all(
        server,
        asked,
        read,
        cache=RequestCache(context.cache),
        heartbeat=lambda: context.progress(0, None, "answering"),
    )
