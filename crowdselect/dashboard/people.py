"""Who may come in where a login is configured, and who it is that writes a note."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import streamlit as st

from crowdselect.dashboard import browser
from crowdselect.store import Author

EVERYBODY = "*"
NAME = "_name"
BROWSER = "_browser"
CODE_BYTES = 6
MOST_LETTERS = 60


def logged_in() -> str:
    """The name of who is logged in; empty where there is no login."""
    if not st.user.get("is_logged_in"):
        return ""
    return str(st.user.get("name") or st.user.get("email") or "")


def me() -> Author:
    """Who writes: the account's name, else the one that was typed once; and by which browser."""
    session = st.session_state
    if BROWSER not in session:
        code, _, name = browser.kept().partition(" ")
        known = len(code) == 2 * CODE_BYTES and code.isalnum()
        session[BROWSER] = code if known else secrets.token_hex(CODE_BYTES)
        session[NAME] = name[:MOST_LETTERS] if known else ""
    return Author(logged_in() or session[NAME], session[BROWSER])


def identity() -> str:
    """Who starts jobs: the account, else this browser."""
    return str(st.user.get("email") or "") or me().browser


def call_me(name: str) -> None:
    """Sign notes with ``name`` from now on, also in later visits by this browser."""
    me()
    st.session_state[NAME] = " ".join(name.split())[:MOST_LETTERS]


def remember() -> None:
    """Let the browser keep who its visitor is; once per page."""
    writer = me()
    browser.install(f"{writer.browser} {st.session_state[NAME]}")


def is_invited(email: object, allow: Sequence[str]) -> bool:
    """Tell whether the account's ``email`` is on the list ``allow``.

    An entry is an address (``ann@example.org``), a domain (``@example.org``), or ``*`` for any
    account of the provider. An empty list lets nobody in: a provider such as Google logs in the
    whole world.
    """
    if EVERYBODY in allow:
        return True
    if not isinstance(email, str) or email.count("@") != 1:
        return False
    address = email.strip().casefold()
    known = {entry.strip().casefold() for entry in allow}
    return address in known or "@" + address.partition("@")[2] in known
