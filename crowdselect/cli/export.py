"""``crowdselect export``: a saved selection -> training files, card and manifest."""

from __future__ import annotations

import dataclasses
from typing import Any

import typer

from crowdselect.cli.options import (
    JsonOption,
    OptionsOption,
    SelectionArgument,
    WorkspaceOption,
    example,
    option_parameters,
    own_options,
    values_of,
    with_declared,
)
from crowdselect.cli.push import PublicOption, PushOption, YesOption, push_plan
from crowdselect.cli.terminal import print_json, progress, say, tell
from crowdselect.export import FORMATS, ExportConfig
from crowdselect.options import options_of
from crowdselect.settings import open_workspace

ASKED = [
    dataclasses.replace(o, one=f"{o.help}: {', '.join(FORMATS.names())}")
    if o.name == "format"
    else o
    for o in options_of(ExportConfig)
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    examples = example(
        "crowdselect export best-1000 --format messages",
        "crowdselect export best-1000 --format llamafactory --out LLaMA-Factory/data",
        "crowdselect export best-1000 --format preference -o margin=1.0",
        "crowdselect export best-1000 --format parquet --against mt_bench/question.jsonl",
        "crowdselect export best-1000 --format parquet --license cc-by-4.0 --push my-org/best-1000",
        "crowdselect export best-1000 --out s3://bucket/chosen/best-1000",
    )
    app.command("export", epilog=examples)(with_declared(export, option_parameters(ASKED)))


def export(
    selection: SelectionArgument,
    given: dict[str, Any],
    option: OptionsOption = None,
    push: PushOption = None,
    public: PublicOption = False,
    yes: YesOption = False,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Write a selection's training file, dataset card and manifest."""
    from crowdselect import pipeline
    from crowdselect.pipeline.push import plan_export_push

    asked = values_of(ASKED, given)
    with progress() as report:
        made = pipeline.export(
            open_workspace(workspace),
            selection,
            options=own_options(FORMATS[asked["format"]], option),
            progress=report,
            **asked,
        )
    keep_flagged = bool(asked.get("keep_flagged"))
    counts = made.manifest["counts"]
    pushed = None
    if push:
        licence = asked.get("licence")
        plan = plan_export_push(made, push, public=public, licence=licence)
        pushed = push_plan(open_workspace(workspace), plan, yes=yes)
    if json:
        more = {"pushed": pushed} if pushed else {}
        more |= {"sent": made.sent} if made.sent else {}
        return print_json({"path": made.path, "data": made.data, **more, **made.manifest})
    if counts["unanswered"]:
        say(f"{counts['unanswered']:,} rows have no response and were left out.")
    if counts.get("without_a_pair"):
        say(f"{counts['without_a_pair']:,} rows have no two answers that far apart.")
    for line in made.checked:
        say(line)
    if counts["flagged"]:
        fate = "were kept" if keep_flagged else "cannot be in it; others took their places"
        say(f"{counts['flagged']:,} instructions overlap with a benchmark and {fate}.")
    if asked.get("against") and not keep_flagged:
        say(f"The files belong to the recipe now: train on the selection {made.recipe_id}.")
    held = f", {counts['test']:,} of them for testing" if "test" in counts else ""
    say(f"Wrote {made.n:,} examples{held}.")
    return tell(made.sent or made.data)
