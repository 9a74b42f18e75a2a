"""Selections on disk: ``selections/<recipe id>/`` with recipe, rows, manifest and exports.

``recipe.toml``, ``selection.parquet`` and ``manifest.json`` hold no time stamp: the same recipe on
the same crowd gives the same bytes. What a person says about it (names, note, the benchmarks it was
chosen on) and the time are in ``about.json``; they survive when the recipe is saved again.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from crowdselect import __version__, files
from crowdselect.chosen import CONTRIBUTION, Selection
from crowdselect.deeds import deed
from crowdselect.errors import CrowdSelectError, Damaged, InputError, NotFoundError
from crowdselect.locks import only_writer
from crowdselect.people import OWNER, acting, acting_as
from crowdselect.pipeline.selection.examples import training_rows
from crowdselect.registry import did_you_mean
from crowdselect.settings import Workspace, check_name
from crowdselect.store import open_crowd
from crowdselect.values import Recipe

_ROWS, _RECIPE, _MANIFEST, _ABOUT = (
    "selection.parquet", "recipe.toml", "manifest.json", "about.json",
)  # fmt: skip
_DECLARED = re.compile(r"chosen[ _-]on:\s*([\w,: -]+)", re.IGNORECASE)


@dataclass(frozen=True)
class SavedSelection:
    """A selection in the workspace, without its rows."""

    id: str
    """The recipe's id; the folder's name."""
    name: str
    """The latest of its names."""
    note: str
    created: str
    """When it was saved last: ISO 8601, UTC."""
    recipe: Recipe
    n: int
    crowd_fingerprint: str
    path: Path
    also: tuple[str, ...] = ()
    """Its earlier names; it is found by each of them."""
    chosen_on: tuple[str, ...] = ()
    """Benchmarks on which its recipe was chosen, as declared: scores there are too high."""
    version: str = ""
    """The version of crowdselect that made it."""
    by: str = ""
    """The identity of who saved it first, at a shared server; empty: whoever ran the command."""
    authors: tuple[str, ...] = ()
    """Who saved it, as people know them, first come first."""

    def answers_to(self, key: str) -> bool:
        """Tell whether ``key`` is its id or one of its names."""
        return key in (self.id, self.name, *self.also)


def save_selection(
    workspace: Workspace,
    selection: Selection,
    name: str | None = None,
    note: str = "",
    chosen_on: Iterable[str] = (),
) -> SavedSelection:
    """Save ``selection`` under its recipe's id; the rows saved before with this id are replaced.

    ``name`` can be used instead of the id. What was said of it before stays: a second name comes
    beside the first, a second note below it. ``chosen_on`` names benchmarks on which its recipe
    was chosen, beside those that the note declares (``chosen on: mt-bench``).

    Raises InputError where another selection has the name, or no row was selected.

    >>> saved = cs.save_selection(workspace, selection, "first")
    >>> saved.name, saved.n
    ('first', 3)
    """
    _check_rows(selection)
    if name is not None:
        check_name("selection", name)
    what = f"selection {selection.recipe.id}"
    told = f"crowd {selection.recipe.crowd}, {len(selection.ids)} rows" + (
        f", called {name}" if name else ""
    )
    with deed(workspace, "save", what, details=told), _naming(workspace):
        return _save(workspace, selection, name, note, chosen_on)


def _naming(workspace: Workspace) -> AbstractContextManager[None]:
    """One process at a time gives names, so that no two selections get the same."""
    return only_writer(
        workspace.selections / "names",
        busy="Selections are being saved by another process.",
        remedy="Try again in a moment.",
        wait_s=60.0,
    )


def _save(
    workspace: Workspace,
    selection: Selection,
    name: str | None,
    note: str,
    chosen_on: Iterable[str],
) -> SavedSelection:
    identity = selection.recipe.id
    if name is not None:
        _check_free(workspace, name, identity)
    folder = workspace.selection(identity)
    kept = folder / "exports"
    rows = selection.to_table()
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
        files.write_json(aside / _ABOUT, _about(identity, _said(folder), name, note, chosen_on))
        if kept.is_dir() and _same_rows(folder, manifest):
            shutil.copytree(kept, aside / "exports")
    return _read(folder)


def load_selection(workspace: Workspace, key: str) -> Selection:
    """Read the selection with the id, the unique beginning of an id, or the name ``key``.

    >>> cs.load_selection(workspace, "first").ids.tolist()
    ['q4', 'q0', 'q7']
    """
    saved = find_selection(workspace, key)
    table = pq.read_table(saved.path / _ROWS)
    contributions = {
        name.removeprefix(CONTRIBUTION): table[name].to_numpy()
        for name in table.column_names
        if name.startswith(CONTRIBUTION)
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
        training_rows=training_rows(lambda: open_crowd(workspace, saved.recipe.crowd)),
    )


def find_selection(workspace: Workspace, key: str) -> SavedSelection:
    """The saved selection with the id, the unique beginning of an id (4 digits), or the name.

    Raises NotFoundError where there is none, InputError where it is damaged.
    """
    if key in _folders(workspace):
        saved = _read(workspace.selections / key)
        if acting().may_see(saved.recipe.crowd):
            return saved
    known = list_selections(workspace)
    for saved in known:
        if saved.answers_to(key):
            return saved
    begun = [saved for saved in known if len(key) >= 4 and saved.id.startswith(key)]
    if len(begun) == 1:
        return begun[0]
    raise NotFoundError(
        f"There is no selection called {key!r} in {workspace.root}.",
        did_you_mean(key, [saved.name for saved in known]),
    )


def list_selections(workspace: Workspace, crowd: str | None = None) -> list[SavedSelection]:
    """Every saved selection (of one crowd), newest first; damaged ones are left out, and those of
    crowds that whoever acts may not see.
    """
    found = []
    for name in _folders(workspace):
        with suppress(CrowdSelectError):
            found.append(_read(workspace.selections / name))
    seen = acting().may_see
    wanted = [s for s in found if crowd in (None, s.recipe.crowd) and seen(s.recipe.crowd)]
    return sorted(wanted, key=lambda saved: (saved.created, saved.id), reverse=True)


def damaged_selections(workspace: Workspace) -> list[Damaged]:
    """Folders of selections that cannot be read, and what can be done with each.

    Whose crowd nobody knows is told to those who may see every crowd.
    """
    found: list[Damaged] = []
    if acting().restricted:
        return found
    for name in _folders(workspace):
        folder = workspace.selections / name
        try:
            _read(folder)
        except CrowdSelectError as error:
            if folder.is_dir():  # else it was removed just now
                found.append(Damaged("selection", name, folder, error.problem, error.remedy))
    return found


def _folders(workspace: Workspace) -> list[str]:
    return sorted(path.name for path in workspace.selections.glob("[!.]*/"))


def rename_selection(
    workspace: Workspace,
    key: str,
    name: str | None = None,
    note: str | None = None,
    chosen_on: Iterable[str] | None = None,
) -> SavedSelection:
    """Replace a saved selection's name, note or benchmarks it was chosen on; None: it stays."""
    saved = find_selection(workspace, key)
    told = f"called {name}" if name else ""
    with deed(workspace, "rename", f"selection {saved.id}", details=told), _naming(workspace):
        if name is not None:
            _check_free(workspace, check_name("selection", name), saved.id)
        about = {
            "name": saved.name if name is None else name,
            "also": [other for other in saved.also if other != name],
            "note": saved.note if note is None else note,
            "created": saved.created,
            "chosen_on": list(saved.chosen_on if chosen_on is None else chosen_on),
            "by": saved.by,
            "authors": list(saved.authors),
        }
        files.write_json(saved.path / _ABOUT, about)
        return _read(saved.path)


def remove_selection(workspace: Workspace, key: str) -> None:
    """Delete a saved selection with its exports; a damaged one by its id."""
    try:
        saved = find_selection(workspace, key)
        identity, by, told = saved.id, saved.by, f"called {saved.name}"
    except InputError:
        if acting().restricted or key not in _folders(workspace):
            raise
        identity, by, told = key, "", "damaged"
    what = f"selection {identity}"
    with deed(workspace, "delete", what, of=by, details=told), _naming(workspace):
        shutil.rmtree(workspace.selections / identity)


def _check_free(workspace: Workspace, name: str, identity: str) -> None:
    with acting_as(OWNER):  # a name is taken, whoever may see what has it
        known = list_selections(workspace)
    for saved in known:
        if saved.id != identity and saved.answers_to(name):
            raise InputError(
                f"The selection {saved.id} is called {name!r} already.", "Choose another name."
            )


def _check_rows(selection: Selection) -> None:
    if len(selection.ids):
        return
    causes = {k: n for k, n in selection.report.get("excluded", {}).items() if n}
    most = max(causes, key=lambda cause: causes[cause], default="")
    told = f" ({causes[most]:,} left out: {most})" if most else ""
    raise InputError(
        f"The recipe {selection.recipe.id} selects no instruction{told}.",
        "Give a budget of 1 or more."
        if selection.report.get("budget") == 0
        else "Loosen its filters, or take what is missing out of its weights.",
    )


def _about(
    identity: str, before: Mapping[str, Any], name: str | None, note: str, on: Iterable[str]
) -> dict[str, Any]:
    """What is known of a selection that is saved, or saved again: nothing said before is lost."""
    given = [name, before.get("name"), *before.get("also", ())]
    called = list(dict.fromkeys(n for n in given if n and n != identity)) or [identity]
    told = before.get("note", "")
    person = acting()
    return {
        "name": called[0],
        "also": called[1:],
        "note": told if note in told else "\n".join(filter(None, (told, note))),
        "created": datetime.now(UTC).isoformat(timespec="microseconds"),
        "chosen_on": list(dict.fromkeys((*_chosen_on(before), *on, *_declared(note)))),
        "by": before.get("by", "") if before else person.identity,
        "authors": list(dict.fromkeys(filter(None, (*before.get("authors", ()), person.called)))),
    }


def _said(folder: Path) -> dict[str, Any]:
    """What a person said of the selection that was saved here; empty: nothing that can be read."""
    try:
        about = files.read_json(folder / _ABOUT)
    except (OSError, ValueError):
        return {}
    return about if isinstance(about, dict) else {}


def _chosen_on(about: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(about["chosen_on"] if "chosen_on" in about else _declared(about.get("note", "")))


def _declared(note: str) -> tuple[str, ...]:
    """The benchmarks that a note declares: the only way to say it until ``chosen_on`` came."""
    found = _DECLARED.search(note)
    listed = re.split(r"[,\s]+", found[1].strip()) if found else []
    return tuple(word.lower() for word in listed if word)


def _same_rows(folder: Path, manifest: Mapping[str, Any]) -> bool:
    """Exports of the older selection stay valid only if it chose the same rows."""
    try:
        older = files.read_json(folder / _MANIFEST)
        return bool(older["rows_sha256"] == manifest["rows_sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _read(folder: Path) -> SavedSelection:
    try:
        return _from_files(folder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, CrowdSelectError) as error:
        why = error.problem if isinstance(error, CrowdSelectError) else type(error).__name__
        raise InputError(
            f"The saved selection in {folder} is damaged ({why}).",
            "Save its recipe again, which keeps what can be kept, or remove it: "
            f"crowdselect selection remove {folder.name}",
        ) from error


def _from_files(folder: Path) -> SavedSelection:
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
        also=tuple(about.get("also", ())),
        version=str(manifest.get("version", "")),
        chosen_on=_chosen_on(about),
        by=str(about.get("by", "")),
        authors=tuple(map(str, about.get("authors", ()))),
    )
