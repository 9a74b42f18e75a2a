"""The command line: ``crowdselect COMMAND``; one file per stage, listed in ``STAGES``.

A stage's file has a function ``register(app)`` that adds its commands. Results go to stdout
(``--json``: exactly one JSON document), everything else to stderr. An error that a person can mend
is two lines, the problem and the remedy, and exit code 2; any other error is a bug and keeps its
traceback.
"""

from __future__ import annotations

import functools
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from typer.main import get_command

from crowdselect import __version__, logs
from crowdselect.cli.options import WorkspaceOption
from crowdselect.cli.terminal import be_quiet, complain
from crowdselect.errors import CancelledError, CrowdSelectError, InputError, of_the_disk
from crowdselect.settings import LOG_VARIABLE, WORKSPACE_VARIABLE, LogForm, log_form

STAGES = (
    "ingest",
    "crowd",
    "metrics",
    "landscape",
    "select",
    "selection",
    "compare",
    "export",
    "finetune",
    "score",
    "benchmark",
    "study",
    "run",
    "workspace",
    "plugins",
    "serve",
    "mcp",
    "demo",
    "doctor",
)
"""Modules of this package that register commands, in the order of ``--help``."""
AT_ONCE = ("serve",)
"""Those whose command is wanted at once: called by their name, they alone are imported."""

STOPPED = 130
"""Exit code after Ctrl-C, as shells have it."""


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


def _root(
    workspace: WorkspaceOption = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print results and errors only")
    ] = False,
    verbose: Annotated[
        int, typer.Option("--verbose", "-v", count=True, help="Log what is done; twice: details")
    ] = 0,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version"),
    ] = False,
) -> None:
    """Options before the command: --workspace means the same as after it."""
    if workspace is not None:
        os.environ[WORKSPACE_VARIABLE] = str(workspace)
    if quiet and verbose:
        raise InputError("--quiet and --verbose exclude each other.", "Give one of them.")
    be_quiet(quiet)
    if quiet or verbose:
        level = "ERROR" if quiet else "INFO" if verbose == 1 else "DEBUG"
        os.environ[LOG_VARIABLE] = str(LogForm(log_form().as_json, level))
    logs.set_up()


@functools.cache
def app_of(stages: tuple[str, ...]) -> typer.Typer:
    """The command line that these modules register."""
    made = typer.Typer(
        name="crowdselect",
        help="Choose the instructions worth fine-tuning on, by a crowd of language models.",
        no_args_is_help=True,
        add_completion=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    made.callback()(_root)
    for stage in stages:
        importlib.import_module(f"crowdselect.cli.{stage}").register(made)
    return made


def _stages(arguments: Sequence[str] | None) -> tuple[str, ...]:
    first = tuple(sys.argv[1:] if arguments is None else arguments)[:1]
    return first if first and first[0] in AT_ONCE else STAGES


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code (0 done, 2 bad input, 130 stopped by the user)."""
    before = {name: os.environ.get(name) for name in (WORKSPACE_VARIABLE, LOG_VARIABLE)}
    try:
        return _run(arguments)
    finally:
        be_quiet(False)
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _run(arguments: Sequence[str] | None) -> int:
    try:
        code = get_command(app_of(_stages(arguments))).main(
            arguments, prog_name="crowdselect", standalone_mode=False
        )
    except CancelledError as error:
        return _complain(error, STOPPED)
    except CrowdSelectError as error:
        return _complain(error, 2)
    except typer.TyperException as error:
        return _complain(_usage(error), 2)
    except OSError as error:
        told = of_the_disk(error)
        if told is None:
            raise
        return _complain(told, 2)
    except (KeyboardInterrupt, typer.Abort):
        return _complain(CancelledError(), STOPPED)
    if code == STOPPED:
        return _complain(CancelledError(), STOPPED)
    return code if isinstance(code, int) else 0


def _complain(error: CrowdSelectError, code: int) -> int:
    complain(f"Error: {error.problem}")
    complain(error.remedy)
    return code


def _usage(error: typer.TyperException) -> CrowdSelectError:
    """A mistyped command line, in our two lines."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "crowdselect"
    problem = " ".join(error.format_message().split())
    return CrowdSelectError(problem or "No command was given.", f"See {command} --help.")
