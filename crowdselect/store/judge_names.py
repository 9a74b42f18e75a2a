"""Names of judges and models: trimmed, there once, and none that means something else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from crowdselect.errors import InputError
from crowdselect.values import COMBINED

RESERVED = (COMBINED, "model", "family", "size_b", "response", "id")
"""Beside a judge's rewards stand columns of these names; ``all`` combines every judge."""


def check_names(names: Sequence[str], what: Literal["model", "judge"], where: str) -> None:
    """Raise InputError for a name that is blank, that repeats but for blanks, or is reserved."""
    seen: dict[str, str] = {}
    for name in names:
        plain = name.strip()
        if not plain:
            raise InputError(
                f"{where}: the name of a {what} is empty.", f"Give every {what} a name."
            )
        if plain in seen:
            raise InputError(
                f"{where}: two {what}s are called {plain!r}, but for blanks around the name.",
                "Give each a name of its own.",
            )
        seen[plain] = name
        if what == "judge" and plain.lower() in RESERVED:
            raise InputError(
                f"{where}: a judge cannot be called {plain!r}, which has a meaning of its own.",
                "Rename the column, for example to score.",
            )
