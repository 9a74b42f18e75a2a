"""What of a workspace can go because it can be made again."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crowdselect import jobs
from crowdselect.deeds import deed
from crowdselect.pipeline.upkeep.naming import named_in
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
    stays: tuple[str, ...] = ()
    """Names in the folder that do not go."""


def freeable(workspace: Workspace) -> list[Freeable]:
    """Caches and forgotten uploads, largest first; nothing that a person or a model made.

    The instructions that a run reads stay until it is done.
    """
    kept = workspace.kept_uploads
    found = [
        _of(workspace.cache / "embeddings", "embeddings of all crowds", "embedding texts again"),
        _of(
            workspace.uploads,
            "uploads that were not read to their end",
            "uploading again",
            stays=(kept.name,),
        ),
        _of(
            kept,
            "uploaded instructions that no unfinished run reads",
            "uploading again",
            stays=_read_still(workspace),
        ),
    ]
    for name in workspace.crowd_names():
        path = workspace.crowd(name) / "cache"
        found.append(
            _of(path, f"caches of the crowd {name}", "metrics, clusters and maps, computed again")
        )
    return sorted((f for f in found if f.size), key=lambda f: (-f.size, str(f.path)))


def free(workspace: Workspace, found: Sequence[Freeable]) -> int:
    """Delete what :func:`freeable` found, and return how many bytes it held."""
    size = sum(each.size for each in found)
    with deed(workspace, "free", "caches", details=f"{size} bytes"):
        _delete(found)
    return size


def _delete(found: Sequence[Freeable]) -> None:
    for each in found:
        for inside in each.path.iterdir():
            if inside.name in each.stays:
                continue
            if inside.is_dir() and not inside.is_symlink():
                shutil.rmtree(inside, ignore_errors=True)
            else:
                inside.unlink(missing_ok=True)


def _read_still(workspace: Workspace) -> tuple[str, ...]:
    """Folders of uploaded instructions that a run which is not done names."""
    views = [view for view in jobs.all_runs(workspace) if view.state != "done"]
    words = {word for view in views for word in named_in(view.config)}
    places = sorted(workspace.kept_uploads.glob("*/"))
    return tuple(place.name for place in places if place.name in words)


def _of(path: Path, what: str, cost: str, *, stays: tuple[str, ...] = ()) -> Freeable:
    """``path`` with the size of what would go."""
    places = path.rglob("*") if path.is_dir() else ()
    gone = (p for p in places if p.relative_to(path).parts[0] not in stays)
    return Freeable(path, what, sum(p.lstat().st_size for p in gone if p.is_file()), cost, stays)
