"""Write the reference part of docs/cli.md from the commands themselves.

    python scripts/write_cli_docs.py

What stands above the marker is written by hand and kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from typer.main import get_command

from crowdselect.cli import STAGES, app_of

DOCS = Path(__file__).parents[1] / "docs" / "cli.md"
MARKER = "<!-- Below: written by scripts/write_cli_docs.py -->\n"


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with the words that call it, in the order of --help."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


def reference() -> str:
    """The generated part: a section per command."""
    return "\n".join(
        section(path, command) for path, command in commands(get_command(app_of(STAGES)))
    )


def section(path: tuple[str, ...], command: Any) -> str:
    """One command: what it does, examples, arguments and options."""
    line = " ".join(("crowdselect", *path))
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option"]
    usage = " ".join([line, *(argument_name(p) for p in arguments), "[OPTIONS]"])
    examples = [text for text in (command.epilog or "").split("\n\n") if text != "Example:"]
    rows = [f"| `{argument_name(p)}` | {cell(p.help)} |" for p in arguments]
    rows += [f"| {names(p)} | {cell(p.help)}{choices(p)}{default(p)} |" for p in options]
    return "\n".join(
        [
            f"### `{line}`",
            " ".join((command.help or "").split()),
            "",
            f"    {usage}",
            "",
            "```",
            *examples,
            "```",
            "",
            "| | |",
            "|---|---|",
            *rows,
            "",
        ]
    )


def argument_name(parameter: Any) -> str:
    """The name that --help shows for an argument."""
    return str(parameter.metavar or parameter.name.upper())


def names(parameter: Any) -> str:
    """``--long``, ``-s``: the long name first."""
    every = [*parameter.opts, *parameter.secondary_opts]
    return ", ".join(f"`{name}`" for name in sorted(every, key=lambda n: (n[:2] != "--", n)))


def choices(parameter: Any) -> str:
    """What it takes one of, where its help does not name them."""
    kind = parameter.type_descriptor.annotation
    found = [str(c) for c in get_args(kind)] if get_origin(kind) is Literal else []
    return "" if all(c in (parameter.help or "") for c in found) else f" ({', '.join(found)})"


def default(parameter: Any) -> str:
    """The default, where there is one worth knowing."""
    value = parameter.default
    if value in (None, "", False, True) or callable(value):
        return ""
    return f" (default `{value}`)"


def cell(text: str | None) -> str:
    """``text`` inside a Markdown table."""
    return " ".join((text or "").split()).replace("|", "\\|")


def main() -> None:
    """Replace what stands below the marker."""
    head = DOCS.read_text(encoding="utf-8").split(MARKER)[0]
    DOCS.write_text(head + MARKER + "\n" + reference(), encoding="utf-8")


if __name__ == "__main__":
    main()
