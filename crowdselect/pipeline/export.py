"""A selection -> files: responses are fetched, overlap with benchmarks is left out and listed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from crowdselect.deeds import deed
from crowdselect.errors import InputError, NotFoundError
from crowdselect.export import (
    FORMATS,
    WORDS,
    Example,
    Export,
    ExportConfig,
    Preference,
    Turn,
    held_back,
    write_export,
)
from crowdselect.export.base import Role
from crowdselect.finetune import PairRule
from crowdselect.pipeline.decontamination import (
    Contamination,
    contamination,
    facts_of,
    without_contamination,
)
from crowdselect.pipeline.ingest import open_crowd
from crowdselect.pipeline.pairs import selected_pairs
from crowdselect.pipeline.selection.answers import answer_texts, columns_of
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
from crowdselect.values import IntArray, Recipe, Selection

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

    ``out`` is the folder to write; None: inside the selection's folder. For ``llamafactory`` it is
    LLaMA-Factory's data folder, whose ``dataset_info.json`` gets an entry.

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
    """
    form = build(FORMATS[format], options or {})
    config = ExportConfig.parse(
        {"format": format, "out": out, "against": tuple(against), **asked}, "export"
    )
    name, words, column = config.name, config.words, config.column
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
    rows = _rows(crowd, selection)
    progress(0, None, "reading responses")
    examples, unanswered = _examples(crowd, selection, rows)
    unpaired, rule = 0, ""
    if isinstance(form, Preference):
        unpaired = len(examples)
        examples, rule = _paired(crowd, selection, form, examples)
        unpaired -= len(examples)
    nobody: list[Example] = []
    kept, held = examples, nobody
    if config.test is not None:
        kept, held = held_back(examples, config.test, selection.recipe.seed)
    folder = workspace.selection(selection.recipe.id) / "exports" / format
    facts = {
        "recipe": selection.recipe.model_dump(mode="json"),
        "recipe_id": selection.recipe.id,
        "crowd": _crowd_facts(crowd),
        "counts": {
            "selected": len(selection.ids),
            "flagged": len(overlap["flagged"]),
            "unanswered": unanswered,
            "exported": len(examples),
            **({"without_a_pair": unpaired} if rule else {}),
            **({"train": len(examples) - len(held), "test": len(held)} if held else {}),
        },
        **({"pairs": rule} if rule else {}),
        "decontamination": overlap,
        "report": dict(selection.report),
    }
    title = name or f"{crowd.name}-{selection.recipe.id}"
    target = folder if config.out is None else config.out.expanduser()
    what, told = f"selection {selection.recipe.id}", f"{format} into {target}"
    with deed(workspace, "export", what, details=told):
        return write_export(
            kept, form, target, facts, name=title, licence=config.licence, test=held
        )


def _selected_anew(crowd: Crowd, recipe: Recipe, progress: Progress) -> Selection:
    selection = select(crowd, recipe, progress)
    if not len(selection.ids):
        raise InputError(
            "Every instruction that could be selected overlaps with a benchmark.",
            "Keep what overlaps: --keep-flagged.",
        )
    return selection


def _rows(crowd: Crowd, selection: Selection) -> IntArray:
    lost = [i for i in selection.ids if i not in crowd.row_of]
    if lost:
        raise NotFoundError(
            f"{len(lost)} of {len(selection.ids)} selected ids are no longer in the crowd "
            f"{crowd.name}, such as {lost[0]!r}.",
            "The crowd was ingested anew: select again.",
        )
    return crowd.rows(selection.ids)


def _examples(crowd: Crowd, selection: Selection, rows: IntArray) -> tuple[list[Example], int]:
    """The examples in rank order, and how many selected rows have no response."""
    responses = answer_texts(crowd, selection.recipe, rows, columns_of(crowd, selection.models))
    prompts = crowd.prompts(rows)
    examples, unanswered = [], 0
    for i, response in enumerate(responses):
        identity = str(selection.ids[i])
        if not response:
            unanswered += 1
        else:
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
        raise _nothing(crowd, len(rows))
    return examples, unanswered


def _paired(
    crowd: Crowd, selection: Selection, form: Preference, examples: Sequence[Example]
) -> tuple[list[Example], str]:
    """The examples that have a better and a worse answer, by the rule of a fine-tune; the rule."""
    given = {"judge": form.judge or None, "margin": form.margin, "worse": form.worse}
    rule = PairRule.parse(given, "the format preference")
    pairs, lines = selected_pairs(crowd, selection, rule, "the selection")
    found = {line["id"]: line for line in lines}
    best = {str(i): crowd.models[j].name for i, j in zip(pairs.ids, pairs.chosen, strict=True)}
    return [
        replace(
            e,
            turns=(*e.prompt, Turn("assistant", found[e.id]["chosen"][0]["content"])),
            model=e.model if e.id in selection.recipe.answers else best[e.id],
            rejected=found[e.id]["rejected"][0]["content"],
            margin=found[e.id]["margin"],
        )
        for e in examples
        if e.id in found
    ], pairs.rule


def _nothing(crowd: Crowd, selected: int) -> InputError:
    """Why there is no example to write, and what helps."""
    if not selected:
        return InputError(
            "The selection holds no instruction.", "Select again, with other filters."
        )
    return InputError(
        f"None of the {selected} selected instructions has a response in the crowd {crowd.name}.",
        "Ingest the models' responses with it, or generate them: crowdselect crowd generate.",
    )


def _crowd_facts(crowd: Crowd) -> dict[str, Any]:
    return {
        "name": crowd.name,
        "fingerprint": crowd.fingerprint,
        "n": crowd.n,
        "judges": list(crowd.judges),
        "models": [{"name": m.name, "family": m.family, "size_b": m.size_b} for m in crowd.models],
    }
