"""Artifacts that can be made again: files in a crowd's cache, named by what they depend on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from crowdselect import files
from crowdselect.registry import content_key

Array = npt.NDArray[Any]


def artifact(cache: Path, kind: str, depends_on: Any, suffix: str) -> Path:
    """Where the artifact ``kind`` that depends on ``depends_on`` (any JSON) lies."""
    return cache / kind / f"{content_key(depends_on, 20)}{suffix}"


def load_or_make(path: Path, make: Callable[[], Mapping[str, Array]]) -> dict[str, Array]:
    """Read the arrays of ``path`` (npz), or make and keep them.

    A damaged file is made again. Where nothing can be written (a read-only disk) the arrays are
    just returned.
    """
    if path.exists():
        try:
            with np.load(path, allow_pickle=False) as stored:
                return {name: stored[name] for name in stored.files}
        except (OSError, ValueError, KeyError, EOFError):
            path.unlink(missing_ok=True)
    made = dict(make())
    try:
        with files.write_aside(path) as temporary, temporary.open("wb") as handle:
            np.savez(handle, **made)  # type: ignore[arg-type]
    except OSError:
        path.unlink(missing_ok=True)
    return made
