"""Every answer of a server, kept under the hash of what was asked: one small file per request."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path
from urllib.parse import urlsplit

from crowdselect import files
from crowdselect.registry import content_key
from crowdselect.servers.config import ServerConfig
from crowdselect.servers.habits import Habits
from crowdselect.servers.values import ChatReply, ChatRequest

PROTOCOL = 1
"""Raised whenever the meaning of a cached file changes."""


class RequestCache:
    """A folder of replies; any number of processes may read and write it at once.

    Even at temperature 0 a served model may answer differently tomorrow: what makes a result
    reproducible is this folder. Problems are never cached.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        """None: nothing is kept."""

    def _paths(self, config: ServerConfig, request: ChatRequest) -> list[Path]:
        """Where the reply may lie: under its very limit, or under none for one that was whole."""
        if self.folder is None:
            return []
        asked = dataclasses.asdict(request)
        del asked["key"]
        whole = {k: v for k, v in asked.items() if k != "max_tokens"}
        keys = [content_key([PROTOCOL, *_server(config), what], 64) for what in (asked, whole)]
        return [self.folder / key[:2] / f"{key}.json" for key in keys]

    def get(self, config: ServerConfig, request: ChatRequest) -> ChatReply | None:
        """The reply to the same request at the same host, or None.

        A whole reply also answers a request that would have let it be longer.
        """
        for path in self._paths(config, request):
            if path.exists():
                with contextlib.suppress(ValueError, TypeError):
                    reply = ChatReply(**{**files.read_json(path), "cached": True})
                    if reply.completion_tokens <= request.max_tokens:
                        return reply
        return None

    def put(self, config: ServerConfig, request: ChatRequest, reply: ChatReply) -> None:
        """Keep a reply, unless it is a problem."""
        paths = self._paths(config, request)
        if paths and not reply.problem:
            whole = reply.finished and 0 < reply.completion_tokens <= request.max_tokens
            files.write_json(paths[whole], dataclasses.asdict(reply))

    def habits(self, config: ServerConfig) -> Habits:
        """What was learned about the server, here or in this process."""
        known = _LEARNED.get(_server(config))
        path = self._habits_path(config)
        if known is None and path is not None and path.exists():
            try:
                known = Habits.of(files.read_json(path))
            except (OSError, ValueError, TypeError, AttributeError):
                known = None
        return known or Habits()

    def remember(self, config: ServerConfig, habits: Habits) -> None:
        """Keep what was learned about the server."""
        _LEARNED[_server(config)] = habits
        path = self._habits_path(config)
        if path is not None:
            files.write_json(path, habits.record())

    def _habits_path(self, config: ServerConfig) -> Path | None:
        if self.folder is None:
            return None
        return self.folder / "servers" / f"{content_key(_server(config), 16)}.json"


_LEARNED: dict[tuple[str, str], Habits] = {}
"""Host and model -> what this process learned about it."""


def _server(config: ServerConfig) -> tuple[str, str]:
    return urlsplit(config.base_url or "").netloc, config.model
