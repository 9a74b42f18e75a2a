"""The addresses under which a scatter in the browser fetches its program, points and texts.

Give them to the app: ``app = st.App(__file__, routes=scatter.routes())``. They are no pages and
hold no state: a request names what it wants by a secret, content-keyed address (see ``shelf``).
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from crowdselect.dashboard.scatter.shelf import Shelf

PREFIX = "crowdselect-scatter"
BUNDLE = Path(__file__).parent / "build" / "scatter.js"
_KEPT = {
    "cache-control": "private, max-age=31536000, immutable",
    "x-content-type-options": "nosniff",
}
# Floats do not compress: without this the server would gzip megabytes for nothing.
_AS_IT_IS = {**_KEPT, "content-encoding": "identity"}


def base_address() -> str:
    """Where the routes are, with ``server.baseUrlPath``: ``/crowdselect-scatter``."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}/{PREFIX}" if base else f"/{PREFIX}"


def routes() -> list[Route]:
    """The routes of the component, for ``st.App(..., routes=[...])``."""
    base = base_address()
    return [
        Route(f"{base}/program/{{name}}", _program),
        Route(f"{base}/data/{{address}}", _data),
        Route(f"{base}/text/{{address}}/{{row:int}}", _text),
    ]


@cache
def _bundle() -> tuple[str, bytes]:
    content = BUNDLE.read_bytes()
    return f"{hashlib.sha256(content).hexdigest()[:16]}.js", content


def program_address() -> str:
    """Address of the component's JavaScript; its name changes with its content."""
    return f"{base_address()}/program/{_bundle()[0]}"


def _program(request: Request) -> Response:
    name, content = _bundle()
    if request.path_params["name"] != name:
        return PlainTextResponse("The program has changed; reload the page.", 404)
    return Response(content, media_type="text/javascript", headers=_KEPT)


def _data(request: Request) -> Response:
    content = _shelf().content(request.path_params["address"])
    if content is None:
        return PlainTextResponse("Not here (any more); reload the page.", 404)
    return Response(content, media_type="application/octet-stream", headers=_AS_IT_IS)


def _text(request: Request) -> Response:
    source = _shelf().source(request.path_params["address"])
    if source is None:
        return PlainTextResponse("Not here (any more); reload the page.", 404)
    try:
        text = source.lookup(request.path_params["row"])
    except (IndexError, KeyError):
        return PlainTextResponse("There is no such row.", 404)
    content = {"title": text.title, "facts": [list(fact) for fact in text.facts]}
    return JSONResponse(content, headers={"cache-control": "no-store"})


def _shelf() -> Shelf:
    # Looked up on each request: Streamlit's file watcher replaces the module when its source is
    # edited, and the pages then use the new shelf.
    from crowdselect.dashboard.scatter.shelf import SHELF

    return SHELF
