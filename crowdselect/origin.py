"""Where training data comes from: the saved selection, kept from the run to the report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crowdselect.values import Frozen, Recipe


class Origin(Frozen):
    """The saved selection that training data came from.

    Written when the data is, it goes whole from the run to the benchmark to the report.
    """

    selection: str
    """The selection's id."""
    name: str = ""
    recipe: Recipe | None = None
    pairs: str = ""
    """For preference pairs: how many of how many, and by which rule."""
    chosen_on: tuple[str, ...] = ()
    """Benchmarks on which the recipe was chosen, as declared: scores there are too high."""
    answers: str = ""
    """How many training answers are tied or below full reward; empty: it was not told."""


def with_origin(given: Any) -> Any:
    """Options with an ``origin`` made of ``selection`` and ``recipe``, as they were written before.

    Such a recipe has some of a recipe's fields, and the selection's id and name.
    """
    if not isinstance(given, Mapping) or not given.keys() & {"selection", "recipe"}:
        return given
    rest = {k: v for k, v in given.items() if k not in ("selection", "recipe")}
    told = given.get("recipe") or {}
    identity = given.get("selection") or told.get("id") or ""
    if rest.get("origin") or not (told or identity):
        return rest
    known = {k: v for k, v in told.items() if k in Recipe.model_fields}
    recipe = {"crowd": "", "weights": {}, **known} if told else None
    more = {k: told[k] for k in ("name", "pairs") if k in told}
    return {**rest, "origin": {"selection": identity, "recipe": recipe, **more}}
