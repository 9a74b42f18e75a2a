"""Options that several commands share, so that they read the same everywhere."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from crowdselect.errors import InputError
from crowdselect.registry import Option, options_of

WorkspaceOption = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        "-w",
        help="Folder of crowds, selections and runs; else $CROWDSELECT_WORKSPACE, else ./workspace",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout")]
CrowdArgument = Annotated[str, typer.Argument(metavar="CROWD", help="Name of a crowd")]
EncoderOption = Annotated[
    str | None,
    typer.Option(
        "--encoder",
        "-e",
        help="minilm, lsa, a hub id or a folder; else minilm where it is installed, else lsa",
        show_default=False,
    ),
]
SeedOption = Annotated[int, typer.Option("--seed", help="Seed of everything random")]
OptionsOption = Annotated[
    list[str] | None,
    typer.Option("--option", "-o", metavar="NAME=VALUE", help="A plug-in's own option; repeatable"),
]
ServerOption = Annotated[
    str | None,
    typer.Option(
        "--server",
        metavar="URL",
        help="OpenAI-compatible server of the model, such as http://127.0.0.1:8000/v1",
        show_default=False,
    ),
]
ConcurrencyOption = Annotated[
    int, typer.Option("--concurrency", help="Requests at once to a server", min=1, max=512)
]
ApiKeyOption = Annotated[
    str,
    typer.Option("--api-key-variable", help="Environment variable that holds the server's key"),
]
DetachOption = Annotated[
    bool, typer.Option("--detach", help="Start the job and return; follow it with run follow")
]


def example(*lines: str) -> str:
    """The examples under a command's help."""
    return "\n\n".join(("Example:", *lines))


def option_parameters(plugin: type[Any]) -> list[inspect.Parameter]:
    """The command line options that ``plugin`` declares, one parameter each."""
    parameters = []
    for declared in options_of(plugin):
        kind = declared.type if declared.type in (bool, int, float) else str
        flag = f"--{declared.name.replace('_', '-')}"
        choices = f" ({', '.join(declared.choices)})" if declared.choices else ""
        info = typer.Option(flag, help=declared.help + choices, show_default=bool(declared.default))
        parameters.append(
            inspect.Parameter(
                declared.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=declared.default,
                annotation=Annotated[kind, info],
            )
        )
    return parameters


def parse_options(plugin: type[Any], pairs: list[str] | None) -> dict[str, Any]:
    """Turn ``NAME=VALUE`` pairs into the typed options that ``plugin`` declares.

    Raises InputError for a pair without ``=``, an unknown name or a value of the wrong type.
    """
    known = {o.name: o for o in options_of(plugin)}
    parsed: dict[str, Any] = {}
    for pair in pairs or []:
        name, sign, text = pair.partition("=")
        name = name.strip().replace("-", "_")
        if not sign or name not in known:
            label = getattr(plugin, "name", plugin.__name__)
            raise InputError(
                f"{pair!r} is not an option of {label}.",
                f"Give NAME=VALUE; its options are: {', '.join(known) or 'none'}.",
            )
        parsed[name] = _typed(known[name], text.strip())
    return parsed


def _typed(option: Option, text: str) -> Any:
    kinds = get_args(option.type) or (option.type,)
    if bool in kinds and text.lower() in ("true", "yes", "1", "false", "no", "0"):
        return text.lower() in ("true", "yes", "1")
    for kind in (int, float):
        if kind in kinds:
            try:
                return kind(text)
            except ValueError:
                continue
    if type(None) in kinds and text.lower() in ("", "none"):
        return None
    if set(kinds) & {bool, int, float} and not set(kinds) & {str}:
        names = " or ".join(k.__name__ for k in kinds if k is not type(None))
        raise InputError(f"{option.name} is {text!r}.", f"Give a value of type {names}.")
    return text
