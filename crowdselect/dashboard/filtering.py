"""Whose filters a form and its chips show: the draft's, or those of a list on one page.

The draft's decide what may be selected and go along to every page; a list's say what is listed and
change no selection. Both are the same filters, written in the same way into the link.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from crowdselect.dashboard import state
from crowdselect.dashboard.text import md
from crowdselect.errors import InputError
from crowdselect.filters import FILTERS, Filter, Filters

NAME = "filters."
"""Widgets and view settings of filters begin so: a recipe has ``clusters``, and so have filters."""


@dataclass(frozen=True)
class Scope:
    """Where filters are read from and written to."""

    key: str
    """Before the keys of widgets, so that both can stand on one page."""
    filters: Callable[[], Filters]
    change: Callable[..., None]
    """Called with names and new values; values that cannot be are said, and nothing changes."""
    clear: Callable[[], None]
    looks: bool
    """Whether filters are offered that only say what is listed."""

    def widget(self, declared: Filter, value: Any) -> state.Own:
        """Give the widget of a filter its value; return what it is drawn with."""
        return state.recipe_widget(self.key + NAME + declared.name, value, folded=True)

    def said(self, declared: Filter) -> Any:
        """What the widget says now; for its callback."""
        return state.widget(self.key + NAME + declared.name)


def _listed() -> Filters:
    unset: Any = None
    kept = {d.name: state.view(NAME + d.name, unset) for d in FILTERS}
    given = {name: value for name, value in kept.items() if value is not None}
    try:
        return Filters.parse(given, "The link")
    except InputError as error:
        st.toast(md(error.problem))
        _clear_listed()
        return Filters()


def _change_listed(**changes: Any) -> None:
    try:
        found = Filters.parse(_listed().model_dump(mode="json") | changes, "The filters")
    except InputError as error:
        st.toast(md(error.problem))
        return
    said = found.model_dump(mode="json")
    active = {declared.name for declared, _ in found.active()}
    for name in changes:
        state.set_view(NAME + name, said[name] if name in active else None)


def clear_listed(page: str | None = None) -> None:
    """Take all filters off the list of ``page`` (None: this one)."""
    for declared in FILTERS:
        state.set_view(NAME + declared.name, None, page=page)


def _clear_listed() -> None:
    clear_listed()


def _clear_draft() -> None:
    state.amend(filters={})


DRAFT = Scope("", lambda: state.draft().filters, state.change_filters, _clear_draft, looks=False)
LISTED = Scope("listed.", _listed, _change_listed, _clear_listed, looks=True)


def select_only_listed() -> None:
    """Callback: what the list's filters keep is all that may be selected; the list lets go of them.

    Filters that only say what is listed stay where they are.
    """
    moved = {d.name for d, _ in _listed().active() if not d.looks}
    said = _listed().model_dump(mode="json")
    state.change_filters(**{name: said[name] for name in moved})
    for name in moved:
        state.set_view(NAME + name, None)
