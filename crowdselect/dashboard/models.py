"""Fields for a model and the server that serves it: what a visitor may name (see ``access``)."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from crowdselect.access import NO_KEY, known_servers, opened_model
from crowdselect.dashboard import reads
from crowdselect.lm import packaged

HERE = ""
"""The choice of no server: the model is loaded on this machine."""


@dataclass(frozen=True)
class Served:
    """Where a model answers."""

    base_url: str | None = None
    """None: it is loaded here."""
    api_key_variable: str = NO_KEY
    models: tuple[str, ...] = ()


def server_field(key: str, *, here: bool = True) -> Served:
    """The choice among the servers that this dashboard's owner has opened.

    ``here``: a model may also be loaded on this machine.
    """
    servers = known_servers(reads.workspace())
    names = [HERE, *servers] if here else list(servers)
    chosen = st.selectbox(
        "Server",
        names,
        key=key,
        persist_state="session",
        index=0 if names else None,
        placeholder="none is opened",
        format_func=lambda name: name or "none: the model is loaded here",
        help="Servers and their keys stand in servers.toml of the workspace; a page does not "
        "take addresses.",
    )
    if not chosen:
        return Served()
    known = servers[chosen]
    return Served(known.base_url, known.api_key_variable, known.models)


def packaged_models() -> dict[str, str]:
    """Folder -> what a packaged model is, of those that can be used here."""
    cache = reads.workspace().cache
    return {str(m.place(cache)): m.about for m in packaged.at_hand(cache)}


def at_hand(model: str) -> str:
    """A packaged model's folder, converted where it is not yet; another model as it is."""
    with st.spinner("Preparing the model"):
        return packaged.located(model, reads.workspace().cache)


def named_model(text: str | None, served: Served) -> str:
    """The model as typed if a server serves it, else an opened folder, a hub id or a packaged
    model's folder; empty: none.
    """
    name = (text or "").strip()
    if name in packaged.PACKAGED and not served.base_url:
        return at_hand(name)
    return name if not name or served.base_url else opened_model(reads.workspace(), name)
