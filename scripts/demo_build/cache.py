"""What the build has made so far: a folder per product, found by what went into it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crowdselect.files import build_folder_aside
from crowdselect.registry import content_key

VERSION = 1
"""Raised whenever a change of the code changes what the build makes from the same ingredients."""


@dataclass(frozen=True)
class Cache:
    """A folder of finished products; an interrupted build goes on after the last of them."""

    root: Path

    def made(self, name: str, ingredients: Any, make: Callable[[Path], None]) -> Path:
        """Return the folder of a product, made now unless it was made of the same ingredients."""
        folder = self.root / f"{name}-{content_key([VERSION, name, ingredients])}"
        if not folder.exists():
            with build_folder_aside(folder) as aside:
                make(aside)
        return folder
