"""Passes in which a served chat model is asked one question per sample."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from crowdselect.errors import InputError
from crowdselect.lm.messages import Message
from crowdselect.lm.passes import Columns, Pass, Sample, Worker
from crowdselect.registry import content_key
from crowdselect.servers.cache import RequestCache
from crowdselect.servers.client import ask_all
from crowdselect.servers.config import ServerConfig
from crowdselect.servers.values import ChatReply, ChatRequest, may_succeed, with_room

REPLIES = "replies"
"""Folder of replies beside the shards."""
MORE_ROOM = "--max-tokens"
"""The option of the commands that ask."""


@dataclass(frozen=True)
class AskPass(Pass):
    """One question per sample to a chat model behind an OpenAI-compatible server."""

    loads_a_model: ClassVar[bool] = False
    may_fail: ClassVar[bool] = True

    server: dict[str, Any]
    """A ``ServerConfig`` as a dict."""
    max_tokens: int

    @property
    def key(self) -> str:
        """Content key; how fast the server is asked, and at what price, is no part of it."""
        fields = asdict(self)
        del fields["server"]
        who = [self.server["model"], urlsplit(self.server["base_url"]).netloc]
        return content_key([type(self).__name__, self.version, who, fields], 16)

    def is_final(self, columns: Mapping[str, Sequence[Any]]) -> bool:
        """Whether asking again is of no use: no sample failed by the server's fault."""
        return not any(reason and may_succeed(reason) for reason in columns["reason"])

    @abstractmethod
    def messages(self, sample: Sample) -> tuple[Message, ...]:
        """What is asked about a sample."""

    @abstractmethod
    def read(self, text: str) -> Mapping[str, Any]:
        """The answer as values by column, or ``reason``: why it cannot be used."""

    @property
    @abstractmethod
    def empty(self) -> Mapping[str, Any]:
        """The columns of a sample without a usable answer."""

    def worker(self, keep: Path) -> Worker:
        """Ask in parallel; every reply is kept at once."""
        return _Asker(self, RequestCache(keep / REPLIES))

    def note(self, keep: Path) -> str:
        """What the server did not take, where that may change answers."""
        config = ServerConfig.parse(self.server, "the server's options")
        return RequestCache(keep / REPLIES).habits(config).sentence(config)


class _Asker:
    def __init__(self, work: AskPass, cache: RequestCache) -> None:
        self._work = work
        self._cache = cache
        self._config = ServerConfig.parse(work.server, "the server's options")

    def __call__(self, samples: Sequence[Sample]) -> Columns:
        requests = [
            ChatRequest(str(row), self._work.messages(sample), self._work.max_tokens)
            for row, sample in enumerate(samples)
        ]
        rows: list[dict[str, Any]] = [{} for _ in samples]

        def deliver(request: ChatRequest, reply: ChatReply) -> None:
            rows[int(request.key)] = self._values(reply)

        ask_all(self._config, requests, deliver, cache=self._cache)
        return {name: [row[name] for row in rows] for name in (*self._work.empty, "reason")}

    def _values(self, reply: ChatReply) -> dict[str, Any]:
        found: Mapping[str, Any] = (
            {"reason": with_room(reply.problem, MORE_ROOM)}
            if reply.problem
            else self._work.read(reply.text)
        )
        return {**self._work.empty, "reason": None, **found}


def server_of(scorer: str, models: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The one server that a scorer asks, as a ``ServerConfig`` dict.

    Raises InputError unless there is exactly one, with an address: samples are sent nowhere that
    nobody named.
    """
    if len(models) != 1:
        raise InputError(
            f"{scorer} asks one chat model, {len(models)} were given.",
            "Give --model NAME once, and --server URL.",
        )
    config = ServerConfig.parse(models[0], "the server's options")
    if not config.base_url:
        raise InputError(
            f"{scorer} asks {config.model} at a server, and no address was given.",
            "Give --server URL, such as http://127.0.0.1:8000/v1.",
        )
    return config.model_dump()
