"""What of a workspace can go because it can be made again."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crowdselect.readonly import refuse_writing
from crowdselect.settings import Workspace


@dataclass(frozen=True)
class Freeable:
    """A folder that can go."""

    path: Path
    what: str
    size: int
    """Bytes."""
    cost: str
    """What it takes to have it again."""


def freeable(workspace: Workspace) -> list[Freeable]:
    """Caches and forgotten uploads, largest first; nothing that a person or a model made."""
    found = [
        _of(workspace.cache / "embeddings", "embeddings of all crowds", "embedding texts again"),
        _of(workspace.uploads, "uploads that were not read to their end", "uploading again"),
    ]
    for name in workspace.crowd_names():
        path = workspace.crowd(name) / "cache"
        found.append(
            _of(path, f"caches of the crowd {name}", "metrics, clusters and maps, computed again")
        )
    return sorted((f for f in found if f.size), key=lambda f: (-f.size, str(f.path)))


def free(found: Sequence[Freeable]) -> int:
    """Delete what :func:`freeable` found, and return how many bytes it held."""
    for each in found:
        refuse_writing(each.path)
        for inside in each.path.iterdir():
            if inside.is_dir() and not inside.is_symlink():
                shutil.rmtree(inside, ignore_errors=True)
            else:
                inside.unlink(missing_ok=True)
    return sum(each.size for each in found)


def _of(path: Path, what: str, cost: str) -> Freeable:
    sizes = (p.lstat().st_size for p in path.rglob("*") if p.is_file()) if path.is_dir() else ()
    return Freeable(path, what, sum(sizes), cost)
