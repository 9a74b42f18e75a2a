"""``crowdselect run``: list, show, follow, cancel and resume jobs of every kind."""

from __future__ import annotations

from typing import Annotated

import typer

from crowdselect import jobs
from crowdselect.cli.follow import describe, follow_job, run_job, time_left
from crowdselect.cli.options import DetachOption, JsonOption, WorkspaceOption, example
from crowdselect.cli.push import LicenceOption, PublicOption, YesOption, push_model
from crowdselect.cli.terminal import print_json, print_table, say, tell
from crowdselect.settings import open_workspace

RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="Id of a run, see run list")]
group = typer.Typer(help="Follow, cancel and resume jobs.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="run")


@group.command("list", epilog=example("crowdselect run list --kind finetune"))
def list_(
    kind: Annotated[str | None, typer.Option(help="Only this kind of job")] = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """List the runs, newest first."""
    views = jobs.all_runs(open_workspace(workspace), kind)
    for view in views:
        if view.state == "damaged" and view.error:
            say(f"Damaged run {view.id}: {' '.join(view.error)}")
    if json:
        return print_json([describe(view) for view in views])
    rows = [(v.id, v.kind, v.state, _done(v), time_left(v), v.started, v.author) for v in views]
    return print_table(("run", "kind", "state", "done", "left", "started", "by"), rows)


@group.command("show", epilog=example("crowdselect run show landscape-20260101-120000-a1b2c3"))
def show(run: RunArgument, workspace: WorkspaceOption = None, json: JsonOption = False) -> None:
    """Show a run's state, options and, where it failed, what to do."""
    view = jobs.read(open_workspace(workspace).run(run))
    if json:
        return print_json(describe(view))
    rows = [(key, value) for key, value in view.config.items()]
    say(f"{view.id}: {view.state} {view.label} {_done(view)} {time_left(view)}".rstrip())
    for line in view.error or ():
        say(line)
    return print_table(("option", "value"), rows)


@group.command("follow", epilog=example("crowdselect run follow landscape-20260101-120000-a1b2c3"))
def follow(run: RunArgument, workspace: WorkspaceOption = None, json: JsonOption = False) -> None:
    """Show a run's progress until it ends; Ctrl-C cancels it."""
    _finished(follow_job(open_workspace(workspace).run(run)), json)


@group.command("cancel", epilog=example("crowdselect run cancel landscape-20260101-120000-a1b2c3"))
def cancel(
    run: RunArgument,
    wait: Annotated[float, typer.Option(help="Seconds before the process is told to end")] = 10.0,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Ask a run to stop; what it finished is kept."""
    path = open_workspace(workspace).run(run)
    jobs.read(path)
    jobs.cancel(path, wait_s=wait)
    _finished(jobs.read(path), json)


@group.command("resume", epilog=example("crowdselect run resume landscape-20260101-120000-a1b2c3"))
def resume(
    run: RunArgument,
    detach: DetachOption = False,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Start a run again; it goes on from what is finished."""
    view = run_job(open_workspace(workspace).run(run), detach=detach, as_json=json)
    if not detach:
        _finished(view, json)


@group.command(
    "push", epilog=example("crowdselect run push finetune-20260101-120000-a1b2c3 my-org/tuned")
)
def push(
    run: RunArgument,
    repo: Annotated[str, typer.Argument(metavar="ORG/NAME", help="Repository on the hub")],
    public: PublicOption = False,
    licence: LicenceOption = None,
    yes: YesOption = False,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Push a fine-tuned model with its card and benchmarks to the hub; it is shown and asked."""
    folder = open_workspace(workspace)
    path = folder.run(run)
    address = push_model(folder, path, repo, public=public, licence=licence, yes=yes)
    if json:
        print_json({"run": run, "pushed": address})


@group.command("card", epilog=example("crowdselect run card finetune-20260101-120000-a1b2c3"))
def card(run: RunArgument, workspace: WorkspaceOption = None, json: JsonOption = False) -> None:
    """Show the card of a fine-tuned model: selection, recipe, options, benchmarks, how to serve."""
    from crowdselect.pipeline.push import measured_card  # it loads every stage

    folder = open_workspace(workspace)
    text = measured_card(folder, folder.run(run))
    if json:
        return print_json({"run": run, "card": text})
    return tell(text)


def _done(view: jobs.JobView) -> str:
    return f"{view.done:,}/{view.total:,}" if view.total else ""


def _finished(view: jobs.JobView, as_json: bool) -> None:
    if as_json:
        print_json(describe(view))
    else:
        say(f"{view.id}: {view.state}")
