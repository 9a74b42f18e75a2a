"""Names of metric columns: ``METRIC[:OPTION ...][@JUDGE]``, as in recipes and on the command line.

``difficulty`` is difficulty under the recipe's judge, ``difficulty@ArmoRM`` under another,
``difficulty@all`` rank-combined over all. Options follow after colons: a choice by itself
(``length:response:tokens``), a switch by its name (``difficulty:center_by_model``), a number as
``name~value`` (``stability:min_models~5``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crowdselect.errors import InputError
from crowdselect.registry import Option, options_of


@dataclass(frozen=True)
class ColumnName:
    """A parsed column name."""

    metric: str
    options: tuple[str, ...] = ()
    judge: str | None = None
    """None: the recipe's judge; ``all``: rank-combined over the judges."""
    text: str = field(default="", compare=False)
    """As it was written."""


def parse_column(text: str) -> ColumnName:
    """Split ``METRIC:OPTION:OPTION@JUDGE`` into its parts; raises InputError for an empty one."""
    name, at, judge = text.partition("@")
    metric, *options = name.split(":")
    if not metric or (at and not judge) or not all(options):
        raise InputError(
            f"{text!r} is not a metric column.",
            "Write METRIC, METRIC@JUDGE or METRIC:OPTION@JUDGE, such as difficulty@all.",
        )
    return ColumnName(metric, tuple(options), judge or None, text)


def column_options(plugin: type[Any], parts: tuple[str, ...]) -> Mapping[str, Any]:
    """Turn the option parts of a column name into the options of ``plugin``."""
    known = options_of(plugin)
    options: dict[str, Any] = {}
    for part in parts:
        name, tilde, value = part.partition("~")
        found = _by_value(known, name, value) if tilde else _by_word(known, part)
        if found is None:
            choices = [c for o in known for c in o.choices]
            switches = [
                o.name if o.type is bool else f"{o.name}~NUMBER" for o in known if not o.choices
            ]
            raise InputError(
                f"{plugin.name} does not understand {part!r}.",
                f"It understands: {', '.join(dict.fromkeys([*choices, *switches])) or 'nothing'}.",
            )
        options.update([found])
    return options


def _by_word(known: tuple[Option, ...], word: str) -> tuple[str, Any] | None:
    for opt in known:
        if word in opt.choices:
            return opt.name, word
        if opt.type is bool and word == opt.name:
            return opt.name, True
    return None


def _by_value(known: tuple[Option, ...], name: str, value: str) -> tuple[str, Any] | None:
    for opt in known:
        if opt.name == name and opt.type in (int, float):
            try:
                return name, opt.type(value)
            except ValueError:
                return None
    return None
