"""The recipe in the page's address: what differs from the defaults, one readable parameter each.

``?crowd=demo&w.difficulty=1&w.stability=2&budget=500&filters.contains=python``. Values are parsed
by the recipe's own validation, so a hand-made or old link can at worst be refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from crowdselect.errors import InputError
from crowdselect.values import Recipe

WEIGHT = "w."
NO_WEIGHTS = "none"
PLAIN = {"crowd", "strategy", "judge", "profile", "encoder", "clustering", "answer"}
OWN = ("budget", "clusters", "seed", "impute_missing", "filters.", "options.", *PLAIN)
LEFT_OUT = {"pins", "bans"}
"""Pins and bans live in the crowd's notes, which every visitor of this workspace shares."""


def to_params(recipe: Recipe) -> dict[str, str]:
    """The parameters of a link that restores ``recipe`` (without pins and bans)."""
    changed = recipe.model_dump(mode="json", exclude_defaults=True, exclude=LEFT_OUT)
    params: dict[str, str] = {}
    if (weights := changed.pop("weights", None)) is not None:
        params |= {WEIGHT + name: write_value(_whole(value)) for name, value in weights.items()}
        if not weights:
            params[WEIGHT] = NO_WEIGHTS
    for group in ("filters", "options"):
        for name, value in changed.pop(group, {}).items():
            params[f"{group}.{name}"] = write_value(value)
    rest = {name: value if name in PLAIN else write_value(value) for name, value in changed.items()}
    return params | rest


def is_recipe_param(name: str) -> bool:
    """Tell whether this module owns the parameter ``name``."""
    return name.startswith((WEIGHT, "filters.", "options.")) or name in OWN


def from_params(
    params: Mapping[str, str], crowd: str, defaults: Mapping[str, Any] | None = None
) -> Recipe:
    """The recipe that a link describes, for ``crowd``; raises InputError for unusable values.

    ``defaults`` are the fields of a recipe that the link does not mention.
    """
    data: dict[str, Any] = {**(defaults or {}), "crowd": crowd}
    weights: dict[str, float] = {}
    for name, text in params.items():
        if name.startswith(WEIGHT):
            if name != WEIGHT:
                weights[name.removeprefix(WEIGHT)] = _number(name, text)
            data["weights"] = weights
        elif name.startswith(("filters.", "options.")):
            group, field = name.split(".", 1)
            data.setdefault(group, {})[field] = read_value(text)
        elif is_recipe_param(name) and name != "crowd":
            data[name] = text if name in PLAIN else read_value(text)
    return Recipe.parse(data, "The link")


def _whole(value: float) -> float | int:
    """``1`` instead of ``1.0``: links are read by people."""
    return int(value) if value == int(value) else value


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(
            f"The link: {name} is {text[:40]!r}, expected a number.", "Correct the link."
        ) from None


def write_value(value: Any) -> str:
    """Strings as they are, unless they would read as JSON; everything else as JSON."""
    if isinstance(value, str) and read_value(value) == value:
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def read_value(text: str) -> Any:
    """What :func:`write_value` wrote; text that is not JSON is a string."""
    try:
        return json.loads(text)
    except ValueError:
        return text
