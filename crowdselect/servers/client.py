"""Many requests to one server at once: retried with growing pauses, stopped when it is gone."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from crowdselect.errors import CrowdSelectError, InputError, require
from crowdselect.servers.cache import RequestCache
from crowdselect.servers.config import ServerConfig
from crowdselect.servers.cost import expected_tokens, price
from crowdselect.servers.thoughts import strip_thoughts
from crowdselect.servers.values import REFUSED, ChatReply, ChatRequest

Deliver = Callable[[ChatRequest, ChatReply], None]
BEAT_S = 1.0
GIVE_UP_AFTER = 8
"""Refused requests in a row, each after all its retries: the server is taken to be broken."""


def ask_all(
    config: ServerConfig,
    requests: Sequence[ChatRequest],
    deliver: Deliver,
    *,
    cache: RequestCache,
    spent: float = 0.0,
    heartbeat: Callable[[], None] = lambda: None,
) -> None:
    """Ask every request, handing each reply to ``deliver`` (in this thread) as it comes.

    ``deliver`` and ``heartbeat`` (called every second) may raise to stop; ``spent`` is what was
    paid before and counts against the budget.
    A request that the server refuses gets a reply with a problem; the others go on.

    Raises
    ------
    MissingDependencyError
        Where ``openai`` is not installed.
    CrowdSelectError
        Where the server cannot be reached (any more), refuses the key or the model, or the budget
        would be exceeded. What was delivered before stays delivered.
    """
    if config.budget is not None and price(config, 1, 1) is None:
        raise InputError("A budget needs prices.", "Give the prices of prompt and completion.")
    todo = []
    for request in requests:
        reply = cache.get(config, request)
        if reply is None:
            todo.append(request)
        else:
            deliver(request, reply)
    if todo:
        require("openai", feature="Asking a chat server", extra="benchmark")
        asyncio.run(_Conversation(config, deliver, cache, spent).run(todo, heartbeat))


class _Conversation:
    """The state that concurrent requests share."""

    def __init__(
        self, config: ServerConfig, deliver: Deliver, cache: RequestCache, spent: float
    ) -> None:
        self.config = config
        self.deliver = deliver
        self.cache = cache
        self.spent = spent
        self.reserved = 0.0
        self.refused_in_a_row = 0
        self.where = config.base_url or "the default server"

    async def run(self, requests: Sequence[ChatRequest], heartbeat: Callable[[], None]) -> None:
        """Answer all requests; the first error that ends the work is raised."""
        from openai import AsyncOpenAI

        key = os.environ.get(self.config.api_key_variable) or "none"
        queue = iter(requests)
        async with AsyncOpenAI(
            api_key=key,
            base_url=self.config.base_url,
            max_retries=self.config.retries,
            timeout=self.config.timeout_s,
        ) as client:
            workers = [
                asyncio.ensure_future(self._work(client, queue))
                for _ in range(min(self.config.concurrency, len(requests)))
            ]
            pulse = asyncio.ensure_future(_beat(heartbeat))
            work = asyncio.gather(*workers)
            either: list[asyncio.Future[Any]] = [work, pulse]
            try:
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
                if pulse.done():
                    pulse.result()
                await work
            finally:
                for task in (*workers, pulse):
                    task.cancel()
                await asyncio.gather(*workers, pulse, work, return_exceptions=True)

    async def _work(self, client: Any, queue: Any) -> None:
        for request in queue:
            most = self._reserve(request)
            try:
                reply = await self._ask(client, request)
            finally:
                self.reserved -= most
            self.spent += price(self.config, reply.prompt_tokens, reply.completion_tokens) or 0.0
            self.cache.put(self.config, request, reply)
            self.deliver(request, reply)

    def _reserve(self, request: ChatRequest) -> float:
        """Set money aside for the longest answer; raise where the budget does not hold it."""
        most = price(self.config, expected_tokens(request), request.max_tokens) or 0.0
        budget = self.config.budget
        if budget is not None and self.spent + self.reserved + most > budget:
            raise CrowdSelectError(
                f"The budget of {budget:g} is used up: {self.spent:.4g} is spent, and the next "
                f"request may cost {most:.4g}.",
                "Every answer so far is kept; start again with a higher budget to go on.",
            )
        self.reserved += most
        return most

    async def _ask(self, client: Any, request: ChatRequest) -> ChatReply:
        import openai

        began = time.monotonic()
        try:
            made = await client.chat.completions.create(**_arguments(self.config, request))
        except openai.APIConnectionError as error:
            raise self._gone(error) from error
        except (openai.AuthenticationError, openai.PermissionDeniedError) as error:
            raise CrowdSelectError(
                f"{self.where} refuses the key: {_first_line(error)}",
                f"Put a valid key into the variable {self.config.api_key_variable}.",
            ) from error
        except openai.NotFoundError as error:
            raise CrowdSelectError(
                f"{self.where} does not serve {self.config.model}: {_first_line(error)}",
                "Check the model's name and the base URL (it usually ends in /v1).",
            ) from error
        except openai.APIError as error:
            return self._refusal(error)
        self.refused_in_a_row = 0
        return _read(made, time.monotonic() - began)

    def _refusal(self, error: Exception) -> ChatReply:
        self.refused_in_a_row += 1
        if self.refused_in_a_row >= GIVE_UP_AFTER:
            raise CrowdSelectError(
                f"{self.where} refused {GIVE_UP_AFTER} requests in a row, each "
                f"{self.config.retries + 1} times: {_first_line(error)}",
                "Every answer so far is kept; when the server works, resume the run.",
            ) from error
        return ChatReply("", f"{REFUSED}: {_first_line(error)}", finished=False)

    def _gone(self, error: Exception) -> CrowdSelectError:
        return CrowdSelectError(
            f"{self.where} does not answer ({_first_line(error)}), after "
            f"{self.config.retries + 1} attempts.",
            "Every answer so far is kept; start the server (again), then resume the run.",
        )


async def _beat(heartbeat: Callable[[], None]) -> None:
    """Beat until cancelled, or until the heartbeat raises."""
    while True:
        await asyncio.sleep(BEAT_S)
        heartbeat()


def _arguments(config: ServerConfig, request: ChatRequest) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "model": config.model,
        "messages": list(request.messages),
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
    }
    if request.seed is not None:
        arguments["seed"] = request.seed
    if request.top_logprobs:
        arguments |= {"logprobs": True, "top_logprobs": request.top_logprobs}
    return arguments


def _read(made: Any, seconds: float) -> ChatReply:
    """A server's completion as a reply; whatever it lacks makes it a problem, not a crash."""
    usage = getattr(made, "usage", None)
    reply = ChatReply(
        "",
        finished=False,
        prompt_tokens=getattr(usage, "prompt_tokens", 0) or 0,
        completion_tokens=getattr(usage, "completion_tokens", 0) or 0,
        seconds=round(seconds, 3),
    )
    choices = getattr(made, "choices", None)
    if not choices:
        return replace(reply, problem="the server's answer holds no choice")
    choice = choices[0]
    finished = choice.finish_reason != "length"
    text = strip_thoughts((choice.message.content if choice.message else None) or "")
    if text is None:
        return replace(reply, problem="its thoughts never came to an end")
    logprobs = _first_token(choice)
    # Who asks for candidates of the first token wants nothing after it.
    problem = "" if finished or logprobs else "cut off at the length limit"
    return replace(reply, text=text, problem=problem, finished=finished, logprobs=logprobs)


def _first_token(choice: Any) -> dict[str, float]:
    content = getattr(getattr(choice, "logprobs", None), "content", None) or []
    return {t.token: t.logprob for t in content[0].top_logprobs} if content else {}


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)[:200]
