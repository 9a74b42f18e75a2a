"""One crowd with everything that belongs to it, as one file: out of a workspace and into another.

The archive is a plain tar with the workspace's own folders, and first ``crowdselect.json``: its
format, who wrote it, and the sha256 of every file. Besides folders of the crowd's own it carries
what workspaces share: questions that its recipes keep out, and the looks at the questions of its
studies. Those are added to what a workspace has.
"""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crowdselect import __version__, files, jobs
from crowdselect.deeds import deed
from crowdselect.errors import CrowdSelectError, InputError
from crowdselect.files import TEMPORARY
from crowdselect.pipeline.decontamination import place_of
from crowdselect.pipeline.ingest import open_crowd
from crowdselect.pipeline.selection.saving import list_selections
from crowdselect.pipeline.study import Study, find_study, looks, study_names
from crowdselect.pipeline.study.plan import rows_of
from crowdselect.pipeline.upkeep.naming import named_in
from crowdselect.settings import Workspace
from crowdselect.values import Recipe

CONTENTS = "crowdselect.json"
FORMAT = 2
"""Raised when an archive could not be read by an older version."""
_PLACES = ("crowds", "selections", "runs", "studies", "questions")


def export_crowd(workspace: Workspace, name: str, out: Path, *, runs: bool = True) -> list[str]:
    """Write the crowd ``name`` with notes, scores, selections, exports and ``runs`` to ``out``.

    With ``runs`` go its studies. Caches stay behind. Returns what went in. Raises NotFoundError for
    an unknown crowd, InputError where ``out`` exists or a study is at work.
    """
    if out.exists():
        raise InputError(f"{out} exists already.", "Choose another file.")
    open_crowd(workspace, name).close()
    with deed(workspace, "export", f"crowd {name}", details=f"into {out}"):
        return _export(workspace, name, out, runs)


def _export(workspace: Workspace, name: str, out: Path, runs: bool) -> list[str]:
    selections = list_selections(workspace, name)
    studies = _studies(workspace, name) if runs else []
    folders = [workspace.crowd(name), *(saved.path for saved in selections)]
    folders += _runs(workspace, name, {saved.id for saved in selections}) if runs else []
    folders += [study.path for study in studies]
    recipes = [saved.recipe for saved in selections]
    recipes += [row.recipe_of(name, 0) for study in studies for row in rows_of(study.plan)]
    folders += _questions(workspace, recipes)
    members = [path for folder in folders for path in _files(folder)]
    inside = {path: str(path.relative_to(workspace.root)) for path in members}
    names = [str(folder.relative_to(workspace.root)) for folder in folders]
    looked = looks.lines_of(workspace, {study.plan.name for study in studies})
    contents = {
        "looks": looked,
        "format": FORMAT,
        "version": __version__,
        "crowd": name,
        "folders": names,
        "sha256": {inside[path]: files.sha256_file(path) for path in members},
    }
    with files.write_aside(out) as aside, tarfile.open(aside, "w") as archive:
        note = aside.with_name(f"{aside.name}-contents")
        try:
            files.write_json(note, contents)
            archive.add(note, CONTENTS)
        finally:
            note.unlink(missing_ok=True)
        for path in members:
            archive.add(path, inside[path], recursive=False)
    return names


def _studies(workspace: Workspace, crowd: str) -> list[Study]:
    """The studies of the crowd; raises InputError where one is at work."""
    found = [find_study(workspace, name) for name in study_names(workspace)]
    mine = [study for study in found if study.plan.crowd == crowd]
    for study in mine:
        views = [*jobs.all_runs(study.workspace), *jobs.all_runs(workspace, "study")]
        busy = [view for view in views if view.state in jobs.ALIVE]
        if any(view.kind != "study" or study.plan.name in named_in(view.config) for view in busy):
            raise InputError(
                f"The study {study.plan.name} is at work.", "Wait until it ends; or say --no-runs."
            )
    return mine


def _questions(workspace: Workspace, recipes: Sequence[Recipe]) -> list[Path]:
    """The kept questions that recipes name, of those that are here."""
    named = {place_of(workspace, kept) for recipe in recipes for kept in recipe.decontaminate}
    return sorted(place for place in named if place.is_file())


def _runs(workspace: Workspace, name: str, selections: set[str]) -> list[Path]:
    """Runs whose options name the crowd, or a selection of it, or a run that does."""
    views = [view for view in jobs.all_runs(workspace) if view.state not in jobs.ALIVE]
    words = {name, *selections}
    found: dict[str, Path] = {}
    while True:
        more = {
            v.id: v.path for v in views if v.id not in found and words & set(named_in(v.config))
        }
        if not more:
            return [found[key] for key in sorted(found)]
        found |= more
        words |= set(more)


def _files(folder: Path) -> list[Path]:
    """The files that go in of a folder; a file is its own."""
    if folder.is_file():
        return [folder]
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not path.is_symlink()
        and path.relative_to(folder).parts[0] != "cache"
        and not any(part.startswith((TEMPORARY, ".lock-")) for part in path.parts)
    ]


def import_crowd(workspace: Workspace, archive: Path) -> list[str]:
    """Put what :func:`export_crowd` wrote into ``workspace``; return what came in.

    Everything is unpacked aside and checked first; nothing of the workspace is replaced, questions
    that it has already stay, and the looks of both count from now on. Raises
    InputError for a file that is no such archive, is damaged, of a newer version, or holds what
    the workspace has already.
    """
    with deed(workspace, "import", f"archive {archive.name}"):
        return _import(workspace, archive)


def _import(workspace: Workspace, archive: Path) -> list[str]:
    aside = files.temporary_beside(workspace.root / "import")
    try:
        aside.mkdir(parents=True)
        contents = _unpacked(archive, aside)
        folders = [
            str(folder)
            for folder in contents["folders"]
            if not (_shared(folder) and (workspace.root / folder).exists())
        ]
        taken = [folder for folder in folders if (workspace.root / folder).exists()]
        if taken:
            raise InputError(
                f"{workspace.root} holds {', '.join(taken[:3])} already.",
                "Import it into another workspace, or remove them first.",
            )
        open_crowd(Workspace(aside), contents["crowd"]).close()
        (aside / "crowds" / contents["crowd"] / "cache").mkdir(exist_ok=True)
        for folder in sorted(folders, reverse=True):  # the crowd last: it is what others look for
            (workspace.root / folder).parent.mkdir(parents=True, exist_ok=True)
        looks.merge(workspace, contents.get("looks", []))
        for folder in (*folders[1:], folders[0]):
            (aside / folder).rename(workspace.root / folder)
            if folder.startswith("runs/"):
                files.make_private(workspace.root / folder)
            elif folder.startswith("studies/"):
                for run in (workspace.root / folder).glob("runs/*/"):
                    files.make_private(run)
        return folders
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _shared(folder: str) -> bool:
    """Called by its content, so that one of that name is the same."""
    return folder.startswith("questions/")


def _unpacked(archive: Path, into: Path) -> dict[str, Any]:
    remedy = "Give a file that crowdselect workspace export wrote, as it was written."
    try:
        with tarfile.open(archive, "r:") as tar:
            first = tar.next()
            handle = tar.extractfile(first) if first and first.name == CONTENTS else None
            if handle is None:
                raise InputError(f"{archive} holds no crowd.", remedy)
            contents: dict[str, Any] = json.loads(handle.read())
            if contents["format"] > FORMAT:
                raise InputError(
                    f"{archive} was written by crowdselect {contents['version']}, which is newer.",
                    "Update the package that is installed here.",
                )
            _check_places(contents, archive)
            for member in tar:
                if member.name != CONTENTS:
                    if member.name not in contents["sha256"] or not member.isfile():
                        raise InputError(f"{archive}: {member.name} does not belong.", remedy)
                    tar.extract(member, into, filter="data")
    except CrowdSelectError:
        raise
    except (tarfile.TarError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{archive} cannot be read: {error!r:.200}.", remedy) from error
    for name, digest in contents["sha256"].items():
        if not files.has_sha256(into / name, digest):
            raise InputError(f"{archive}: {name} is not as it was written.", remedy)
    return contents


def _check_places(contents: dict[str, Any], archive: Path) -> None:
    """Every file lies in a folder of the archive's list, and each of those is one of ours."""
    folders = [str(folder) for folder in contents["folders"]]
    sound = folders[:1] == [f"crowds/{contents['crowd']}"] and all(
        folder.count("/") == 1
        and folder.split("/")[0] in _PLACES
        and not folder.split("/")[1].startswith(".")
        for folder in folders
    )
    inside = all(
        any(name == folder if _shared(folder) else name.startswith(f"{folder}/")
            for folder in folders)
        and ".." not in Path(name).parts
        for name in contents["sha256"]
    )  # fmt: skip
    sound &= all(looks.is_look(line) for line in contents.get("looks", []))
    if not (sound and inside):
        raise InputError(f"{archive} names places outside a workspace.", "Do not import it.")
