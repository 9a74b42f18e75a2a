"""Active filters and rules as chips: each says in a few words what it keeps, and goes at a click.

Rules are those fields of a recipe that are no filter and decide what may be selected: its gate and
the questions that are kept out. Both are read from what is declared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from crowdselect.dashboard import reads, state
from crowdselect.dashboard.filtering import DRAFT, Scope
from crowdselect.dashboard.text import md, number, plural, shorten
from crowdselect.filters import Filter, Own, Range
from crowdselect.options import Option, options_of
from crowdselect.store import Crowd
from crowdselect.values import Filters, Gate, QuestionFile, Recipe

RULES = tuple(declared for declared in options_of(Recipe) if declared.chip)
"""Fields of a recipe that have a chip."""
NAMED = 2
"""How many of several values a chip names."""


@dataclass(frozen=True)
class Chip:
    """One active filter or rule."""

    label: str
    without: dict[str, Any]
    """Changes that remove it: to the filters, of a rule to the recipe."""


def chips_of(
    filters: Filters,
    cluster_names: Sequence[str] = (),
    selection_names: Mapping[str, str] | None = None,
) -> list[Chip]:
    """The chips of ``filters``, in the order of declaration; one per range and per column.

    ``selection_names`` maps ids of saved selections to what people call them.
    """
    names: dict[str, Mapping[Any, str]] = {
        "clusters": {**dict(enumerate(cluster_names)), -1: "unclustered"},
        "selections": selection_names or {},
    }
    chips = []
    for declared, value in filters.active():
        if declared.item is Range:
            for one in value:
                rest = [r.model_dump() for r in value if r != one]
                chips.append(Chip(declared.chip.format(_range(one)), {declared.name: rest}))
        elif declared.item is Own:
            for column in dict.fromkeys(own.column for own in value):
                words = _own([own for own in value if own.column == column])
                rest = [own.model_dump() for own in value if own.column != column]
                chips.append(Chip(declared.chip.format(words), {declared.name: rest}))
        else:
            words = declared.chip.format(_words(declared, value, names))
            chips.append(Chip(words, {declared.name: declared.default}))
    return chips


def rules_of(recipe: Recipe) -> list[Chip]:
    """The chips of the recipe's rules, in the order of declaration; one per file of questions."""
    chips = []
    for declared in RULES:
        value = getattr(recipe, declared.name)
        if declared.item is not None:
            for one in value:
                rest = [other.model_dump(mode="json") for other in value if other != one]
                chips.append(Chip(declared.chip.format(_rule(one)), {declared.name: rest}))
        elif value != declared.default:
            chips.append(Chip(declared.chip.format(_rule(value)), _unset(declared)))
    return chips


def _rule(value: Gate | QuestionFile) -> str:
    if isinstance(value, QuestionFile):
        return shorten(value.name, 30)
    whose = f" ({shorten(value.judge, 22)})" if value.judge else ""
    return f"{value.kind} {_bounds(value.at_least, None)}{whose}"


def _unset(declared: Option) -> dict[str, Any]:
    """Changes that unset a rule, and what counts for nothing without it."""
    beside = {"among": "any"} if declared.name == "gate" else {}
    return {declared.name: declared.default, **beside}


def _words(declared: Filter, value: Any, names: Mapping[str, Mapping[Any, str]]) -> str:
    """The value of a filter in a few words."""
    if declared.needs == "plane":
        return plural(len(value), "corner")
    if declared.item is not None:
        known = names.get(declared.needs, {})
        return _some([shorten(known.get(v, str(v)), 22) for v in value])
    if isinstance(value, str) and not declared.choices:
        text = shorten(value, 24)
        return f"\N{LEFT DOUBLE QUOTATION MARK}{text}\N{RIGHT DOUBLE QUOTATION MARK}"
    if isinstance(value, str):
        return value
    return number(value) if isinstance(value, float) else f"{value:,}"


def _some(words: Sequence[str]) -> str:
    more = f" and {len(words) - NAMED} more" if len(words) > NAMED else ""
    return ", ".join(words[:NAMED]) + more


def _own(conditions: Sequence[Own]) -> str:
    """What is asked of one column."""
    parts = [shorten(value, 22) or "none" for own in conditions for value in own.values]
    parts += [_bounds(own.low, own.high) for own in conditions if own.low is not None
              or own.high is not None]  # fmt: skip
    return f"{shorten(conditions[0].column, 22)} {_some(parts)}"


def _range(bounds: Range) -> str:
    return f"{bounds.metric} {_bounds(bounds.low, bounds.high)}"


def _bounds(low: float | None, high: float | None) -> str:
    if low is None:
        return f"up to {number(high)}"
    return f"from {number(low)}" if high is None else f"{number(low)} to {number(high)}"


def show(
    crowd: Crowd,
    cluster_names: Sequence[str] = (),
    scope: Scope = DRAFT,
    *,
    rules: Recipe | None = None,
) -> None:
    """A row of chips; a click removes the filter. Nothing where there is no filter.

    ``rules``: the recipe whose rules have their chips here too; None: filters alone.
    """
    filters = scope.filters()
    saved = reads.selection_names(crowd) if "selections" in filters.needs else {}
    strict = [] if rules is None else rules_of(rules)
    chips = [(c, "filter", scope.change) for c in chips_of(filters, cluster_names, saved)]
    chips += [(c, "rule", state.amend) for c in strict]
    if not chips:
        return
    with st.container(horizontal=True, gap="xsmall", key=f"{scope.key}chips"):
        for i, (chip, what, change) in enumerate(chips):
            st.button(
                md(chip.label),
                key=f"{scope.key}chip {i} {chip.label}",
                icon=":material/close:",
                icon_position="right",
                help=f"Remove this {what}",
                on_click=_remove,
                args=(change, chip.without),
            )
        if len(chips) > 1:
            st.button(
                "Clear all",
                key=f"{scope.key}chips clear",
                type="tertiary",
                on_click=_clear,
                args=(scope, strict),
            )


def _remove(change: Callable[..., None], without: dict[str, Any]) -> None:
    change(**without)


def _clear(scope: Scope, rules: Sequence[Chip]) -> None:
    scope.clear()
    if rules:
        state.amend(**{k: v for one in RULES for k, v in _unset(one).items()})
