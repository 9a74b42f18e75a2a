"""What stands before every request: who may ask by which name, and what may frame the answer.

- Only the names that the server is meant to have are answered (``Host``), so that a foreign page
  cannot reach a server on this machine by pointing its own name here (DNS rebinding).
- No other site may frame a page, and nothing is guessed about the type of an answer.
- A read-only server takes no upload, nor does any server from somebody whose role is to look.
- A visitor uploads so much in a day, in however many visits.
"""

from __future__ import annotations

import shutil
import socket
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.runtime.scriptrunner import get_script_run_ctx

from crowdselect.people import Person
from crowdselect.readonly import server_read_only
from crowdselect.roles import people_of
from crowdselect.settings import (
    Workspace,
    frame_ancestors,
    further_hosts,
    limits,
    workspace_folder,
)

LOCAL = ("localhost", "127.0.0.1", "[::1]")
EVERYWHERE = ("0.0.0.0", "::", "")  # noqa: S104 - compared with, not listened on
UPLOADS = "/_stcore/upload_file"
DAY_S = 86_400.0
MOST_VISITS = 10_000
HEADERS = (
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


@dataclass
class _Visit:
    """What is known of who uploads by a visit's address."""

    identity: str
    may_write: bool


_visits: OrderedDict[str, _Visit] = OrderedDict()
"""By session: the part of an upload's address that names it."""


def note_visit(person: Person) -> None:
    """Remember who the visitor of this session is, for what they upload."""
    context = get_script_run_ctx(suppress_warning=True)
    if context is None:
        return
    _visits[context.session_id] = _Visit(person.identity, person.at_least("curator"))
    _visits.move_to_end(context.session_id)
    while len(_visits) > MOST_VISITS:
        _visits.popitem(last=False)


class Doors:
    """Headers on every answer; no uploads where nothing may be written."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._frames = (
            b"content-security-policy",
            " ".join(("frame-ancestors 'self'", *frame_ancestors())).encode(),
        )
        self._uploaded: dict[str, list[tuple[float, int]]] = {}
        """When and how many bytes, by visitor."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ()), *HEADERS, self._frames]
                message = {**message, "headers": headers}
            await send(message)

        if UPLOADS in scope["path"] and scope["method"] not in ("GET", "OPTIONS"):
            problem = self._who_may_not(scope["path"])
            if problem:
                await PlainTextResponse(problem, status_code=403)(scope, receive, with_headers)
                return
        if UPLOADS in scope["path"] and scope["method"] in ("PUT", "POST"):
            problem = self._too_much(scope)
            if problem:
                await PlainTextResponse(problem, status_code=413)(scope, receive, with_headers)
                return
        await self._app(scope, receive, with_headers)

    def _who_may_not(self, path: str) -> str:
        """Why nothing is taken from this visit; empty: it is."""
        if server_read_only():
            return "This server is read-only."
        visit = _visits.get(_session(path))
        if visit is not None:
            return "" if visit.may_write else "Your role here is to look."
        known = people_of(Workspace(workspace_folder())) is None
        return "" if known else "Nobody knows this visit; reload the page."

    def _too_much(self, scope: Scope) -> str:
        """Why an upload is refused; empty: it is not, and counts from now on."""
        most = limits()
        headers = dict(scope["headers"])
        try:
            size = int(headers.get(b"content-length", b"-1"))
        except ValueError:
            size = -1
        if size < 0:
            return "An upload says how long it is."
        session, now = _session(scope["path"]), time.time()
        visit = _visits.get(session)
        who = (visit.identity if visit else "") or session
        recent = [each for each in self._uploaded.get(who, ()) if now - each[0] < DAY_S]
        if most.upload_mb and sum(n for _, n in recent) + size > most.upload_mb << 20:
            return f"One visitor may upload {most.upload_mb:,} MB in a day."
        free = shutil.disk_usage(workspace_folder().parent).free - size
        if most.free_gb and free < most.free_gb * 1e9:
            return f"The disk keeps {most.free_gb:g} GB free."
        self._uploaded[who] = [*recent, (now, size)]
        return ""


def _session(path: str) -> str:
    """The part of an upload's address that names the visit."""
    return path.split(UPLOADS, 1)[1].strip("/").split("/", 1)[0]
