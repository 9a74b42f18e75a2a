"""Connections to a server that is not believed: no redirects, no answer without end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

LARGEST_BODY = 1 << 26
"""Bytes of one answer; a longer one is no answer of a chat model."""
LARGEST_REFUSAL = 1 << 20
"""Bytes of an answer with another status than 200, which the package reads whole."""


class TooLongError(Exception):
    """More came than an answer may hold."""


def http_client(**options: Any) -> Any:
    """The package's own client, which sends what is asked to the named server and no further.

    A redirect would carry texts to an address that nobody configured.
    """
    from openai import DefaultAsyncHttpxClient

    return DefaultAsyncHttpxClient(
        follow_redirects=False, event_hooks={"response": [_count]}, **options
    )


async def _count(response: Any) -> None:
    most = LARGEST_BODY if response.status_code == 200 else LARGEST_REFUSAL
    # The package's HTTP library changes with its version; a stream must be of that library's kind.
    kind = next(c for c in type(response.stream).__mro__ if c.__name__ == "AsyncByteStream")
    response.stream = type("Counted", (_Counted, kind), {})(response.stream, most)


class _Counted:
    """A stream of bytes, until there are too many."""

    def __init__(self, source: Any, most: int) -> None:
        self._source, self._most = source, most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._source:
            size += len(chunk)
            if size > self._most:
                raise TooLongError(f"more than {self._most >> 20} MB came")
            yield chunk

    async def aclose(self) -> None:
        await self._source.aclose()
