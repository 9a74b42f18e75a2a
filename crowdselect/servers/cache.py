"""Every answer of a server, kept under the hash of what was asked: one small file per request."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from urllib.parse import urlsplit

from crowdselect import files
from crowdselect.registry import content_key
from crowdselect.servers.config import ServerConfig
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
        host = urlsplit(config.base_url or "").netloc
        key = content_key([PROTOCOL, host, config.model, asked], 64)
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
