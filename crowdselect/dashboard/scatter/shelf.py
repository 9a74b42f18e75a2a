"""What the server hands out to the scatters in people's browsers, kept in memory.

Every address holds a keyed hash (HMAC, a new key in every process): it names its content, so it
never goes stale, and only somebody to whom a page gave it knows it.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from crowdselect.dashboard.scatter.values import HoverSource

MOST_BYTES = 512 * 1024 * 1024
MOST_SOURCES = 256


@dataclass
class Shelf:
    """Buffers and hover sources by address; the longest unused go first. Safe for threads."""

    key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    most_bytes: int = MOST_BYTES
    _buffers: OrderedDict[str, memoryview] = field(default_factory=OrderedDict)
    _sources: OrderedDict[str, HoverSource] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def address(self, kind: str, content_id: str) -> str:
        """The secret name of ``content_id``: 32 hex digits."""
        message = f"{kind}/{content_id}".encode()
        return hmac.digest(self.key, message, "sha256").hex()[:32]

    def put(self, content_id: str, content: bytes | memoryview) -> str:
        """Offer ``content``, which ``content_id`` names; return its address."""
        address = self.address("data", content_id)
        with self._lock:
            if address not in self._buffers:
                self._buffers[address] = memoryview(content).cast("B")
            self._buffers.move_to_end(address)
            total = sum(view.nbytes for view in self._buffers.values())
            while total > self.most_bytes and len(self._buffers) > 1:
                total -= self._buffers.popitem(last=False)[1].nbytes
        return address

    def offer(self, source: HoverSource) -> str:
        """Offer hover texts; return their address. The newest ``lookup`` of an id is used."""
        address = self.address("text", source.id)
        with self._lock:
            self._sources[address] = source
            self._sources.move_to_end(address)
            while len(self._sources) > MOST_SOURCES:
                self._sources.popitem(last=False)
        return address

    def content(self, address: str) -> memoryview | None:
        """What was put at ``address``; None: nothing, or no longer."""
        with self._lock:
            return self._buffers.get(address)

    def source(self, address: str) -> HoverSource | None:
        """The hover source at ``address``; None: there is none."""
        with self._lock:
            return self._sources.get(address)


SHELF = Shelf()
"""The shelf of this server."""
