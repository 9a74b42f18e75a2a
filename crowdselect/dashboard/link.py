"""The recipe in the page's address: what differs from the defaults, one readable parameter each.

``?crowd=demo&w.difficulty=1&w.stability=2&budget=500&filters.contains=python``. Values are parsed
by the recipe's own validation, so a hand-made or old link can at worst be refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from crowdselect.options import options_of
from crowdselect.values import Recipe

WEIGHT = "w."
NO_WEIGHTS = "none"
GROUPS = ("filters", "options", "gate")
"""Fields that are groups themselves: ``filters.contains``."""
LEFT_OUT = {"pins", "bans", "answers"}
"""They live in the crowd's notes, which every visitor of this workspace shares."""
FIELDS = {o.name: o for o in options_of(Recipe) if o.name not in {"weights", *GROUPS, *LEFT_OUT}}
"""What a link says under its own name."""
PLAIN = {
    name for name, o in FIELDS.items() if o.item is None and not set(o.kinds) & {bool, int, float}
}
"""Those among them that are words, and so stand in the address as they are."""


def to_params(recipe: Recipe) -> dict[str, str]:
    """The parameters of a link that restores ``recipe`` (without what notes say)."""
    changed = recipe.model_dump(mode="json", exclude_defaults=True, exclude=LEFT_OUT)
    if recipe.gate is not None:  # one that is there says all of itself
        changed["gate"] = recipe.gate.model_dump(mode="json", exclude_none=True)
    params: dict[str, str] = {}
    if (weights := changed.pop("weights", None)) is not None:
        params |= {WEIGHT + name: write_value(_whole(value)) for name, value in weights.items()}
        if not weights:
            params[WEIGHT] = NO_WEIGHTS
    for group in GROUPS:
        for name, value in changed.pop(group, {}).items():
            params[f"{group}.{name}"] = write_value(value)
    rest = {name: value if name in PLAIN else write_value(value) for name, value in changed.items()}
    return params | rest


def is_recipe_param(name: str) -> bool:
    """Tell whether this module owns the parameter ``name``."""
    return name.startswith((WEIGHT, *(f"{group}." for group in GROUPS))) or name in FIELDS


def from_params(
    params: Mapping[str, str], crowd: str, defaults: Mapping[str, Any] | None = None
) -> Recipe:
    """The recipe that a link describes, for ``crowd``; raises InputError for unusable values.

    ``defaults`` are the fields of a recipe that the link does not mention.
    """
    data: dict[str, Any] = {**(defaults or {}), "crowd": crowd}
    weights: dict[str, Any] = {}
    for name, text in params.items():
        if name.startswith(WEIGHT):
            if name != WEIGHT:
                weights[name.removeprefix(WEIGHT)] = read_value(text)
            data["weights"] = weights
        elif name.partition(".")[0] in GROUPS:
            group, _, field = name.partition(".")
            data.setdefault(group, {})[field] = read_value(text)
        elif name in FIELDS and name != "crowd":
            data[name] = text if name in PLAIN else read_value(text)
    return Recipe.parse(data, "The link")


def _whole(value: float) -> float | int:
    """``1`` instead of ``1.0``: links are read by people."""
    return int(value) if value == int(value) else value


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
