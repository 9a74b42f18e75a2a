"""Verdicts of a chat model, served or local: every one is kept as soon as it is there."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence

from crowdselect.benchmark.base import Context
from crowdselect.benchmark.judge import JudgeConfig
from crowdselect.errors import InputError
from crowdselect.lm.generation import Answer, Request, generate_here
from crowdselect.lm.models import Checkpoint, Loaded, load_causal
from crowdselect.lm.template import render, token_ids
from crowdselect.servers import (
    ChatReply,
    ChatRequest,
    RequestCache,
    ask_all,
    cost_of,
    expected_cost,
    strip_thoughts,
    with_room,
)
from crowdselect.servers.values import ENDLESS, LIMIT

MORE_ROOM = "--max-tokens"
"""The command's option for longer verdicts."""
Deliver = Callable[[ChatRequest, ChatReply], None]
PREFIX = "judge/"
"""Of a verdict's key in the journal, where the answers lie too."""


def verdicts(context: Context, requests: Sequence[ChatRequest]) -> dict[str, ChatReply]:
    """The judge's reply to every request, by key; failed ones are asked again at a resume.

    Tells the expected cost before and the cost after. Raises as ``ask_all`` does.
    """
    judge = needed_judge(context)
    replies = {
        r.key: _reply(kept)
        for r in requests
        if (kept := context.journal.get(PREFIX + r.key)) is not None
    }
    todo = [
        dataclasses.replace(r, max_tokens=judge.max_tokens or r.max_tokens)
        for r in requests
        if r.key not in replies
    ]

    def report() -> None:
        context.progress(len(replies), len(requests), "judging")

    def deliver(request: ChatRequest, reply: ChatReply) -> None:
        told = with_room(reply.problem, MORE_ROOM)
        replies[request.key] = dataclasses.replace(reply, problem=told)
        if not reply.problem:
            context.journal.add(PREFIX + request.key, dataclasses.asdict(reply))
        report()

    report()
    if judge.kind == "local":
        _judge_here(judge, todo, deliver)
    else:
        if todo:
            _ask_server(context, judge, todo, replies, deliver, report)
        context.spent(cost_of(judge, replies.values()))
    return {key: _without_thoughts(reply) for key, reply in replies.items()}


def _without_thoughts(reply: ChatReply) -> ChatReply:
    """The verdict after its thoughts, whatever their tag: a grade in them is none."""
    text = strip_thoughts(reply.text, verdict=True)
    if text is None:
        return dataclasses.replace(reply, text="", problem=with_room(ENDLESS, MORE_ROOM))
    return dataclasses.replace(reply, text=text)


def needed_judge(context: Context) -> JudgeConfig:
    """The run's judge; raises InputError where there is none."""
    if context.judge is None:
        raise InputError("This benchmark needs a judge.", "Give --judge MODEL.")
    return context.judge


def _reply(record: dict[str, object]) -> ChatReply:
    return ChatReply(**{k: v for k, v in record.items() if k != "key"})  # type: ignore[arg-type]


def _ask_server(
    context: Context,
    judge: JudgeConfig,
    todo: Sequence[ChatRequest],
    kept: dict[str, ChatReply],
    deliver: Deliver,
    heartbeat: Callable[[], None],
) -> None:
    cache = RequestCache(context.cache)
    context.note(expected_cost(judge, todo).sentence("Judging will take at most"))
    spent = cost_of(judge, kept.values()).money or 0.0
    try:
        ask_all(
            judge, todo, deliver, cache=cache, spent=spent, heartbeat=heartbeat, tell=context.note
        )
    finally:
        context.note(cost_of(judge, kept.values()).sentence("Judging took"))


@functools.lru_cache(maxsize=1)
def _local(model: str) -> Loaded:
    return load_causal(Checkpoint(model))


def _judge_here(judge: JudgeConfig, todo: Sequence[ChatRequest], deliver: Deliver) -> None:
    """Verdicts of a model in memory, greedily; or the first token's candidates."""
    if not todo:
        return
    loaded = _local(judge.model)
    by_key = {r.key: r for r in todo}
    for request in todo:
        if request.top_logprobs:
            deliver(request, _first_token(loaded, request))
    asked = [Request(r.key, r.messages) for r in todo if not r.top_logprobs]
    room = max((r.max_tokens for r in todo), default=1)

    def read(key: str, answer: Answer) -> None:
        text = strip_thoughts(answer.text)
        limit = f"{LIMIT} {room:,} tokens"
        problem = answer.problem or ("" if answer.finished else f"cut off at {limit}")
        if text is None:
            problem = ENDLESS if answer.finished else f"its thoughts reached {limit}"
        reply = ChatReply(text or "", problem, answer.finished, completion_tokens=answer.tokens)
        deliver(by_key[key], reply)

    generate_here(loaded, asked, read, max_new_tokens=room, seed=0)


def _first_token(loaded: Loaded, request: ChatRequest) -> ChatReply:
    """The most likely first tokens of the answer with their log-probabilities."""
    import torch

    ids = token_ids(loaded.tokenizer, render(loaded.tokenizer, request.messages))
    if len(ids) > loaded.context:
        return ChatReply("", f"the prompt has {len(ids)} tokens", finished=False)
    with torch.inference_mode():
        logits = loaded.model(input_ids=torch.tensor([ids], device=loaded.device)).logits[0, -1]
    best = torch.log_softmax(logits.float(), dim=-1).topk(request.top_logprobs)
    tokens = [loaded.tokenizer.decode([i]).strip() for i in best.indices.tolist()]
    found: dict[str, float] = {}
    for token, value in zip(tokens, best.values.tolist(), strict=True):
        found.setdefault(token, value)
    return ChatReply(tokens[0], completion_tokens=1, prompt_tokens=len(ids), logprobs=found)
