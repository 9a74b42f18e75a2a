"""Command line options -> a recipe: a file, a preset and single options, the later ones winning."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crowdselect.cli.options import option_parameters, own_options, values_of
from crowdselect.errors import InputError, NotFoundError
from crowdselect.filters import FILTERS
from crowdselect.options import options_of
from crowdselect.reading import read_text
from crowdselect.values import Recipe

LARGEST = 64 << 20
"""The most bytes of a recipe, pins and bans included."""
FILTER = "filter_"
"""Parameters of filters begin so: a recipe has ``clusters``, and so have its filters."""


def read_recipe(path: Path) -> dict[str, Any]:
    """A recipe file's fields; raises InputError naming the file and what is wrong."""
    try:
        text = read_text(path, limit=LARGEST).text
    except NotFoundError as error:
        raise NotFoundError(error.problem, "Give a recipe in TOML (see --write-recipe).") from error
    return Recipe.from_toml(text, str(path)).model_dump(mode="json")


def recipe_parameters() -> list[inspect.Parameter]:
    """An option per field of a recipe, and per filter."""
    return [
        *option_parameters(options_of(Recipe), given=True, panel="Recipe"),
        *option_parameters(FILTERS, given=True, prefix=FILTER, panel="Filters"),
    ]


def build_recipe(
    crowd: str, base: Mapping[str, Any], given: Mapping[str, Any], options: list[str] | None
) -> Recipe:
    """Lay what was ``given`` for :func:`recipe_parameters` over the fields of ``base``.

    ``options`` are the strategy's own; pins and bans are added to those of ``base``.
    """
    from crowdselect.selection import STRATEGIES

    fields = values_of(options_of(Recipe), given)
    for name in ("pins", "bans"):
        fields[name] = list(dict.fromkeys([*base.get(name, ()), *fields.get(name, ())]))
    changed = {**base, "crowd": crowd, **fields}
    changed["filters"] = {**base.get("filters", {}), **values_of(FILTERS, given, FILTER)}
    if changed.get("strategy") != base.get("strategy", "crowdselect"):
        changed["options"] = {}  # a recipe's options belong to its own strategy
    plugin = STRATEGIES[changed.get("strategy", "crowdselect")]
    changed["options"] = {**changed.get("options", {}), **own_options(plugin, options)}
    return Recipe.parse(changed, "The recipe")


def with_preset(given: Mapping[str, Any], preset: str | None) -> dict[str, Any]:
    """``given`` with the weights of a preset; raises InputError where weights were given too."""
    from crowdselect.selection import preset_weights

    if preset is None:
        return dict(given)
    if given["weights"] is not None:
        raise InputError("Both --weights and --preset were given.", "Give one of the two.")
    weights = ",".join(f"{name}={value!r}" for name, value in preset_weights(preset).items())
    return {**given, "weights": weights}
