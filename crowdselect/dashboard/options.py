"""Declared options as widgets: one declaration, the same bounds and words as the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from crowdselect.access import opened_value
from crowdselect.dashboard import reads, state
from crowdselect.dashboard.offered import RECIPE
from crowdselect.dashboard.text import md
from crowdselect.options import Option, options_of


def edit(
    plugin: type[Any], present: Mapping[str, Any], prefix: str, *, only: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Draw a widget per option of ``plugin``; return those that differ from the default.

    ``present`` holds the values to begin with; ``only`` limits and orders the options.
    """
    declared = {o.name: o for o in options_of(plugin)}
    values = {}
    for name in only or tuple(declared):
        one = declared[name]
        value = ask(one, f"{prefix}.{name}", begin=present.get(name, one.default), label=one.words)
        values[name] = opened_value(reads.workspace(), one.opens, value) if one.opens else value
    return {n: v for n, v in values.items() if v != declared[n].default}


def ask(one: Option, key: str, *, begin: Any = None, **look: Any) -> Any:
    """The value that a form's widget says; it begins at ``begin``, else at the option's default.

    ``look`` goes to :func:`widget`.
    """
    if key not in st.session_state:
        st.session_state[key] = shown(one, one.default if begin is None else begin)
    look = {"label": one.label or one.words.capitalize(), **look}
    return said(one, widget(one, key, persist_state="session", **look))


def edit_draft(
    plugin: type[Any], present: Mapping[str, Any], looks: Mapping[str, Mapping[str, Any]] = {}
) -> None:
    """Draw a widget per option of the draft's strategy ``plugin``; each writes to the draft.

    ``looks``: an option's name -> what goes to its :func:`widget`.
    """
    for one in options_of(plugin):
        name = f"options.{plugin.name}.{one.name}"
        value = present.get(one.name, one.default)
        own = state.recipe_widget(name, shown(one, value))
        look = looks.get(one.name, {})
        widget(one, **own, on_change=_strategy_option, args=(one, name), **look)


def _strategy_option(one: Option, name: str) -> None:
    kept = {k: v for k, v in state.draft().options.items() if k != one.name}
    value = said(one, state.widget(name))
    state.amend(options=kept if value == one.default else kept | {one.name: value})


def field(name: str, **look: Any) -> None:
    """The widget of a field of the draft; ``look`` goes to :func:`widget`."""
    one = RECIPE[name]
    look = {"label": one.label or one.words.capitalize(), **look}
    own = state.recipe_widget(name, shown(one, getattr(state.draft(), name)))
    widget(one, **own, **{"on_change": _field_changed, "args": (name,), **look})


def _field_changed(name: str) -> None:
    state.amend(**{name: said(RECIPE[name], state.widget(name))})


def widget(
    one: Option,
    key: str,
    *,
    choices: Sequence[Any] | None = None,
    label: str = "",
    draw: Callable[..., Any] | None = None,
    **look: Any,
) -> Any:
    """The widget that fits the option's type, or ``draw``; ``look`` goes to Streamlit's own.

    The session holds its value, as :func:`shown` gives it, before it is drawn.
    """
    fitting, bounds = _kind(one, choices)
    words = label or one.words
    look = {"help": md(one.help) or None, **look}
    return (draw or fitting)(words, key=key, **{**bounds, **look})


def _kind(one: Option, choices: Sequence[Any] | None) -> tuple[Callable[..., Any], dict[str, Any]]:
    """Streamlit's widget and what it is called with beside label and key."""
    if one.switch is not None or one.type is bool:
        return st.checkbox, {}
    if choices is not None and one.item is not None:
        return st.multiselect, {"options": choices}
    if choices is not None or one.choices:
        look: dict[str, Any] = {"index": None, "placeholder": "any"} if one.optional else {}
        return st.selectbox, {"options": list(one.choices if choices is None else choices), **look}
    number = next((k for k in (float, int) if k in one.kinds), None)
    if number is None or str in one.kinds:
        return st.text_input, {}
    if one.percent:
        return st.number_input, {"min_value": 0, "max_value": 100, "step": 1}
    low, high = (None if b is None else number(b) for b in (one.low, one.high))
    look = {"step": 1} if number is int else {"format": "%.4g", "step": None}
    if one.optional:
        look |= {"value": None, "placeholder": "off"}
    return st.number_input, {"min_value": low, "max_value": high, **look}


def shown(one: Option, value: Any) -> Any:
    """``value`` as the option's widget shows it."""
    if one.switch is not None:
        return bool(value == one.switch)
    if one.item is not None:
        return list(value)
    if one.percent:
        return round(value * 100)
    if one.choices or set(one.kinds) & {bool, int, float}:
        return value
    return "" if value is None else str(value)


def said(one: Option, value: Any) -> Any:
    """The option's value that its widget says."""
    if one.switch is not None:
        return one.switch if value else one.default
    if value is None:  # an emptied number that cannot be unset
        return None if one.optional else one.default
    if one.percent:
        return value / 100
    if isinstance(value, str) and one.optional:
        return value.strip() or None
    return value
