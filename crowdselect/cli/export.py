"""``crowdselect export``: a saved selection -> training files, card and manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crowdselect.cli.options import (
    JsonOption,
    OptionsOption,
    WorkspaceOption,
    example,
    own_options,
)
from crowdselect.cli.select import AgainstColumnOption, AgainstOption, AgainstWordsOption
from crowdselect.cli.selection import SelectionArgument
from crowdselect.cli.terminal import print_json, progress, say, tell
from crowdselect.export import FORMATS
from crowdselect.settings import open_workspace


def register(app: typer.Typer) -> None:
    """Add the command."""
    examples = example(
        "crowdselect export best-1000 --format messages",
        "crowdselect export best-1000 --format llamafactory --out LLaMA-Factory/data",
        "crowdselect export best-1000 --format preference -o margin=1.0",
        "crowdselect export best-1000 --format parquet --against mt_bench/question.jsonl",
    )
    app.command("export", epilog=examples)(export)


def export(
    selection: SelectionArgument,
    format_: Annotated[
        str, typer.Option("--format", "-f", help=f"One of: {', '.join(FORMATS.names())}")
    ] = "messages",
    out: Annotated[
        Path | None, typer.Option(help="Folder to write; else inside the selection's folder")
    ] = None,
    against: AgainstOption = None,
    against_column: AgainstColumnOption = None,
    against_words: AgainstWordsOption = 13,
    keep_flagged: Annotated[
        bool, typer.Option("--keep-flagged", help="Keep what overlaps; the manifest lists it")
    ] = False,
    test: Annotated[
        float | None,
        typer.Option(help="Share held back in a file of its own, such as 0.1; questions decide"),
    ] = None,
    option: OptionsOption = None,
    name: Annotated[str | None, typer.Option(help="Name of the data set")] = None,
    licence: Annotated[
        str | None, typer.Option("--license", help="Licence that the card states")
    ] = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Write a selection's training file, dataset card and manifest."""
    from crowdselect import pipeline

    with progress() as report:
        made = pipeline.export(
            open_workspace(workspace),
            selection,
            format_,
            out,
            against or (),
            words=against_words,
            column=against_column,
            keep_flagged=keep_flagged,
            options=own_options(FORMATS[format_], option),
            name=name,
            licence=licence,
            test=test,
            progress=report,
        )
    counts = made.manifest["counts"]
    if json:
        return print_json({"path": made.path, "data": made.data, **made.manifest})
    if counts["unanswered"]:
        say(f"{counts['unanswered']:,} rows have no response and were left out.")
    if counts.get("without_a_pair"):
        say(f"{counts['without_a_pair']:,} rows have no two answers that far apart.")
    for line in made.checked:
        say(line)
    if counts["flagged"]:
        fate = "were kept" if keep_flagged else "cannot be in it; others took their places"
        say(f"{counts['flagged']:,} instructions overlap with a benchmark and {fate}.")
    if against and not keep_flagged:
        say(f"The files belong to the recipe now: train on the selection {made.recipe_id}.")
    held = f", {counts['test']:,} of them for testing" if "test" in counts else ""
    say(f"Wrote {made.n:,} examples{held}.")
    return tell(made.data)
