"""Many requests to one server at once: retried with growing pauses, stopped when it is gone."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from crowdselect.errors import CrowdSelectError, InputError, require
from crowdselect.keys import read_key
from crowdselect.servers import transport
from crowdselect.servers.batches import ask_in_batches
from crowdselect.servers.cache import RequestCache
from crowdselect.servers.config import ServerConfig
from crowdselect.servers.cost import expected_tokens, price
from crowdselect.servers.replies import error_words, one_line, read_reply
from crowdselect.servers.values import (
    REFUSED,
    SERVERS_FAULT,
    ChatReply,
    ChatRequest,
    may_succeed,
)

Deliver = Callable[[ChatRequest, ChatReply], None]
BEAT_S = 1.0
GIVE_UP_AFTER = 8
"""Failed requests in a row, each after all its retries: the server is taken to be broken."""
GONE_AFTER = 3
"""The same where the server does not answer at all, or not to this key or for this model."""
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 8.0
"""Pauses before a reply that was no answer is asked for again."""
LONGEST_WAIT_S = 60.0
"""The longest that the package waits before a further try, where a server asks for it."""


def ask_all(
    config: ServerConfig,
    requests: Sequence[ChatRequest],
    deliver: Deliver,
    *,
    cache: RequestCache,
    spent: float = 0.0,
    heartbeat: Callable[[], None] = lambda: None,
    tell: Callable[[str], None] = lambda text: None,
) -> None:
    """Ask every request, handing each reply to ``deliver`` (in this thread) as it comes.

    ``deliver`` and ``heartbeat`` (called every second) may raise to stop; ``spent`` is what was
    paid before and counts against the budget.
    A request that fails gets a reply with a problem, whatever the server sent; the others go on.
    What a server says that it does not take is left out, for it and from then on; ``tell`` gets a
    sentence where that may change answers.

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
    if todo and config.batch:
        require("openai", feature="Asking a chat server", extra="server")
        ask_in_batches(config, todo, deliver, cache=cache, heartbeat=heartbeat)
    elif todo:
        require("openai", feature="Asking a chat server", extra="server")
        asyncio.run(_Conversation(config, deliver, cache, spent).run(todo, heartbeat))
        if sentence := cache.habits(config).sentence(config):
            tell(sentence)


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
        self.failed_in_a_row = 0
        self.answered = False
        """Whether the server has answered any request of this run."""
        self.hopeless: CrowdSelectError | None = None
        """Why none may ever be answered: no server, key or model there."""
        self.habits = cache.habits(config)
        self.where = config.base_url or "the default server"

    async def run(self, requests: Sequence[ChatRequest], heartbeat: Callable[[], None]) -> None:
        """Answer all requests; the first error that ends the work is raised."""
        from openai import AsyncOpenAI

        key = read_key(self.config.api_key_variable) or "none"
        queue = iter(requests)
        async with AsyncOpenAI(
            api_key=key,
            base_url=self.config.base_url,
            max_retries=self.config.retries,
            timeout=self.config.timeout_s,
            http_client=transport.http_client(timeout=self.config.timeout_s),
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
                if self.hopeless is not None and not self.answered:
                    raise self.hopeless
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
        """The reply; what the server sends in its place is asked for again, then counted."""
        import openai

        began = time.monotonic()
        reply = ChatReply("", finished=False)
        for attempt in range(self.config.retries + 1):
            if attempt:
                await asyncio.sleep(min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (attempt - 1)))
            try:
                body = await self._body(client, request)
            except openai.APIError as error:  # the package has tried again itself
                return self._failed(error)
            except _TooSlow as error:
                reply = ChatReply("", f"{SERVERS_FAULT}broke off: {error}", finished=False)
                break
            except _BrokenOff as error:
                reply = ChatReply("", f"{SERVERS_FAULT}broke off: {error}", finished=False)
                continue
            reply = read_reply(body, request.max_tokens, time.monotonic() - began)
            if not may_succeed(reply.problem):
                self.failed_in_a_row = 0
                self.answered = True
                return reply
        return self._counted(reply, self._refused(reply.problem), GIVE_UP_AFTER)

    async def _body(self, client: Any, request: ChatRequest) -> bytes:
        """What the server answers with status 200, asked in the way that it takes."""
        import openai

        tries = self.config.retries + 1
        while True:
            habits = self.habits
            arguments = habits.arguments(self.config, request)
            try:
                async with (
                    _at_most(tries * (self.config.timeout_s + LONGEST_WAIT_S)),
                    client.chat.completions.with_streaming_response.create(**arguments) as answer,
                ):
                    return await _read_all(answer, self.config.timeout_s)
            except (
                openai.BadRequestError,
                openai.PermissionDeniedError,
                openai.UnprocessableEntityError,
            ) as error:
                if self.habits is habits:  # else another request has learned meanwhile
                    learned = habits.learn(f"{error} {error.body}", request)
                    if learned is None:
                        raise
                    self.habits = learned
                    self.cache.remember(self.config, learned)
            except (openai.APIError, _BrokenOff, _TooSlow):
                raise
            except Exception as error:  # a refusal that did not come whole, say
                raise _broken(error) from error

    def _failed(self, error: Any) -> ChatReply:
        """A refusal as a counted failure; raises where it says that nothing can work."""
        import openai

        words = error_words(error.body) if getattr(error, "body", None) else one_line(str(error))
        if 300 <= getattr(error, "status_code", 0) < 400:
            words = "it sends on to another address, which is not followed"
        if isinstance(error, openai.APIConnectionError):
            cause = one_line(f"{error} {error.__cause__ or ''}")
            lost = ChatReply("", f"{SERVERS_FAULT}did not answer: {cause}", finished=False)
            unreachable = type(error.__cause__).__name__.startswith("Connect")
            return self._counted(lost, self._gone(cause), GONE_AFTER, hopeless=unreachable)
        own = _own_reason(error, words)
        if own:
            self.failed_in_a_row = 0
            self.answered = True
            return ChatReply("", own, finished=False)
        refused = ChatReply("", f"{REFUSED}: {words}", finished=False)
        if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
            return self._counted(refused, self._no_key(words), GONE_AFTER, hopeless=True)
        if isinstance(error, openai.NotFoundError):
            return self._counted(refused, self._no_model(words), GONE_AFTER, hopeless=True)
        return self._counted(refused, self._refused(refused.problem), GIVE_UP_AFTER)

    def _counted(
        self, reply: ChatReply, end: CrowdSelectError, patience: int, *, hopeless: bool = False
    ) -> ChatReply:
        """``reply``, unless it is one failure too many in a row: then ``end`` is raised."""
        self.failed_in_a_row += 1
        if self.failed_in_a_row >= patience:
            raise end
        self.hopeless = end if hopeless else self.hopeless
        return reply

    def _refused(self, problem: str) -> CrowdSelectError:
        return CrowdSelectError(
            f"{self.where} failed {GIVE_UP_AFTER} requests in a row, each "
            f"{self.config.retries + 1} times; at last {problem}.",
            "Every answer so far is kept; when the server works, resume the run.",
        )

    def _gone(self, cause: str) -> CrowdSelectError:
        return CrowdSelectError(
            f"{self.where} does not answer ({cause}), after {self.config.retries + 1} attempts.",
            "Every answer so far is kept; start the server (again), then resume the run.",
        )

    def _no_key(self, words: str) -> CrowdSelectError:
        return CrowdSelectError(
            f"{self.where} refuses the key: {words}",
            f"Put a valid key into the variable {self.config.api_key_variable}.",
        )

    def _no_model(self, words: str) -> CrowdSelectError:
        return CrowdSelectError(
            f"{self.where} does not serve {self.config.model}: {words}",
            "Check the model's name and the base URL (it usually ends in /v1).",
        )


class _BrokenOff(Exception):
    """A body that did not come whole."""


class _TooSlow(Exception):
    """An answer that came so slowly that all tries together took too long."""


@asynccontextmanager
async def _at_most(seconds: float) -> AsyncIterator[None]:
    """Leave off after ``seconds``: the package's own limit starts anew with every byte."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise _TooSlow(f"it took longer than {seconds:g} s") from error


async def _read_all(answer: Any, timeout_s: float) -> bytes:
    """The whole body; raises _BrokenOff where it breaks off, takes too long or never ends."""
    body = bytearray()
    try:
        async with asyncio.timeout(timeout_s):
            async for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > transport.LARGEST_BODY:  # packed bytes were fewer
                    raise _BrokenOff(f"more than {transport.LARGEST_BODY >> 20} MB came")
    except TimeoutError as error:
        raise _BrokenOff(f"the answer took longer than {timeout_s:g} s") from error
    except _BrokenOff:
        raise
    except Exception as error:
        raise _broken(error) from error
    return bytes(body)


def _broken(error: Exception) -> _BrokenOff:
    """The package's HTTP library changes with its version, and so do its exceptions."""
    return _BrokenOff(one_line(str(error)) or type(error).__name__)


def _own_reason(error: Any, words: str) -> str:
    """Why this request alone was refused; empty: it may be any."""
    if error.status_code not in (400, 403, 413, 422):
        return ""
    told = f"{words} {getattr(error, 'code', '') or ''}".lower()
    if re.search(r"context[ _](length|window)|context_length|too long|too many tokens", told):
        return f"the prompt does not fit: {words}"
    if re.search(r"content[ _](filter|policy|management)|moderation|safety|flagged", told):
        return f"a content filter refused the prompt: {words}"
    return ""


async def _beat(heartbeat: Callable[[], None]) -> None:
    """Beat until cancelled, or until the heartbeat raises."""
    while True:
        await asyncio.sleep(BEAT_S)
        heartbeat()
