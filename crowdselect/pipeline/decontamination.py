"""Questions that are kept out of selections, and the instructions that share words with them.

A recipe names question files by content. Their texts are kept in the workspace
(``questions/<sha256>.json``), so that whoever selects by the recipe there leaves the same rows out:
command line, page, export and fine-tune alike.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from crowdselect import files
from crowdselect.errors import InputError
from crowdselect.export import (
    WORDS,
    Overlap,
    Reference,
    References,
    find_overlaps,
    read_references,
)
from crowdselect.pipeline.cache import artifact
from crowdselect.progress import Progress, silent
from crowdselect.registry import content_key
from crowdselect.rules import QuestionFile
from crowdselect.settings import Workspace
from crowdselect.store import Crowd
from crowdselect.values import BoolArray, Recipe

_VERSION = 1
"""Part of every cache key; raised when what counts as an overlap changes."""


@dataclass(frozen=True)
class Contamination:
    """Which instructions of a crowd share long runs of words with benchmarks."""

    words: int
    against: tuple[References, ...]
    flagged: tuple[Mapping[str, Any], ...]
    """id, file, reference, words, shared."""

    @property
    def checked(self) -> tuple[str, ...]:
        """Per file, how many texts of how many rows were checked against, in a sentence."""
        return tuple(references.summary for references in self.against)

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the flagged instructions."""
        return tuple(str(hit["id"]) for hit in self.flagged)


def contamination(
    crowd: Crowd,
    against: Sequence[str | Path],
    ids: Sequence[str] | None = None,
    *,
    words: int = WORDS,
    column: str | None = None,
    progress: Progress = silent,
) -> Contamination:
    """Find the instructions (of ``ids``; None: all) that overlap with benchmark files."""
    _check_words(words)
    references = tuple(read_references(Path(file), column) for file in against)
    names = list(crowd.ids if ids is None else ids)
    rows = None if ids is None else crowd.rows(names)
    if not references:
        return Contamination(words, (), ())
    hits = find_overlaps(crowd.instruction_texts(rows), references, words=words, progress=progress)
    return Contamination(words, references, tuple(_listed(hit, names) for hit in hits))


def without_contamination(
    crowd: Crowd,
    recipe: Recipe,
    against: Sequence[str | Path],
    *,
    words: int = WORDS,
    column: str | None = None,
    progress: Progress = silent,
) -> tuple[Recipe, Contamination]:
    """The recipe with the question files ``against``: what overlaps is out, others take its place.

    The files' texts are kept in the crowd's workspace, where the recipe gives the same selection
    from now on. Pins stay in, as a person asked for them, and are still listed as flagged.
    """
    _check_words(words)
    known = {(k.sha256, k.column) for k in recipe.decontaminate}
    kept = [remember(crowd, Path(file), words, column) for file in against]
    new = [k for k in kept if (k.sha256, k.column) not in known or words != WORDS]
    everything = tuple(dict.fromkeys((*recipe.decontaminate, *new)))
    changed = recipe.model_copy(update={"decontaminate": everything})
    return changed, contamination_of(crowd, changed, progress)


def remember(
    crowd: Crowd, path: Path, words: int = WORDS, column: str | None = None, name: str = ""
) -> QuestionFile:
    """Keep the questions of a file (``name``: as it is called) in the crowd's workspace.

    Raises as :func:`crowdselect.export.read_references` does for a file without questions.
    """
    found = read_references(path, column)
    kept = QuestionFile(name=name or found.file, sha256=found.sha256, words=words, column=column)
    place = place_of(Workspace.holding(crowd.path), kept)
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        held = {
            "file": kept.name,
            "sha256": found.sha256,
            "column": found.column,
            "rows": found.rows,
            "unread": found.unread,
            "items": [[item.id, item.text] for item in found.items],
        }
        files.write_json(place, {**held, "items_sha256": _items_hash(held)})
    return kept


def contamination_of(crowd: Crowd, recipe: Recipe, progress: Progress = silent) -> Contamination:
    """The instructions of the whole crowd that the recipe's question files flag.

    Raises InputError where the workspace does not hold the questions of one of them.
    """
    against, flagged, seen = [], [], set()
    for kept in recipe.decontaminate:
        against.append(references_of(crowd, kept))
        for hit in _overlaps(crowd, kept, against[-1], progress):
            if hit["id"] not in seen:
                seen.add(hit["id"])
                flagged.append(hit)
    words = min((kept.words for kept in recipe.decontaminate), default=WORDS)
    return Contamination(words, tuple(against), tuple(flagged))


def overlapping(
    crowd: Crowd, decontaminate: Sequence[QuestionFile], progress: Progress = silent
) -> dict[str, BoolArray]:
    """Cause -> rows (n,) that overlap with each of the question files."""
    out: dict[str, BoolArray] = {}
    for kept in decontaminate:
        hits = _overlaps(crowd, kept, references_of(crowd, kept), progress)
        mask = crowd.mask(crowd.rows(hit["id"] for hit in hits))
        cause = f"overlap with {kept.name}"
        out[cause] = out[cause] | mask if cause in out else mask
    return out


def facts_of(found: Contamination, recipe: Recipe, *, kept: bool = False) -> dict[str, Any]:
    """What was checked and what overlaps, as manifests hold it.

    ``kept``: what overlaps is in all the same. Instructions that are pinned stay in as well.
    """
    per_file = {(k.name, k.sha256): k.words for k in recipe.decontaminate}
    return {
        "words": found.words,
        "kept": kept,
        "against": [
            {
                "file": r.file,
                "sha256": r.sha256,
                "column": r.column,
                "texts": len(r.items),
                "words": per_file.get((r.file, r.sha256), found.words),
            }
            | ({"rows_without_text": r.unread} if r.unread else {})
            for r in found.against
        ],
        "flagged": [dict(hit) for hit in found.flagged],
        "pinned": [i for i in found.ids if i in recipe.pins],
    }


def references_of(crowd: Crowd, kept: QuestionFile) -> References:
    """The questions of a recipe's question file; raises InputError where they are not here."""
    place = place_of(Workspace.holding(crowd.path), kept)
    try:
        held = files.read_json(place)
        items = tuple(Reference(str(i), str(text)) for i, text in held["items"])
        found = References(
            held["file"], held["sha256"], held["column"], items, held["rows"], held["unread"]
        )
    except FileNotFoundError:
        raise InputError(
            f"The recipe keeps out what overlaps with {kept.name} (sha256 {kept.sha256[:12]}), and "
            "this workspace does not hold its questions.",
            f"Give the file once: crowdselect select {crowd.name} --recipe RECIPE --against FILE.",
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{place.name} is damaged: the questions of {kept.name} cannot be read from it.",
            "Delete that file and give the questions again with --against.",
        ) from error
    return replace(found, file=kept.name)


def _overlaps(
    crowd: Crowd, kept: QuestionFile, references: References, progress: Progress
) -> list[dict[str, Any]]:
    """The hits of the whole crowd, made once."""
    depends_on = [_VERSION, crowd.fingerprint, kept.sha256, kept.words, kept.column]
    path = artifact(crowd.cache, "overlaps", depends_on, ".json")
    try:
        found = list(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        hits = find_overlaps(
            crowd.instruction_texts(), [references], words=kept.words, progress=progress
        )
        names = crowd.ids.tolist()
        found = [_listed(hit, names) for hit in hits]
        with files.where_the_disk_allows():
            path.parent.mkdir(parents=True, exist_ok=True)
            files.write_json(path, found)
    return [{**hit, "file": kept.name} for hit in found]


def place_of(workspace: Workspace, kept: QuestionFile) -> Path:
    """Where the workspace keeps the questions of a file; another column is another text."""
    told = kept.sha256 if kept.column is None else f"{kept.sha256}-{content_key(kept.column, 8)}"
    return workspace.questions / f"{told}.json"


def as_kept(place: Path) -> bool:
    """Whether the questions in ``place`` are of the file it is called after, and those it held.

    Questions that an earlier version kept have no hash of their texts: their names are compared.
    """
    try:
        held = files.read_json(place)
        named = place.stem.partition("-")[0] == held["sha256"]
        return named and held.get("items_sha256", "") in ("", _items_hash(held))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _items_hash(held: dict[str, Any]) -> str:
    return content_key(held["items"], 64)


def _check_words(words: int) -> None:
    if words < 1:
        raise InputError(f"An overlap of {words} words is none.", "Give 1 or more.")


def _listed(hit: Overlap, names: Sequence[str]) -> dict[str, Any]:
    return {
        "id": str(names[hit.row]),
        "file": hit.file,
        "reference": hit.reference,
        "words": hit.words,
        "shared": hit.shared,
    }
