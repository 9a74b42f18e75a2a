"""A selection -> files: responses are fetched, overlap with benchmarks is left out and listed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from crowdselect.buckets import in_bucket, read_bucket_address, send_to_bucket
from crowdselect.chosen import Selection
from crowdselect.deeds import deed
from crowdselect.errors import InputError
from crowdselect.export import (
    FORMATS,
    WORDS,
    Example,
    Export,
    ExportConfig,
    held_back,
    write_export,
)
from crowdselect.pipeline.decontamination import (
    Contamination,
    contamination,
    facts_of,
    without_contamination,
)
from crowdselect.pipeline.ingest import open_crowd
from crowdselect.pipeline.selection.examples import examples_of
from crowdselect.pipeline.selection.saving import (
    SavedSelection,
    find_selection,
    load_selection,
    save_selection,
)
from crowdselect.pipeline.selection.select import select
from crowdselect.progress import Progress, silent
from crowdselect.registry import build
from crowdselect.settings import Workspace
from crowdselect.store import Crowd
from crowdselect.values import Recipe

_NOTHING = Contamination(WORDS, (), ())
"""Nothing was checked."""


def export(
    workspace: Workspace,
    selection: Selection | SavedSelection | str,
    format: str,  # noqa: A002 - the word of the command line
    out: str | Path | None = None,
    against: Sequence[str | Path] = (),
    *,
    options: Mapping[str, Any] | None = None,
    progress: Progress = silent,
    **asked: Any,
) -> Export:
    """Write ``selection`` (or a saved one's id or name) in a format of ``FORMATS``.

    ``out`` is the folder to write; None: inside the selection's folder; an address in an object
    store (``s3://BUCKET/PATH``, ``gs://``): there, and from there to the address. For
    ``llamafactory`` it is LLaMA-Factory's data folder, whose ``dataset_info.json`` gets an entry.

    ``against`` are benchmark files (text ``column``; None: detected). Instructions that share
    ``words`` consecutive words with one cannot be in it: the recipe gets the files, selects anew,
    so that others take their places, and is saved, so that a fine-tune of the selection that the
    manifest names trains on the same rows. With ``keep_flagged`` the selection stays as it is and
    what overlaps is listed only.

    ``test`` is the share that is held back in a file of its own, by the questions and the recipe's
    seed: equal questions stay on one side.

    ``options`` are the format's own, such as ``{"system": "..."}``; ``asked`` are the others of
    ``ExportConfig``; ``name`` and ``licence`` are the data set's, for its card.

    Raises NotFoundError where the crowd no longer holds an id, InputError where there is no
    response to train on or ``out`` holds something that is not an export.

    >>> written = cs.export(workspace, "first", "messages")
    >>> written.n, written.data.name
    (3, 'data.jsonl')
    """
    form = build(FORMATS[format], options or {})
    config = ExportConfig.parse(
        {"format": format, "out": out, "against": tuple(against), **asked}, "export"
    )
    name, words, column = config.name, config.words, config.column
    sent = _address_of(config.out)
    if not isinstance(selection, Selection):
        key = selection if isinstance(selection, str) else selection.id
        name = name or find_selection(workspace, key).name
        selection = load_selection(workspace, key)
    crowd = open_crowd(workspace, selection.recipe.crowd)
    overlap = selection.report.get("decontamination") or facts_of(_NOTHING, selection.recipe)
    if config.against and config.keep_flagged:
        names = list(selection.ids)
        found = contamination(
            crowd, config.against, names, words=words, column=column, progress=progress
        )
        overlap = facts_of(found, selection.recipe, kept=True)
    elif config.against:
        clean, _ = without_contamination(
            crowd, selection.recipe, config.against, words=words, column=column, progress=progress
        )
        selection = _selected_anew(crowd, clean, progress)
        save_selection(workspace, selection)
        overlap = selection.report["decontamination"]
    progress(0, None, "reading responses")
    read = examples_of(crowd, selection, form)
    examples = read.examples
    kept, held = _parted(examples, config.test, selection.recipe.seed)
    folder = workspace.selection(selection.recipe.id) / "exports" / format
    facts = {
        "recipe": selection.recipe.model_dump(mode="json"),
        "recipe_id": selection.recipe.id,
        "crowd": _crowd_facts(crowd),
        "counts": {
            "selected": len(selection.ids),
            "flagged": len(overlap["flagged"]),
            "unanswered": read.unanswered,
            "exported": len(examples),
            **({"without_a_pair": read.unpaired} if read.rule else {}),
            **({"train": len(examples) - len(held), "test": len(held)} if held else {}),
        },
        **({"pairs": read.rule} if read.rule else {}),
        "decontamination": overlap,
        "report": dict(selection.report),
    }
    title = name or f"{crowd.name}-{selection.recipe.id}"
    target = folder if config.out is None or sent else Path(config.out).expanduser()
    what, told = f"selection {selection.recipe.id}", f"{format} into {sent or target}"
    with deed(workspace, "export", what, details=told):
        written = write_export(
            kept, form, target, facts, name=title, licence=config.licence, test=held
        )
        if sent:
            send_to_bucket(target, sent, progress)
    return replace(written, sent=sent)


def _address_of(out: str | None) -> str | None:
    """Where in an object store the export is to lie; None: it stays on this machine."""
    return str(read_bucket_address(out)) if out and in_bucket(out) else None


def _parted(
    examples: list[Example], test: float | None, seed: int
) -> tuple[list[Example], list[Example]]:
    """The examples that are trained on, and those held back; without a share all are the former."""
    return (examples, []) if test is None else held_back(examples, test, seed)


def _selected_anew(crowd: Crowd, recipe: Recipe, progress: Progress) -> Selection:
    selection = select(crowd, recipe, progress)
    if not len(selection.ids):
        raise InputError(
            "Every instruction that could be selected overlaps with a benchmark.",
            "Keep what overlaps: --keep-flagged.",
        )
    return selection


def _crowd_facts(crowd: Crowd) -> dict[str, Any]:
    return {
        "name": crowd.name,
        "fingerprint": crowd.fingerprint,
        "n": crowd.n,
        "judges": list(crowd.judges),
        "models": [{"name": m.name, "family": m.family, "size_b": m.size_b} for m in crowd.models],
    }
