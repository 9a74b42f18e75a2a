"""Pushing to the hub, alike for data and models: shown, asked, then done."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from crowdselect.cli.terminal import say
from crowdselect.errors import CancelledError, InputError
from crowdselect.hub import PushPlan
from crowdselect.settings import Workspace

PushOption = Annotated[
    str | None,
    typer.Option(
        "--push", metavar="ORG/NAME", help="Then push it to the hub: private, and asked for first"
    ),
]
PublicOption = Annotated[bool, typer.Option("--public", help="Pushed so that everybody reads it")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Push without being asked")]
LicenceOption = Annotated[
    str | None, typer.Option("--license", help="Licence that the pushed card states")
]


def push_plan(workspace: Workspace, plan: PushPlan, *, yes: bool) -> str:
    """Show ``plan``, ask unless ``yes``, and push; returns the address of the commit.

    Raises CancelledError where the answer is no, InputError where nobody can be asked.
    """
    from crowdselect.pipeline.push import send  # it loads every stage

    for line in plan.lines():
        say(line)
    if not yes:
        if not sys.stdin.isatty():
            raise InputError("Nobody can be asked here whether to push.", "Agree with --yes.")
        if not typer.confirm("Push this?", default=False, err=True):
            raise CancelledError("Nothing was pushed.", "What was made is kept on this machine.")
    address = send(workspace, plan)
    say(f"Pushed: {plan.address}")
    return address


def push_model(
    workspace: Workspace, run: Path, repo: str, *, public: bool, licence: str | None, yes: bool
) -> str:
    """Push the model of a fine-tuning run; see :func:`push_plan`."""
    from crowdselect.pipeline.push import plan_model_push  # it loads every stage

    plan = plan_model_push(workspace, run, repo, public=public, licence=licence)
    return push_plan(workspace, plan, yes=yes)
