"""What stands before every request: who may ask by which name, and what may frame the answer.

- Only the names that the server is meant to have are answered (``Host``), so that a foreign page
  cannot reach a server on this machine by pointing its own name here (DNS rebinding).
- No other site may frame a page, and nothing is guessed about the type of an answer.
- A read-only server takes no upload.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence

import streamlit as st
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crowdselect.readonly import read_only
from crowdselect.settings import further_hosts

LOCAL = ("localhost", "127.0.0.1", "[::1]")
EVERYWHERE = ("0.0.0.0", "::", "")  # noqa: S104 - compared with, not listened on
UPLOADS = "/_stcore/upload_file"
HEADERS = (
    (b"content-security-policy", b"frame-ancestors 'self'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
)


def middleware() -> list[Middleware]:
    """For ``st.App(..., middleware=...)``."""
    return [
        Middleware(TrustedHostMiddleware, allowed_hosts=list(host_names()), www_redirect=False),
        Middleware(Doors),
    ]


def host_names() -> Sequence[str]:
    """The names under which this server may be asked.

    A server of this machine alone has its local names. One that listens for others has besides
    the machine's own name and addresses, its address, and what ``--allow-host`` says.
    """
    address = str(st.get_option("server.address") or "")
    names = [*LOCAL, *further_hosts()]
    if address in EVERYWHERE:
        names += [socket.gethostname(), socket.getfqdn(), *_addresses()]
    elif address not in LOCAL:
        names.append(address)
    return tuple(dict.fromkeys(names))


def _addresses() -> list[str]:
    import psutil

    found = [a for each in psutil.net_if_addrs().values() for a in each]
    return [a.address for a in found if a.family == socket.AF_INET] + [
        f"[{a.address}]" for a in found if a.family == socket.AF_INET6
    ]


class Doors:
    """Headers on every answer; no uploads where nothing may be written."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *HEADERS]}
            await send(message)

        if UPLOADS in scope["path"] and read_only() and scope["method"] not in ("GET", "OPTIONS"):
            refused = PlainTextResponse("This server is read-only.", status_code=403)
            await refused(scope, receive, with_headers)
            return
        await self._app(scope, receive, with_headers)
