"""Fields for a model and the server that serves it: what a visitor may name (see ``access``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from crowdselect.access import NO_KEY, found_models, known_servers, may_answer, opened_model
from crowdselect.dashboard import reads
from crowdselect.lm import packaged
from crowdselect.people import acting
from crowdselect.settings import Workspace

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


def offered(served: Served, *, answering: bool = False) -> dict[str, str]:
    """Model -> what it is called: what the server serves, else the models found on this machine.

    ``answering``: without those that are known to write no text.
    """
    if served.base_url:
        return {name: name for name in served.models}
    ready = {folder: f"{Path(folder).name}, at hand" for folder in packaged_models()}
    return {**ready, **_found(reads.workspace().root, answering, acting().restricted), **ready}


@st.cache_data(ttl=60, max_entries=4, show_spinner=False)
def _found(root: Path, answering: bool, restricted: bool) -> dict[str, str]:
    """Looked for once a minute: opened folders may hold many files.

    ``restricted``: for those who may not see every crowd, and so fewer folders.
    """
    places = [p for p in found_models(Workspace(root)) if not answering or may_answer(p)]
    return {str(path): f"{path.name}, in {path.parent.name}" for path in places}


def model_fields(key: str, *, answering: bool = False) -> tuple[str, Served]:
    """The choice of a server, then of a model: from a list, or a hub id or served name as typed."""
    served = server_field(f"{key} server")
    return model_field(key, served, answering=answering), served


def model_field(key: str, served: Served, *, answering: bool = False) -> str:
    """The choice of a model among those that a server serves, or that were found here."""
    known = offered(served, answering=answering)
    chosen = st.selectbox(
        "Model",
        list(known),
        index=None,
        key=f"{key} model",
        persist_state="session",
        format_func=lambda model: known.get(model, model),
        accept_new_options=True,
        placeholder="Choose, or write a served name" if served.base_url else "Choose, or a hub id",
        help=None if known else "No model was found in the folders that this dashboard may read.",
    )
    return chosen if chosen in known else named_model(chosen, served)


def answering_field(label: str, key: str, served: Served, help_text: str | None) -> list[str]:
    """The choice of models that write text, as :func:`named_models` takes it."""
    known = offered(served, answering=True)
    return st.multiselect(
        label,
        list(known),
        key=key,
        persist_state="session",
        format_func=lambda model: known.get(model, model),
        accept_new_options=True,
        placeholder="Choose, or write a hub id or served name",
        help=help_text,
    )


def named_models(chosen: Sequence[str], served: Served) -> list[str]:
    """Chosen or typed models as they are opened; packaged ones are prepared."""
    known = offered(served, answering=True)
    here = not served.base_url
    return [
        (at_hand(model) if here else model) if model in known else named_model(model, served)
        for model in chosen
    ]


def named_model(text: str | None, served: Served) -> str:
    """The model as typed if a server serves it, else an opened folder, a hub id or a packaged
    model's folder; empty: none.
    """
    name = (text or "").strip()
    if name in packaged.PACKAGED and not served.base_url:
        return at_hand(name)
    return name if not name or served.base_url else opened_model(reads.workspace(), name)
