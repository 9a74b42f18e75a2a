"""Command line options -> a recipe: a file, a preset and single options, the later ones winning."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crowdselect.cli.options import parse_options
from crowdselect.errors import InputError
from crowdselect.values import Recipe


def read_recipe(path: Path) -> dict[str, Any]:
    """A recipe file's fields; raises InputError naming the file and what is wrong."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path} cannot be read: {error}.", "Give a recipe in TOML (see --write-recipe)."
        ) from error
    return Recipe.from_toml(text, str(path)).model_dump(mode="json")


def build_recipe(
    crowd: str,
    base: Mapping[str, Any],
    given: Mapping[str, Any],
    filters: Mapping[str, Any],
    options: list[str] | None,
) -> Recipe:
    """Lay what was ``given`` (None: not given) over ``base``; ``options`` are the strategy's."""
    from crowdselect.selection import STRATEGIES

    changed = {**base, "crowd": crowd, **{k: v for k, v in given.items() if v is not None}}
    kept = dict(base.get("filters", {})) | {k: v for k, v in filters.items() if v is not None}
    changed["filters"] = kept
    if given.get("strategy") not in (None, base.get("strategy", "crowdselect")):
        changed["options"] = {}  # a recipe's options belong to its own strategy
    plugin = STRATEGIES[changed.get("strategy", "crowdselect")]
    changed["options"] = {**changed.get("options", {}), **parse_options(plugin, options)}
    return Recipe.parse(changed, "The recipe")


def parse_weights(text: str | None, preset: str | None) -> dict[str, float] | None:
    """``difficulty=1,separability@JUDGE=-0.5`` or a preset's name -> weights; None: neither.

    Raises InputError for a weight that is not a number, a name that comes twice, or both at once.
    """
    from crowdselect.selection.presets import preset_weights

    if text is not None and preset is not None:
        raise InputError("Both --weights and --preset were given.", "Give one of the two.")
    if preset is not None:
        return preset_weights(preset)
    if text is None:
        return None
    weights: dict[str, float] = {}
    for part in filter(None, (p.strip() for p in text.split(","))):
        name, sign, value = part.rpartition("=")
        if not sign or not name.strip() or name.strip() in weights:
            raise InputError(
                f"{part!r} in --weights is not one NAME=NUMBER.",
                "Write it like difficulty=1,separability=1,stability=2, each name once.",
            )
        weights[name.strip()] = _number(value, part)
    return weights


def parse_budget(text: str | None) -> int | float | None:
    """``1000``, ``0.1`` or ``10%`` -> a count or a share; raises InputError."""
    if text is None:
        return None
    cleaned = text.strip().replace("_", "").replace(",", "")
    if cleaned.isdigit():
        return int(cleaned)
    share = cleaned.endswith("%")
    number = _number(cleaned.rstrip("%"), f"--budget {text}")
    return number / 100 if share else number


def parse_range(text: str) -> dict[str, Any]:
    """``METRIC=LOW..HIGH``, either side may be empty -> a range filter; raises InputError."""
    name, sign, bounds = text.rpartition("=")
    low, dots, high = bounds.partition("..")
    if not sign or not dots or not name.strip() or not (low.strip() or high.strip()):
        raise InputError(
            f"{text!r} is not a range.", "Write METRIC=LOW..HIGH, such as difficulty=-1..2.5."
        )
    sides = {"low": low.strip(), "high": high.strip()}
    found = {side: _number(value, text) for side, value in sides.items() if value}
    return {"metric": name.strip(), **found}


def _number(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{where}: {text!r} is not a number.", "Write a number.") from None
