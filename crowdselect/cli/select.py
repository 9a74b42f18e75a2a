"""``crowdselect select``: a recipe and a crowd -> a selection, saved and printed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crowdselect import files, rules
from crowdselect.cli.options import (
    CrowdArgument,
    JsonOption,
    OptionsOption,
    WorkspaceOption,
    example,
    option_parameters,
    values_of,
    with_declared,
)
from crowdselect.cli.recipe import build_recipe, read_recipe, recipe_parameters, with_preset
from crowdselect.cli.terminal import print_json, print_table, progress, say
from crowdselect.options import options_named
from crowdselect.rules import QuestionFile
from crowdselect.settings import open_workspace

if TYPE_CHECKING:
    from crowdselect.chosen import Selection
    from crowdselect.pipeline import Contamination, Robustness
    from crowdselect.store import Crowd

_SHOWN = 20
AGAINST = (
    dataclasses.replace(rules.AGAINST, name="files", type=tuple[Path, ...], flag="--against"),
    *options_named(QuestionFile, "column", "words"),
)
"""Files of questions that are kept out, and how they are read."""
ChosenOnOption = Annotated[
    list[str] | None, typer.Option(help="Benchmark on which this recipe was chosen; repeatable")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    examples = example(
        "crowdselect select zoo --budget 1000",
        "crowdselect select zoo --weights difficulty=1,separability=1,stability=2 --clusters 10",
        "crowdselect select zoo --strategy random --budget 10% --seed 7 --json",
        "crowdselect select zoo --recipe recipe.toml --against mt_bench/question.jsonl",
        "crowdselect select zoo --target tasks.jsonl --encoder 'rds?model=./my-model'",
    )
    app.command("select", epilog=examples)(
        with_declared(
            select, [*recipe_parameters(), *option_parameters(AGAINST, prefix="against_")]
        )
    )


def select(
    crowd: CrowdArgument,
    given: dict[str, Any],
    recipe: Annotated[
        Path | None,
        typer.Option(help="TOML file; options given here win over it", rich_help_panel="Recipe"),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            help="Weights by name: paper, equal, code, agreed, easy ...", rich_help_panel="Recipe"
        ),
    ] = None,
    option: OptionsOption = None,
    notes: Annotated[
        bool,
        typer.Option(
            "--notes",
            help="Take pins, bans and answers by hand from the dashboard's notes",
            rich_help_panel="Recipe",
        ),
    ] = False,
    target: Annotated[
        list[Path] | None,
        typer.Option(
            help="Examples of what the model shall do: select what is like them; repeatable, each "
            "file a task"
        ),
    ] = None,
    robustness: Annotated[
        bool, typer.Option("--robustness", help="Also leave out each model, family and judge")
    ] = False,
    name: Annotated[str | None, typer.Option(help="Name to save it under, besides its id")] = None,
    note: Annotated[str, typer.Option(help="A note to save with it")] = "",
    chosen_on: ChosenOnOption = None,
    save: Annotated[bool, typer.Option(help="Save it in the workspace")] = True,
    write_recipe: Annotated[Path | None, typer.Option(help="Write the recipe as TOML")] = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Choose instructions by a recipe; the same recipe gives the same bytes everywhere."""
    from crowdselect import pipeline
    from crowdselect.landscape import default_words

    folder = open_workspace(workspace)
    found = pipeline.open_crowd(folder, crowd)
    base = _with_notes(found, _base(recipe)) if notes else _base(recipe)
    wanted = build_recipe(crowd, base, with_preset(given, preset), option)
    wanted = pipeline.with_selection_ids(folder, wanted)
    if target:
        wanted = pipeline.with_targets(found, wanted, target)
    flagged, said = None, values_of(AGAINST, given, "against_")
    with progress() as report:
        if against := said.pop("files", ()):
            wanted, flagged = pipeline.without_contamination(
                found, wanted, against, **said, progress=report
            )
        session = pipeline.Session(found)
        chosen = pipeline.select(session, wanted, report)
        loo = pipeline.robustness(session, wanted, report) if robustness else None
    if write_recipe is not None:
        files.write_text(write_recipe, wanted.to_toml())
    if save:
        pipeline.save_selection(folder, chosen, name, note, chosen_on or ())
    if pipeline.follows_encoder(wanted):
        say(f"Instructions were grouped by the encoder {wanted.encoder}.")
        if recipe is None and given["encoder"] is None and (words := default_words(wanted.encoder)):
            say(words)
    if json:
        return print_json(document(chosen, flagged, loo))
    return _show(chosen, flagged, loo, saved=save)


def _base(recipe: Path | None) -> dict[str, Any]:
    """What holds where nothing is given: the file's fields, or what is installed here."""
    from crowdselect.landscape import default_encoder

    return {"encoder": default_encoder()} if recipe is None else read_recipe(recipe)


def _with_notes(crowd: Crowd, base: dict[str, Any]) -> dict[str, Any]:
    held = crowd.notes.state()
    return {
        **base,
        "pins": [*base.get("pins", ()), *held.pins],
        "bans": [*base.get("bans", ()), *held.bans],
        "answers": {**base.get("answers", {}), **held.answers},
    }


def document(
    selection: Selection, flagged: Contamination | None = None, loo: Robustness | None = None
) -> dict[str, Any]:
    """A selection as the one JSON document that ``--json`` prints."""
    rows = [
        {
            "rank": i + 1,
            "id": selection.ids[i],
            "score": selection.scores[i],
            "cluster": selection.clusters[i],
            "model": selection.models[i],
            "contributions": {k: v[i] for k, v in selection.contributions.items()},
            "reason": selection.reasons[i],
        }
        for i in range(len(selection.ids))
    ]
    extra: dict[str, Any] = {}
    if flagged is not None:
        extra["contamination"] = {"words": flagged.words, "flagged": flagged.flagged}
    if loo is not None:
        extra["robustness"] = loo
    return {
        "recipe_id": selection.recipe.id,
        "recipe": selection.recipe,
        "selected": rows,
        "report": selection.report,
        **extra,
    }


def tell_answers(report: Mapping[str, Any]) -> None:
    """Say what the gate removed, and how many training answers are poor or tied."""
    from crowdselect.pipeline import answer_words

    gate, told = report.get("gate"), report.get("answers")
    if gate:
        say(f"Gate: {gate['words']}. {gate['removed']:,} instructions do not pass.")
    if told and (words := answer_words(told)):
        say(f"{words}.")


def _show(
    selection: Selection, flagged: Contamination | None, loo: Robustness | None, *, saved: bool
) -> None:
    report = selection.report
    for line in report["warnings"]:
        say(line)
    if flagged is not None:
        for line in flagged.checked:
            say(line)
        say(
            f"{len(flagged.flagged):,} instructions overlap with a benchmark and cannot be "
            "selected; others take their places."
        )
    names = tuple(selection.contributions)
    rows = [
        (i + 1, selection.ids[i], selection.scores[i], selection.clusters[i], selection.models[i],
         *(float(selection.contributions[n][i]) for n in names))
        for i in range(min(_SHOWN, len(selection.ids)))
    ]  # fmt: skip
    tell_answers(report)
    print_table(("rank", "id", "score", "cluster", "response by", *names), rows)
    tie = report["tie_block"]
    size = f"{report['selected']:,} of {report['eligible']:,} eligible ({report['pool']:,} in all)"
    same = f"; at the cut {tie['taken']:,} of {tie['size']:,} equal scores were taken"
    say(f"{size}{same if tie['size'] else ''}.")
    shared = ", ".join(f"{k} {v:.3f}" for k, v in report["overlap"].items() if v is not None)
    say(f"Jaccard with the baselines: {shared}.")
    if loo is not None:
        parts = [(x.kind, x.name, x.jaccard, x.kept) for x in loo.left_out[:_SHOWN]]
        print_table(("without", "name", "Jaccard", "kept"), parts)
    if saved:
        say(f"Saved as {selection.recipe.id}.")
