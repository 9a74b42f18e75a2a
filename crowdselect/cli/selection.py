"""``crowdselect selection``: list, show, rename and remove what was saved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crowdselect.cli import rows
from crowdselect.cli.options import JsonOption, SelectionArgument, WorkspaceOption, example
from crowdselect.cli.select import ChosenOnOption, document
from crowdselect.cli.terminal import print_json, print_table, say, say_damaged, tell
from crowdselect.settings import open_workspace

if TYPE_CHECKING:
    from crowdselect.pipeline import SavedSelection

group = typer.Typer(help="List, show, rename and remove selections.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    rows.register_selection(group)
    app.add_typer(group, name="selection")


@group.command("list", epilog=example("crowdselect selection list --crowd zoo"))
def list_(
    crowd: Annotated[str | None, typer.Option(help="Only this crowd's")] = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """List the saved selections, newest first."""
    from crowdselect import pipeline

    folder = open_workspace(workspace)
    found = pipeline.list_selections(folder, crowd)
    say_damaged(pipeline.damaged_selections(folder))
    if json:
        return print_json(found)
    lines = [
        (s.id, s.name, s.recipe.crowd, s.recipe.strategy, s.n, s.created[:19], who(s))
        for s in found
    ]
    return print_table(("id", "name", "crowd", "strategy", "rows", "created", "by"), lines)


@group.command("records", epilog=example("crowdselect selection records best-1000 records.json"))
def records(
    selection: SelectionArgument,
    out: Annotated[Path, typer.Argument(metavar="FILE", help="JSON file to write")],
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Write a selection as Argilla records, to be annotated; see crowd annotations."""
    from crowdselect.pipeline.argilla import write_records

    n = write_records(open_workspace(workspace), selection, out)
    if json:
        return print_json({"file": out, "records": n})
    say(f"Wrote {n:,} records.")
    return tell(out)


@group.command("show", epilog=example("crowdselect selection show best-1000"))
def show(
    selection: SelectionArgument, workspace: WorkspaceOption = None, json: JsonOption = False
) -> None:
    """Show a selection's recipe; with --json its rows and report too."""
    from crowdselect import pipeline

    folder = open_workspace(workspace)
    if json:
        return print_json(document(pipeline.load_selection(folder, selection)))
    saved = pipeline.find_selection(folder, selection)
    names = ", also ".join((saved.name, *saved.also))
    by = f" by {who(saved)}" if saved.authors else ""
    say(f"{saved.id} {names}: {saved.n:,} rows, {saved.created[:19]}{by}. {saved.note}".rstrip())
    if saved.chosen_on:
        say(f"Its recipe was chosen on {', '.join(saved.chosen_on)}.")
    return tell(saved.recipe.to_toml())


@group.command("rename", epilog=example("crowdselect selection rename 1f0c best-1000"))
def rename(
    selection: SelectionArgument,
    name: Annotated[str, typer.Argument(help="The new name")],
    note: Annotated[str | None, typer.Option(help="A new note")] = None,
    chosen_on: ChosenOnOption = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Give a selection another name."""
    from crowdselect import pipeline

    saved = pipeline.rename_selection(open_workspace(workspace), selection, name, note, chosen_on)
    _done({"id": saved.id, "name": saved.name}, f"{saved.id} is called {saved.name}.", json)


@group.command("remove", epilog=example("crowdselect selection remove best-1000"))
def remove(
    selection: SelectionArgument, workspace: WorkspaceOption = None, json: JsonOption = False
) -> None:
    """Delete a selection with its exports."""
    from crowdselect import pipeline

    pipeline.remove_selection(open_workspace(workspace), selection)
    _done({"removed": selection}, f"Removed {selection}.", json)


def who(saved: SavedSelection) -> str:
    """Who saved it."""
    return ", ".join(saved.authors)


def _done(value: dict[str, Any], text: str, as_json: bool) -> None:
    if as_json:
        print_json(value)
    else:
        say(text)
