"""``crowdselect workspace``: check it, see who did what, free its caches, move one crowd."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crowdselect.cli.options import CrowdArgument, JsonOption, WorkspaceOption, example
from crowdselect.cli.terminal import print_json, print_table, progress, say, tell
from crowdselect.deeds import ACTIONS, read_deeds
from crowdselect.errors import InputError
from crowdselect.registry import did_you_mean
from crowdselect.settings import open_workspace

group = typer.Typer(help="Check, free and move what a workspace holds.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="workspace")


@group.command("check", epilog=example("crowdselect workspace check --repair"))
def check(
    repair: Annotated[
        bool, typer.Option("--repair", help="Put torn lines of journals into files beside them")
    ] = False,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Compare everything with the hashes noted when it was written; exit code 2 if any differs."""
    from crowdselect.pipeline import upkeep

    folder = open_workspace(workspace)
    with progress() as report:
        found = upkeep.check_workspace(folder, report)
    mended = [f for f in found if repair and f.repairable]
    for finding in mended:
        say(f"{finding.path}: torn lines are in {upkeep.repair(folder, finding).name} now.")
    left = [f for f in found if f not in mended]
    if json:
        print_json({"sound": not left, "findings": left, "repaired": mended})
    elif not left:
        tell(f"{folder.root} is sound.")
    else:
        print_table(("what", "problem", "remedy"), [(f.what, f.problem, f.remedy) for f in left])
    if left:
        raise typer.Exit(2)


@group.command("gc", epilog=example("crowdselect workspace gc", "crowdselect workspace gc --yes"))
def gc(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Free it; else it is shown")] = False,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Show what can go because it can be made again; with --yes free it."""
    from crowdselect.pipeline import upkeep

    folder = open_workspace(workspace)
    found = upkeep.freeable(folder)
    freed = upkeep.free(folder, found) if yes else 0
    if json:
        return print_json({"freeable": found, "freed": freed})
    print_table(
        ("what", "MB", "having it again costs"),
        [(f.what, round(f.size / 1e6, 1), f.cost) for f in found],
    )
    total = sum(f.size for f in found) / 1e6
    return say(f"Freed {total:,.1f} MB." if yes else f"{total:,.1f} MB can go: --yes frees them.")


@group.command("log", epilog=example("crowdselect workspace log --action delete"))
def log(
    action: Annotated[str | None, typer.Option(help=f"Only this: {', '.join(ACTIONS)}")] = None,
    who: Annotated[str | None, typer.Option(help="Only this person's: name or account")] = None,
    last: Annotated[int, typer.Option(min=0, help="Only so many of the newest; 0: all")] = 50,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Show who did what when, oldest first."""
    if action is not None and action not in ACTIONS:
        raise InputError(f"There is no action {action!r}.", did_you_mean(action, ACTIONS))
    found = [
        each
        for each in read_deeds(open_workspace(workspace))
        if action in (None, each.action) and who in (None, each.who, each.account)
    ]
    found = found[-last:] if last else found
    if json:
        return print_json(found)
    rows = [(d.at[:19], d.who or d.account, d.role, d.action, d.what, d.details) for d in found]
    return print_table(("when (UTC)", "who", "as", "did", "what", ""), rows)


@group.command("export", epilog=example("crowdselect workspace export zoo zoo.tar"))
def export(
    crowd: CrowdArgument,
    out: Annotated[Path, typer.Argument(help="The file to write, such as zoo.tar")],
    runs: Annotated[
        bool, typer.Option(help="Take its fine-tunes, benchmarks, studies ... along")
    ] = True,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Write one crowd with its notes, scores, selections, exports and runs to one file."""
    from crowdselect.pipeline import upkeep

    folders = upkeep.export_crowd(open_workspace(workspace), crowd, out, runs=runs)
    if json:
        return print_json({"out": out, "folders": folders})
    return tell(f"{out}: {', '.join(folders)}")


@group.command("import", epilog=example("crowdselect workspace import zoo.tar"))
def import_(
    archive: Annotated[Path, typer.Argument(help="What workspace export wrote")],
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Put an exported crowd into this workspace; it is checked first, and nothing is replaced."""
    from crowdselect.pipeline import upkeep

    folders = upkeep.import_crowd(open_workspace(workspace), archive)
    if json:
        return print_json({"folders": folders})
    return tell(f"Imported {', '.join(folders)}")
