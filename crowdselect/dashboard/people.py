"""Who visits: whether they may come in, as what, and who it is that writes a note."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from crowdselect.dashboard import browser
from crowdselect.people import OWNER, Person
from crowdselect.roles import NOBODY, People, is_invited, people_of, person_of
from crowdselect.settings import Workspace, workspace_folder
from crowdselect.store import Author

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


def acting() -> Person:
    """Who is behind what this thread does, with their role; asked anew every time.

    Whoever is not invited (any more) sees and changes nothing. What the server does by itself, in
    a thread that belongs to no visitor, changes nothing either where people have roles.
    """
    root = Workspace(workspace_folder())
    people = people_of(root)
    if get_script_run_ctx(suppress_warning=True) is None:
        return OWNER if people is None else NOBODY
    return visitor(people) or NOBODY


def visitor(people: People | None) -> Person | None:
    """The visitor of this page; None: not invited."""
    account = str(st.user.get("email") or st.user.get("sub") or "")
    writer = me()
    there = bool(st.user.get("is_logged_in"))
    if there and people is None and not is_invited(account, invited()):
        return None
    if people is not None and not there:
        return None
    if there and st.user.get("email_verified") is False:
        return None
    # Without a login the address is one that Streamlit makes up.
    return person_of(people, account if there else "", name=writer.name, browser=writer.browser)


def invited() -> Sequence[str]:
    """The ``allow`` list beside the ``[auth]`` section; nobody where there is none."""
    given = st.secrets.get("crowdselect", {}).get("allow", ())
    return [given] if isinstance(given, str) else list(given)


def call_me(name: str) -> None:
    """Sign notes with ``name`` from now on, also in later visits by this browser."""
    me()
    st.session_state[NAME] = " ".join(name.split())[:MOST_LETTERS]


def remember() -> None:
    """Let the browser keep who its visitor is; once per page."""
    writer = me()
    browser.install(f"{writer.browser} {st.session_state[NAME]}")
