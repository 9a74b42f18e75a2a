"""Write an export folder: data file, dataset card and manifest, whole or not at all.

Nothing in the folder depends on the time or on the machine's paths: the same selection of the same
crowd, with the same package versions, gives the same bytes.
"""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from crowdselect import files
from crowdselect.errors import InputError
from crowdselect.export.base import Example, Format
from crowdselect.export.card import dataset_card
from crowdselect.export.croissant import CROISSANT, croissant
from crowdselect.reading import read_json
from crowdselect.registry import describe
from crowdselect.settings import check_name

MANIFEST = "manifest.json"
_PACKAGES = ("crowdselect", "numpy", "scipy", "scikit-learn", "duckdb", "pyarrow")


@dataclass(frozen=True)
class Export:
    """A written export."""

    path: Path
    """The folder."""
    data: Path
    """The data file."""
    manifest: Mapping[str, Any]
    sent: str | None = None
    """The address in an object store where it lies, too."""

    @property
    def n(self) -> int:
        """Number of examples written."""
        return int(self.manifest["counts"]["exported"])

    @property
    def recipe_id(self) -> str:
        """Id of the recipe, and so of the selection, whose rows these are."""
        return str(self.manifest["recipe_id"])

    @property
    def checked(self) -> tuple[str, ...]:
        """Per benchmark file, what was checked against, in a sentence."""
        lines = []
        for file in self.manifest["decontamination"]["against"]:
            gone = file.get("rows_without_text", 0)
            less = f"; {gone:,} of its rows hold none that is found" if gone else ""
            lines.append(f"{file['file']}: {file['texts']:,} texts were checked against{less}.")
        return tuple(lines)


def write_export(
    examples: Sequence[Example],
    form: Format,
    folder: Path,
    facts: Mapping[str, Any],
    *,
    name: str,
    licence: str | None = None,
    test: Sequence[Example] = (),
) -> Export:
    """Write ``examples`` in the format ``form`` to ``folder``.

    ``test`` are written to a file of their own beside it. ``facts`` are the manifest's entries that
    the pipeline knows: recipe, recipe_id, crowd, counts, report, decontamination. A format with a
    LLaMA-Factory entry writes to ``folder/name`` and merges its entry into
    ``folder/dataset_info.json``. An older export is replaced; any other folder that holds something
    is refused with InputError.
    """
    info = form.dataset_info(check_name("dataset", name), examples)
    target = folder if info is None else folder / name
    _check_replaceable(target)
    known = _read_dataset_info(folder) if info is not None else {}
    with files.build_folder_aside(target) as aside:
        form(examples, aside / form.file)
        if test:
            form(test, aside / form.test_file)
        for file, text in form.beside(bool(test)).items():
            (aside / file).write_text(text, encoding="utf-8", newline="\n")
        manifest = {
            "tool": "crowdselect",
            "name": name,
            "format": describe(form),
            **facts,
            "responders": dict(
                sorted(Counter(e.model or "unknown" for e in (*examples, *test)).items())
            ),
            "versions": {"python": platform.python_version(), **_versions()},
        }
        card = dataset_card(manifest, form, licence)
        (aside / "README.md").write_text(card, encoding="utf-8", newline="\n")
        files.write_json(aside / CROISSANT, croissant(aside, manifest, form, licence))
        manifest["outputs"] = {p.name: files.sha256_file(p) for p in sorted(aside.iterdir())}
        files.write_json(aside / MANIFEST, manifest)
    if info is not None:
        entries = {name: info}
        if test:
            held = form.dataset_info(f"{name}_test", test) or {}
            entries[f"{name}_test"] = {**held, "file_name": f"{name}/{form.test_file}"}
        files.write_json(folder / "dataset_info.json", {**known, **entries})
    return Export(target, target / form.file, manifest)


def _versions() -> dict[str, str]:
    return {package: version(package) for package in _PACKAGES}


def _check_replaceable(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputError(f"{folder} is a file.", "Give a folder with --out.")
    holds = sorted(p.name for p in folder.iterdir())
    if holds and not _is_export(folder / MANIFEST):
        raise InputError(
            f"{folder} holds {holds[0]!r} and is not an export of crowdselect.",
            "Give a new or an empty folder with --out; nothing was changed.",
        )


def _is_export(path: Path) -> bool:
    try:
        return bool(files.read_json(path).get("tool") == "crowdselect")
    except (OSError, ValueError, AttributeError):
        return False


def _read_dataset_info(folder: Path) -> dict[str, Any]:
    path = folder / "dataset_info.json"
    if not path.exists():
        return {}
    try:
        known, _ = read_json(path)
    except InputError as error:
        raise InputError(error.problem, "Correct it; nothing was written.") from error
    if not isinstance(known, dict):
        raise InputError(
            f"{path} should hold an object, found {type(known).__name__}.",
            "Correct it; nothing was written.",
        )
    return known
