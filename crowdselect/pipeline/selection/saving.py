"""Selections on disk: ``selections/<recipe id>/`` with recipe, rows, manifest and exports.

``recipe.toml``, ``selection.parquet`` and ``manifest.json`` hold no time stamp: the same recipe on
the same crowd gives the same bytes. A person's name and note and the time are in ``about.json``.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from crowdselect import __version__, files
from crowdselect.errors import InputError, NotFoundError
from crowdselect.registry import did_you_mean
from crowdselect.settings import Workspace, check_name
from crowdselect.values import Recipe, Selection

_ROWS, _RECIPE, _MANIFEST, _ABOUT = (
    "selection.parquet", "recipe.toml", "manifest.json", "about.json",
)  # fmt: skip
_PREFIX = "contribution_"


@dataclass(frozen=True)
class SavedSelection:
    """A selection in the workspace, without its rows."""

    id: str
    """The recipe's id; the folder's name."""
    name: str
    note: str
    created: str
    """ISO 8601, UTC."""
    recipe: Recipe
    n: int
    crowd_fingerprint: str
    path: Path


def save_selection(
    workspace: Workspace, selection: Selection, name: str | None = None, note: str = ""
) -> SavedSelection:
    """Save ``selection`` under its recipe's id; one saved before with this id is replaced.

    ``name`` can be used instead of the id; InputError if another selection has it.
    """
    identity = selection.recipe.id
    if name is not None:
        check_name("selection", name)
        _check_free(workspace, name, identity)
    folder = workspace.selection(identity)
    kept = folder / "exports"
    rows = _table(selection)
    with files.build_folder_aside(folder) as aside:
        pq.write_table(rows, aside / _ROWS, compression="zstd")
        (aside / _RECIPE).write_text(selection.recipe.to_toml(), encoding="utf-8", newline="\n")
        manifest = {
            "recipe_id": identity,
            "n": len(selection.ids),
            "version": __version__,
            "rows_sha256": files.sha256_file(aside / _ROWS),
            "report": dict(selection.report),
        }
        files.write_json(aside / _MANIFEST, manifest)
        created = datetime.now(UTC).isoformat(timespec="seconds")
        about = {"name": name or identity, "note": note, "created": created}
        files.write_json(aside / _ABOUT, about)
        if kept.is_dir() and _same_rows(folder, manifest):
            shutil.copytree(kept, aside / "exports")
    return _read(folder)


def load_selection(workspace: Workspace, key: str) -> Selection:
    """Read the selection with the id, the unique beginning of an id, or the name ``key``."""
    saved = find_selection(workspace, key)
    table = pq.read_table(saved.path / _ROWS)
    contributions = {
        name.removeprefix(_PREFIX): table[name].to_numpy()
        for name in table.column_names
        if name.startswith(_PREFIX)
    }
    return Selection(
        recipe=saved.recipe,
        ids=np.array(table["id"].to_pylist(), dtype=object),
        scores=table["score"].to_numpy(),
        contributions=contributions,
        clusters=table["cluster"].to_numpy(),
        reasons=tuple(table["reason"].to_pylist()),
        models=tuple(table["model"].to_pylist()),
        report=files.read_json(saved.path / _MANIFEST)["report"],
    )


def find_selection(workspace: Workspace, key: str) -> SavedSelection:
    """The saved selection with the id, the unique beginning of an id (4 digits), or the name."""
    known = list_selections(workspace)
    for saved in known:
        if key in (saved.id, saved.name):
            return saved
    begun = [saved for saved in known if len(key) >= 4 and saved.id.startswith(key)]
    if len(begun) == 1:
        return begun[0]
    raise NotFoundError(
        f"There is no selection called {key!r} in {workspace.root}.",
        did_you_mean(key, [saved.name for saved in known]),
    )


def list_selections(workspace: Workspace, crowd: str | None = None) -> list[SavedSelection]:
    """Every saved selection (of one crowd), newest first."""
    found = [_read(path.parent) for path in workspace.selections.glob(f"[!.]*/{_ABOUT}")]
    wanted = [saved for saved in found if crowd in (None, saved.recipe.crowd)]
    return sorted(wanted, key=lambda saved: (saved.created, saved.id), reverse=True)


def rename_selection(
    workspace: Workspace, key: str, name: str | None = None, note: str | None = None
) -> SavedSelection:
    """Give a saved selection another name or note; nothing else changes."""
    saved = find_selection(workspace, key)
    if name is not None:
        _check_free(workspace, check_name("selection", name), saved.id)
    about: dict[str, Any] = files.read_json(saved.path / _ABOUT)
    changes = {"name": name, "note": note}
    about |= {k: v for k, v in changes.items() if v is not None}
    files.write_json(saved.path / _ABOUT, about)
    return _read(saved.path)


def remove_selection(workspace: Workspace, key: str) -> None:
    """Delete a saved selection with its exports."""
    shutil.rmtree(find_selection(workspace, key).path)


def _check_free(workspace: Workspace, name: str, identity: str) -> None:
    for saved in list_selections(workspace):
        if saved.id != identity and name in (saved.name, saved.id):
            raise InputError(
                f"The selection {saved.id} is called {name!r} already.", "Choose another name."
            )


def _table(selection: Selection) -> pa.Table:
    columns = {
        "rank": pa.array(np.arange(1, len(selection.ids) + 1)),
        "id": pa.array([str(i) for i in selection.ids], pa.string()),
        "score": pa.array(selection.scores, pa.float64()),
        "cluster": pa.array(selection.clusters, pa.int64()),
        "model": pa.array(selection.models, pa.string()),
        "reason": pa.array(selection.reasons, pa.string()),
    }
    for name, values in selection.contributions.items():
        columns[_PREFIX + name] = pa.array(values, pa.float64())
    return pa.table(columns)


def _same_rows(folder: Path, manifest: Mapping[str, Any]) -> bool:
    """Exports of the older selection stay valid only if it chose the same rows."""
    older = files.read_json(folder / _MANIFEST)
    return bool(older["rows_sha256"] == manifest["rows_sha256"])


def _read(folder: Path) -> SavedSelection:
    about, manifest = files.read_json(folder / _ABOUT), files.read_json(folder / _MANIFEST)
    text = (folder / _RECIPE).read_text(encoding="utf-8")
    return SavedSelection(
        id=folder.name,
        name=about["name"],
        note=about["note"],
        created=about["created"],
        recipe=Recipe.from_toml(text, str(folder / _RECIPE)),
        n=manifest["n"],
        crowd_fingerprint=manifest["report"].get("crowd", {}).get("fingerprint", ""),
        path=folder,
    )
