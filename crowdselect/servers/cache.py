"""Every answer of a server, kept under the hash of what was asked: one small file per request."""

from __future__ import annotations

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

    def _path(self, config: ServerConfig, request: ChatRequest) -> Path | None:
        if self.folder is None:
            return None
        asked = dataclasses.asdict(request)
        del asked["key"]
        key = content_key([PROTOCOL, *_server(config), asked], 64)
        return self.folder / key[:2] / f"{key}.json"

    def get(self, config: ServerConfig, request: ChatRequest) -> ChatReply | None:
        """The reply to the same request at the same host, or None."""
        path = self._path(config, request)
        if path is None or not path.exists():
            return None
        try:
            return ChatReply(**{**files.read_json(path), "cached": True})
        except (ValueError, TypeError):
            return None

    def put(self, config: ServerConfig, request: ChatRequest, reply: ChatReply) -> None:
        """Keep a reply, unless it is a problem."""
        path = self._path(config, request)
        if path is not None and not reply.problem:
            files.write_json(path, dataclasses.asdict(reply))

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
