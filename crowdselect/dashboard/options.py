"""A plug-in's declared options as widgets: one declaration, the same bounds as the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import streamlit as st

from crowdselect.dashboard.state import RECIPE_WIDGET
from crowdselect.registry import Option, options_of


def words(name: str) -> str:
    """``max_length`` as ``max length``."""
    return name.replace("_", " ")


def edit(
    plugin: type[Any], present: Mapping[str, Any], prefix: str, *, only: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Draw a widget per option; return those that differ from the default.

    ``present`` holds the values to begin with; ``only`` limits and orders the options.
    """
    options = {o.name: o for o in options_of(plugin)}
    names = only or tuple(options)
    values = {
        n: widget(options[n], present.get(n, options[n].default), f"{prefix}.{n}") for n in names
    }
    return {n: v for n, v in values.items() if v != options[n].default}


def widget(opt: Option, value: Any, key: str) -> Any:
    """The widget that fits the option's type; empty text of an optional value means None."""
    if key not in st.session_state:
        st.session_state[key] = _shown(opt, value)
    # What edits the recipe is kept by the recipe itself.
    kept: Literal["session"] | None = None if key.startswith(RECIPE_WIDGET) else "session"
    label = words(opt.name)
    if opt.choices:
        return st.selectbox(label, opt.choices, key=key, persist_state=kept, help=opt.help)
    if opt.type is bool:
        return st.checkbox(label, key=key, persist_state=kept, help=opt.help)
    if opt.type is int:
        return st.number_input(
            label,
            _bound(opt.low, int),
            _bound(opt.high, int),
            step=1,
            key=key,
            persist_state=kept,
            help=opt.help,
        )
    if opt.type is float:
        return st.number_input(
            label,
            _bound(opt.low, float),
            _bound(opt.high, float),
            key=key,
            persist_state=kept,
            help=opt.help,
            format="%.4g",
            step=None,
        )
    text = st.text_input(label, key=key, persist_state=kept, help=opt.help)
    return _parsed(opt, text)


def _shown(opt: Option, value: Any) -> Any:
    if opt.choices or opt.type in (bool, int, float):
        return value
    return "" if value is None else str(value)


def _bound(value: float | None, kind: type[Any]) -> Any:
    return None if value is None else kind(value)


def _parsed(opt: Option, text: str | None) -> Any:
    """Text of an option such as ``int | None``; what is no number stays text and is refused."""
    if not text:
        return "" if opt.type is str else None
    for kind in (int, float):
        if kind in getattr(opt.type, "__args__", ()):
            try:
                return kind(text)
            except ValueError:
                continue
    return text
