"""A selection -> files: responses are fetched, overlap with benchmarks is left out and listed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from crowdselect.errors import InputError, NotFoundError
from crowdselect.export import (
    FORMATS,
    Example,
    Export,
    Overlap,
    References,
    Turn,
    find_overlaps,
    read_references,
    write_export,
)
from crowdselect.export.base import Role
from crowdselect.export.overlap import WORDS
from crowdselect.pipeline.ingest import open_crowd
from crowdselect.pipeline.selection.saving import SavedSelection, find_selection, load_selection
from crowdselect.progress import Progress, silent
from crowdselect.registry import build
from crowdselect.settings import Workspace
from crowdselect.store import Crowd
from crowdselect.values import IntArray, Recipe, Selection


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
    if words < 1:
        raise InputError(f"An overlap of {words} words is none.", "Give 1 or more.")
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
    """Ban every instruction that overlaps with ``against``: others take their places.

    The bans are in the returned recipe, so that it gives the same selection without the files.
    Pins are kept, as a person asked for them, and are still listed as flagged.
    """
    found = contamination(crowd, against, words=words, column=column, progress=progress)
    bans = sorted({*recipe.bans, *found.ids} - set(recipe.pins))
    return recipe.model_copy(update={"bans": tuple(bans)}), found


def export(
    workspace: Workspace,
    selection: Selection | SavedSelection | str,
    format: str,  # noqa: A002 - the word of the command line
    out: str | Path | None = None,
    against: Sequence[str | Path] = (),
    *,
    words: int = WORDS,
    column: str | None = None,
    keep_flagged: bool = False,
    options: Mapping[str, Any] | None = None,
    name: str | None = None,
    licence: str | None = None,
    progress: Progress = silent,
) -> Export:
    """Write ``selection`` (or a saved one's id or name) in a format of ``FORMATS``.

    ``out`` is the folder to write; None: inside the selection's folder. For ``llamafactory`` it is
    LLaMA-Factory's data folder, whose ``dataset_info.json`` gets an entry.

    ``against`` are benchmark files (text ``column``; None: detected). Instructions that share
    ``words`` consecutive words with one are left out, or kept with ``keep_flagged``, and listed in
    the manifest either way.

    ``options`` are the format's own, such as ``{"system": "..."}``; ``name`` and ``licence`` are
    the data set's, for its card.

    Raises NotFoundError where the crowd no longer holds an id, InputError where there is no
    response to train on or ``out`` holds something that is not an export.
    """
    form = build(FORMATS[format], options or {})
    if not isinstance(selection, Selection):
        key = selection if isinstance(selection, str) else selection.id
        name = name or find_selection(workspace, key).name
        selection = load_selection(workspace, key)
    crowd = open_crowd(workspace, selection.recipe.crowd)
    rows = _rows(crowd, selection)
    found = contamination(
        crowd, against, list(selection.ids), words=words, column=column, progress=progress
    )
    flagged = set(() if keep_flagged else found.ids)
    progress(0, None, "reading responses")
    examples, unanswered = _examples(crowd, selection, rows, flagged)
    folder = workspace.selection(selection.recipe.id) / "exports" / format
    facts = {
        "recipe": selection.recipe.model_dump(mode="json"),
        "recipe_id": selection.recipe.id,
        "crowd": _crowd_facts(crowd),
        "counts": {
            "selected": len(selection.ids),
            "flagged": len(found.flagged),
            "unanswered": unanswered,
            "exported": len(examples),
        },
        "decontamination": _decontamination(found, keep_flagged),
        "report": dict(selection.report),
    }
    title = name or f"{crowd.name}-{selection.recipe.id}"
    target = folder if out is None else Path(out).expanduser()
    return write_export(examples, form, target, facts, name=title, licence=licence)


def _listed(hit: Overlap, names: Sequence[str]) -> dict[str, Any]:
    return {
        "id": str(names[hit.row]),
        "file": hit.file,
        "reference": hit.reference,
        "words": hit.words,
        "shared": hit.shared,
    }


def _rows(crowd: Crowd, selection: Selection) -> IntArray:
    lost = [i for i in selection.ids if i not in crowd.row_of]
    if lost:
        raise NotFoundError(
            f"{len(lost)} of {len(selection.ids)} selected ids are no longer in the crowd "
            f"{crowd.name}, such as {lost[0]!r}.",
            "The crowd was ingested anew: select again.",
        )
    return crowd.rows(selection.ids)


def _examples(
    crowd: Crowd, selection: Selection, rows: IntArray, left_out: set[str]
) -> tuple[list[Example], int]:
    """The examples in rank order, and how many selected rows have no response."""
    position = {m.name: j for j, m in enumerate(crowd.models)}
    columns = np.full(crowd.n, -1, dtype=np.int64)
    columns[rows] = [position.get(m or "", -1) for m in selection.models]
    responses = crowd.texts.responses_of(columns)
    prompts = crowd.prompts(rows)
    examples, unanswered = [], 0
    for i, row in enumerate(rows.tolist()):
        response, identity = responses[row], str(selection.ids[i])
        if not response:
            unanswered += 1
        elif identity not in left_out:
            asked = [Turn(cast("Role", m["role"]), m["content"]) for m in prompts[i]]
            turns = (*asked, Turn("assistant", response))
            parts = {k: float(v[i]) for k, v in selection.contributions.items()}
            examples.append(
                Example(
                    id=identity,
                    turns=turns,
                    model=selection.models[i],
                    rank=i + 1,
                    score=float(selection.scores[i]),
                    cluster=int(selection.clusters[i]),
                    contributions=parts,
                    reason=selection.reasons[i],
                )
            )
    if not examples:
        raise _nothing(crowd, len(rows), unanswered)
    return examples, unanswered


def _nothing(crowd: Crowd, selected: int, unanswered: int) -> InputError:
    """Why there is no example to write, and what helps."""
    if not selected:
        return InputError(
            "The selection holds no instruction.", "Select again, with other filters."
        )
    if unanswered == selected:
        return InputError(
            f"None of the {selected} selected instructions has a response in the crowd "
            f"{crowd.name}.",
            "Ingest the models' responses with it, or generate them: crowdselect crowd generate.",
        )
    return InputError(
        f"Every selected instruction with a response ({selected - unanswered:,}) overlaps with a "
        "benchmark.",
        "Select others (crowdselect select --against), or keep them: --keep-flagged.",
    )


def _crowd_facts(crowd: Crowd) -> dict[str, Any]:
    return {
        "name": crowd.name,
        "fingerprint": crowd.fingerprint,
        "n": crowd.n,
        "judges": list(crowd.judges),
        "models": [{"name": m.name, "family": m.family, "size_b": m.size_b} for m in crowd.models],
    }


def _decontamination(found: Contamination, kept: bool) -> dict[str, Any]:
    return {
        "words": found.words,
        "kept": kept,
        "against": [
            {"file": r.file, "sha256": r.sha256, "column": r.column, "texts": len(r.items)}
            | ({"rows_without_text": r.unread} if r.unread else {})
            for r in found.against
        ],
        "flagged": [dict(hit) for hit in found.flagged],
    }
