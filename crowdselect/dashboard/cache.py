"""One way to keep what pages read: shared by all visitors, keyed by content, bounded in number."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

import streamlit as st

from crowdselect.store import Crowd
from crowdselect.values import Recipe

KEPT = 24
P = ParamSpec("P")
R = TypeVar("R")
By = Literal["state", "texts"]
STATES: WeakKeyDictionary[Crowd, str] = WeakKeyDictionary()
"""Handle -> the state of its files when it was opened."""


def state_of(crowd: Crowd) -> str:
    """What the numbers of ``crowd`` depend on: content, models and scores."""
    return STATES[crowd]


def cached(
    by: By = "state",
    *,
    most: int = KEPT,
    spinner: bool | str = False,
    recipe: tuple[str, ...] | None = None,
) -> Callable[[Callable[Concatenate[Crowd, P], R]], Callable[Concatenate[Crowd, P], R]]:
    """Keep the newest ``most`` results of a function of a crowd and further values.

    ``by``: results hold as long as the crowd's files stay as they are (``state``), or its
    instructions (``texts``). ``recipe``: the fields of a recipe that matter; recipes that agree in
    them share a result, and the function sees no other field.
    """

    def wrap(
        function: Callable[Concatenate[Crowd, P], R],
    ) -> Callable[Concatenate[Crowd, P], R]:
        def kept(_crowd: Crowd, identity: str, *values: Any) -> R:
            return function(_crowd, *values)  # type: ignore[call-arg]

        # Streamlit tells functions apart by their names and their source.
        kept.__module__, kept.__qualname__ = function.__module__, function.__qualname__
        keep = st.cache_resource(max_entries=most, show_spinner=spinner)(kept)

        @functools.wraps(function)
        def read(crowd: Crowd, /, *values: P.args, **named: P.kwargs) -> R:
            identity = state_of(crowd) if by == "state" else crowd.fingerprint
            wanted = [_narrow(v, recipe) for v in (*values, *named.values())]
            result: R = keep(crowd, identity, *wanted)
            return result

        read.clear = keep.clear  # type: ignore[attr-defined]
        return read

    return wrap


def _narrow(value: Any, fields: tuple[str, ...] | None) -> Any:
    """A recipe with only these fields, all others being defaults."""
    if fields is None or not isinstance(value, Recipe):
        return value
    return Recipe.model_validate(value.model_dump(include={"crowd", *fields}))
