"""``crowdselect select``: a recipe and a crowd -> a selection, saved and printed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from crowdselect import files
from crowdselect.cli.options import (
    CrowdArgument,
    EncoderOption,
    JsonOption,
    OptionsOption,
    WorkspaceOption,
    example,
)
from crowdselect.cli.recipe import (
    build_recipe,
    parse_budget,
    parse_range,
    parse_weights,
    read_recipe,
)
from crowdselect.cli.terminal import print_json, print_table, progress, say
from crowdselect.settings import open_workspace

if TYPE_CHECKING:
    from crowdselect.pipeline import Contamination, Robustness
    from crowdselect.values import Selection

_SHOWN = 20
_FILTER = "Filters"
_RECIPE = "Recipe"
AgainstOption = Annotated[
    list[Path] | None,
    typer.Option(
        help="Benchmark questions (JSONL, JSON, CSV, Parquet) that may not be in it; repeatable"
    ),
]
AgainstColumnOption = Annotated[
    str | None, typer.Option(help="Text column of the benchmark files; else detected")
]
AgainstWordsOption = Annotated[
    int, typer.Option(min=1, help="Shared consecutive words that make an overlap")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    examples = example(
        "crowdselect select zoo --budget 1000",
        "crowdselect select zoo --weights difficulty=1,separability=1,stability=2 --clusters 10",
        "crowdselect select zoo --strategy random --budget 10% --seed 7 --json",
        "crowdselect select zoo --recipe recipe.toml --against mt_bench/question.jsonl",
    )
    app.command("select", epilog=examples)(select)


def select(
    crowd: CrowdArgument,
    recipe: Annotated[
        Path | None, typer.Option(help="TOML file; options given here win over it")
    ] = None,
    weights: Annotated[
        str | None, typer.Option(help="METRIC=NUMBER, ..., also METRIC@JUDGE and negative")
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help="Weights by name: paper, equal, code, agreed, easy ...")
    ] = None,
    budget: Annotated[str | None, typer.Option(help="A count, or a share: 0.1, 10%")] = None,
    clusters: Annotated[
        int | None, typer.Option("--clusters", "-k", min=0, help="Clusters; 0: no quota")
    ] = None,
    strategy: Annotated[
        str | None,
        typer.Option(
            "--strategy", "-s", help="crowdselect, random, top ...; see plugins strategies"
        ),
    ] = None,
    option: OptionsOption = None,
    judge: Annotated[str | None, typer.Option(help="Reward model; 'all': ranks combined")] = None,
    answer: Annotated[
        str | None, typer.Option(help="best, random, top5_random, worst or model:NAME")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of everything random")] = None,
    encoder: EncoderOption = None,
    clustering: Annotated[
        Literal["exact", "fast"] | None,
        typer.Option(help="k-means with n_init=20, or the slider's way"),
    ] = None,
    profile: Annotated[
        Literal["paper", "reference"] | None, typer.Option(help="reference: the published code's")
    ] = None,
    impute_missing: Annotated[
        bool | None, typer.Option("--impute-missing", help="A missing metric counts as 0.5")
    ] = None,
    contains: Annotated[
        str | None, typer.Option(help="Text that it contains", rich_help_panel=_FILTER)
    ] = None,
    lacks: Annotated[
        str | None, typer.Option(help="Text that it does not contain", rich_help_panel=_FILTER)
    ] = None,
    in_cluster: Annotated[
        list[int] | None,
        typer.Option(help="Only this cluster; repeatable", rich_help_panel=_FILTER),
    ] = None,
    range_: Annotated[
        list[str] | None,
        typer.Option("--range", help="METRIC=LOW..HIGH; repeatable", rich_help_panel=_FILTER),
    ] = None,
    min_chars: Annotated[
        int | None, typer.Option(help="Shortest instruction", rich_help_panel=_FILTER)
    ] = None,
    max_chars: Annotated[
        int | None, typer.Option(help="Longest instruction", rich_help_panel=_FILTER)
    ] = None,
    near_duplicates: Annotated[
        float | None,
        typer.Option(help="Drop what is more similar than this (cosine)", rich_help_panel=_FILTER),
    ] = None,
    keep_duplicates: Annotated[
        bool, typer.Option("--keep-duplicates", help="Keep equal texts", rich_help_panel=_FILTER)
    ] = False,
    pin: Annotated[
        list[str] | None, typer.Option(help="Id that is in; repeatable", rich_help_panel=_FILTER)
    ] = None,
    ban: Annotated[
        list[str] | None, typer.Option(help="Id that is out; repeatable", rich_help_panel=_FILTER)
    ] = None,
    notes: Annotated[
        bool,
        typer.Option(
            "--notes", help="Take pins and bans from the dashboard's notes", rich_help_panel=_FILTER
        ),
    ] = False,
    against: AgainstOption = None,
    against_column: AgainstColumnOption = None,
    against_words: AgainstWordsOption = 13,
    robustness: Annotated[
        bool, typer.Option("--robustness", help="Also leave out each model, family and judge")
    ] = False,
    name: Annotated[str | None, typer.Option(help="Name to save it under, besides its id")] = None,
    note: Annotated[str, typer.Option(help="A note to save with it")] = "",
    save: Annotated[bool, typer.Option(help="Save it in the workspace")] = True,
    write_recipe: Annotated[Path | None, typer.Option(help="Write the recipe as TOML")] = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Choose instructions by a recipe; the same recipe gives the same bytes everywhere."""
    from crowdselect import pipeline
    from crowdselect.landscape import default_encoder

    base = read_recipe(recipe) if recipe else {"encoder": default_encoder()}
    folder = open_workspace(workspace)
    found = pipeline.open_crowd(folder, crowd)
    noted = found.notes.state() if notes else None
    wanted = build_recipe(
        crowd,
        base,
        {
            "weights": parse_weights(weights, preset),
            "budget": parse_budget(budget),
            "clusters": clusters,
            "strategy": strategy,
            "judge": judge,
            "answer": answer,
            "seed": seed,
            "encoder": encoder,
            "clustering": clustering,
            "profile": profile,
            "impute_missing": impute_missing,
            "pins": _together(base.get("pins"), pin, noted.pins if noted else None),
            "bans": _together(base.get("bans"), ban, noted.bans if noted else None),
        },
        {
            "contains": contains,
            "lacks": lacks,
            "clusters": in_cluster,
            "ranges": [parse_range(text) for text in range_] if range_ else None,
            "min_chars": min_chars,
            "max_chars": max_chars,
            "near_duplicates": near_duplicates,
            "exact_duplicates": "keep" if keep_duplicates else None,
        },
        option,
    )
    flagged = None
    with progress() as report:
        if against:
            wanted, flagged = pipeline.without_contamination(
                found, wanted, against, words=against_words, column=against_column, progress=report
            )
        session = pipeline.Session(found)
        chosen = session.select(wanted, report)
        loo = pipeline.robustness(found, wanted, report, session) if robustness else None
    if write_recipe is not None:
        files.write_text(write_recipe, wanted.to_toml())
    if save:
        pipeline.save_selection(folder, chosen, name, note)
    if json:
        return print_json(document(chosen, flagged, loo))
    return _show(chosen, flagged, loo, saved=save)


def _together(*lists: Any) -> list[str] | None:
    """The ids of all lists, each once, in order; None if no list was given."""
    if all(ids is None for ids in lists[1:]):
        return None
    return list(dict.fromkeys(i for ids in lists for i in ids or ()))


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


def _show(
    selection: Selection, flagged: Contamination | None, loo: Robustness | None, *, saved: bool
) -> None:
    report = selection.report
    for line in report["warnings"]:
        say(line)
    if flagged is not None:
        say(f"{len(flagged.flagged):,} instructions overlap with a benchmark and were banned.")
    names = tuple(selection.contributions)
    rows = [
        (i + 1, selection.ids[i], selection.scores[i], selection.clusters[i], selection.models[i],
         *(float(selection.contributions[n][i]) for n in names))
        for i in range(min(_SHOWN, len(selection.ids)))
    ]  # fmt: skip
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
