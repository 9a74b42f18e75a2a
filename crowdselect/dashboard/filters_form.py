"""Edit filters in a popover; the chips say what is active.

The form has a widget per declared filter (:data:`crowdselect.filters.FILTERS`), by its type.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import streamlit as st

from crowdselect.dashboard import notes, options, reads
from crowdselect.dashboard.filtering import DRAFT, Scope
from crowdselect.filters import EMBEDDED, FILTERS, GROUPS, Filter, Own, Range
from crowdselect.store import Crowd
from crowdselect.values import Clustering


def show(
    crowd: Crowd, clusters: Clustering | None, scope: Scope = DRAFT, label: str = "Filters"
) -> None:
    """The popover with every filter that can be set here."""
    offered = [d for d in FILTERS if _offered(d, clusters, scope)]
    with st.popover(label, icon=":material/filter_alt:"):
        for group, tab in zip(GROUPS, st.tabs(GROUPS), strict=True):
            with tab:
                _group([d for d in offered if d.group == group], crowd, clusters, scope)


def _offered(declared: Filter, clusters: Clustering | None, scope: Scope) -> bool:
    if declared.looks or (scope.looks and declared.leaves_out is None):
        return scope.looks and declared.leaves_out is not None
    return declared.flag is not None and (declared.needs not in EMBEDDED or clusters is not None)


def _group(declared: list[Filter], crowd: Crowd, clusters: Clustering | None, scope: Scope) -> None:
    drawn = [_draw(one, crowd, clusters, scope) for one in declared if not _short(one)]
    short = [one for one in declared if _short(one)]
    if short:  # short numbers stand in one line
        for column, one in zip(st.columns(len(short)), short, strict=True):
            with column:
                _widget(one, scope)
    if not any(drawn) and not short:
        st.caption("Nothing here to filter by yet.")


def _short(declared: Filter) -> bool:
    return int in declared.kinds and declared.item is None


def _draw(declared: Filter, crowd: Crowd, clusters: Clustering | None, scope: Scope) -> bool:
    """The filter's widget; tell whether there is anything to choose."""
    if declared.item is Range:
        _ranges(crowd, declared, scope)
    elif declared.item is Own:
        return _own(crowd, declared, scope)
    elif declared.item is not None:
        names = _values(declared, crowd, clusters)
        held = [v for v in scope.filters().value(declared) if v not in names]
        names = {**names, **{v: str(v) for v in held if not isinstance(v, int)}}
        if names:
            _several(declared, names, scope)
        return bool(names)
    else:
        _widget(declared, scope)
    return True


def _values(declared: Filter, crowd: Crowd, clusters: Clustering | None) -> Mapping[Any, str]:
    """What a filter of several values can be set to, with what it is called."""
    if declared.needs == "clusters" and clusters is not None:
        return reads.cluster_names(clusters)
    if declared.needs == "selections":
        return reads.selection_names(crowd)
    if choices := get_args(declared.item):
        return {str(c): str(c) for c in choices}
    held = notes.state_of(crowd)
    found = {
        "authors": held.authors,
        "scorer_tags": reads.scorer_tags(crowd) if declared.name == "scorer_tags" else {},
    }.get(declared.name, held.tags)
    return {v: v for v in sorted({v for values in found.values() for v in values})}


def _several(declared: Filter, names: Mapping[Any, str], scope: Scope) -> None:
    chosen = [v for v in scope.filters().value(declared) if v in names]
    options.widget(
        declared,
        **scope.widget(declared, chosen),
        choices=list(names),
        format_func=lambda v: names.get(v, str(v)),
        placeholder="any",
        on_change=_changed,
        args=(declared, scope),
    )


def _widget(declared: Filter, scope: Scope) -> None:
    value = scope.filters().value(declared)
    own = scope.widget(declared, options.shown(declared, value))
    options.widget(declared, **own, on_change=_changed, args=(declared, scope))


def _changed(declared: Filter, scope: Scope) -> None:
    scope.change(**{declared.name: options.said(declared, scope.said(declared))})


def _ranges(crowd: Crowd, declared: Filter, scope: Scope) -> None:
    names = [info.name for info in reads.metric_infos(crowd)]
    metric = st.selectbox(declared.words, names, key=f"{scope.key}filter metric")
    keys = (f"{scope.key}filter low", f"{scope.key}filter high")
    low, high, end = _bounds(keys)
    end.button(
        "Add",
        key=f"{scope.key}filter add range",
        disabled=low is None and high is None,
        on_click=_add_range,
        args=(declared, scope, metric, low, high),
    )


def _bounds(keys: tuple[str, str]) -> tuple[float | None, float | None, Any]:
    """Two numbers, and the place of a button behind them."""
    left, right, end = st.columns([2, 2, 1], vertical_alignment="bottom")
    low = left.number_input("from", value=None, key=keys[0], format="%.4g", step=None)
    high = right.number_input("to", value=None, key=keys[1], format="%.4g", step=None)
    return low, high, end


def _add_range(
    declared: Filter, scope: Scope, metric: str, low: float | None, high: float | None
) -> None:
    present = scope.filters().value(declared)
    ranges = [r.model_dump() for r in present if r.metric != metric]
    scope.change(**{declared.name: [*ranges, {"metric": metric, "low": low, "high": high}]})
    _empty(scope, "filter low", "filter high")


def _empty(scope: Scope, *keys: str) -> None:
    for key in keys:
        st.session_state[scope.key + key] = None


def _own(crowd: Crowd, declared: Filter, scope: Scope) -> bool:
    """A column of the data and what is asked of it."""
    columns = reads.own_columns(crowd)
    if not columns:
        return False
    column = st.selectbox(declared.words, list(columns), key=f"{scope.key}filter column")
    values = columns[column]
    if values is None:
        text = st.text_input("is", key=f"{scope.key}filter text {column}")
        condition: dict[str, Any] = {"values": [text] if text else []}
    elif len(values) and isinstance(values[0], float):
        keys = (f"{scope.key}filter own low", f"{scope.key}filter own high")
        st.caption(f"{values[0]:g} to {values[-1]:g} in the data")
        low, high, _ = _bounds(keys)
        condition = {"low": low, "high": high}
    else:
        chosen = st.multiselect(
            "is one of",
            values,
            key=f"{scope.key}filter values {column}",
            format_func=lambda v: v or "(none)",
        )
        condition = {"values": chosen}
    st.button(
        "Add",
        key=f"{scope.key}filter add column",
        disabled=all(v in (None, []) for v in condition.values()),
        on_click=_add_own,
        args=(declared, scope, column, condition),
    )
    return True


def _add_own(declared: Filter, scope: Scope, column: str, condition: dict[str, Any]) -> None:
    present = scope.filters().value(declared)
    kept = [own.model_dump() for own in present if own.column != column]
    scope.change(**{declared.name: [*kept, {"column": column, **condition}]})
    _empty(scope, "filter own low", "filter own high")
