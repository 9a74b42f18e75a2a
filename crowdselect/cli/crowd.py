"""``crowdselect crowd``: list, show, remove; models, imported scores, the search index.

``generate`` and ``judge`` are in ``crowd_make``.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crowdselect.cli import crowd_make, rows
from crowdselect.cli.options import CrowdArgument, JsonOption, WorkspaceOption, example
from crowdselect.cli.terminal import print_json, print_table, progress, say, say_damaged, tell
from crowdselect.settings import open_workspace

if TYPE_CHECKING:
    from crowdselect.store import Crowd
    from crowdselect.values import Model

group = typer.Typer(help="Make, list, show, complete and remove crowds.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    crowd_make.register(group)
    rows.register_crowd(group)
    app.add_typer(group, name="crowd")


def describe(crowd: Crowd) -> dict[str, Any]:
    """A crowd for ``--json``."""
    return {
        "name": crowd.name,
        "path": crowd.path,
        "fingerprint": crowd.fingerprint,
        "instructions": crowd.n,
        "judges": crowd.judges,
        "models": crowd.models,
        "score_columns": {name: info.source for name, info in crowd.score_columns().items()},
        "report": crowd.report,
        "lines": crowd.report_lines(),
    }


@group.command("annotations", epilog=example("crowdselect crowd annotations zoo records.json"))
def read_annotations(
    crowd: CrowdArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON that argilla wrote")],
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Take annotations of Argilla records into a crowd's notes: tags and comments."""
    from crowdselect.pipeline.argilla import read_annotations

    found = read_annotations(open_workspace(workspace), crowd, file)
    if json:
        return print_json(found)
    if found.unknown:
        say(f"{found.unknown:,} records are of no instruction of {crowd}.")
    if found.known:
        say(f"{found.known:,} annotations were there already.")
    return tell(f"{found.notes:,} notes added to {crowd}.")


@group.command("list", epilog=example("crowdselect crowd list"))
def list_(workspace: WorkspaceOption = None, json: JsonOption = False) -> None:
    """List the crowds of the workspace."""
    from crowdselect import pipeline

    found = open_workspace(workspace)
    unread = pipeline.damaged_crowds(found)
    lost = {each.name for each in unread}
    crowds = [pipeline.open_crowd(found, n) for n in found.crowd_names() if n not in lost]
    say_damaged(unread)
    if json:
        return print_json([describe(crowd) for crowd in crowds])
    lines = [(c.name, c.n, len(c.models), ", ".join(c.judges)) for c in crowds]
    return print_table(("crowd", "instructions", "models", "judges"), lines)


@group.command("show", epilog=example("crowdselect crowd show zoo"))
def show(crowd: CrowdArgument, workspace: WorkspaceOption = None, json: JsonOption = False) -> None:
    """Show models, judges and everything unusual that ingest found."""
    from crowdselect import pipeline

    found = pipeline.open_crowd(open_workspace(workspace), crowd)
    if json:
        return print_json(describe(found))
    for line in found.report_lines():
        tell(line)
    _print_models(found.models)
    scores = [(name, info.source) for name, info in found.score_columns().items()]
    return print_table(("score column", "made by"), scores) if scores else None


@group.command("remove", epilog=example("crowdselect crowd remove zoo --yes"))
def remove(
    crowd: CrowdArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask")] = False,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Delete a crowd with its scores, notes and caches; saved selections stay."""
    from crowdselect import pipeline

    found = open_workspace(workspace)
    found.existing_crowd(crowd)
    if not yes and sys.stdin.isatty():
        typer.confirm(f"Delete the crowd {crowd} with its notes and scores?", abort=True, err=True)
    pipeline.remove_crowd(found, crowd)
    if json:
        return print_json({"removed": crowd})
    return say(f"Removed {crowd}.")


@group.command("models", epilog=example("crowdselect crowd models zoo --table models.csv"))
def models(
    crowd: CrowdArgument,
    table: Annotated[
        Path | None, typer.Option(help="CSV with model,family,size_b to take over")
    ] = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Show the models' families and sizes, or take them over from a CSV file."""
    from crowdselect import pipeline
    from crowdselect.store import read_models

    found = pipeline.open_crowd(open_workspace(workspace), crowd)
    if table is not None:
        found.set_models(read_models(table))
        found = pipeline.open_crowd(open_workspace(workspace), crowd)
    if json:
        return print_json(found.models)
    return _print_models(found.models)


_KNOWN_FROM = {
    "table": "the table",
    "known": "the catalogue",
    "guessed": "GUESSED from the name: check it",
    "unknown": "UNKNOWN: give a table",
}


def _print_models(models: Sequence[Model]) -> None:
    lines = [(m.name, m.family, m.size_b, _KNOWN_FROM[m.source]) for m in models]
    print_table(("model", "family", "size in billions", "known from"), lines)


@group.command("scores", epilog=example("crowdselect crowd scores zoo my_scores.csv"))
def scores(
    crowd: CrowdArgument,
    file: Annotated[Path, typer.Argument(help="CSV, Parquet or JSONL: an id and numbers")],
    id_column: Annotated[str | None, typer.Option(help="Column that holds the ids")] = None,
    column: Annotated[
        list[str] | None, typer.Option(help="Column to import; repeatable; else every number")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the scores; else the file's")] = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Import a file of scores; its columns can then be weighed like any metric."""
    from crowdselect import pipeline

    found = pipeline.open_crowd(open_workspace(workspace), crowd)
    imported = found.import_scores(file, id_column=id_column, columns=column, name=name)
    if json:
        return print_json(imported)
    return tell(imported.summary)


@group.command("index", epilog=example("crowdselect crowd index zoo"))
def index(
    crowd: CrowdArgument, workspace: WorkspaceOption = None, json: JsonOption = False
) -> None:
    """Build the word index that makes searching responses fast."""
    from crowdselect import pipeline

    found = pipeline.open_crowd(open_workspace(workspace), crowd)
    with progress() as report:
        folder = found.build_index(report)
    if json:
        return print_json({"crowd": crowd, "index": folder})
    return say(f"Built {folder}.")
