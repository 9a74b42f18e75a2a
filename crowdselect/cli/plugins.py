"""``crowdselect plugins``: what can be chosen, with the options that each declares."""

from __future__ import annotations

import importlib
from typing import Annotated, Any

import typer

from crowdselect.cli.options import JsonOption, example
from crowdselect.cli.terminal import print_json, print_table
from crowdselect.errors import NotFoundError
from crowdselect.registry import did_you_mean, options_of

SHELVES = {
    "sources": "crowdselect.ingest:SOURCES",
    "metrics": "crowdselect.metrics:METRICS",
    "encoders": "crowdselect.landscape:ENCODERS",
    "strategies": "crowdselect.selection:STRATEGIES",
    "formats": "crowdselect.export:FORMATS",
    "scorers": "crowdselect.scoring:SCORERS",
    "benchmarks": "crowdselect.benchmark:BENCHMARKS",
}
"""Kind -> its registry."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    examples = example("crowdselect plugins strategies", "crowdselect plugins --json")
    app.command("plugins", epilog=examples)(plugins)


def plugins(
    kind: Annotated[
        str | None, typer.Argument(metavar="[KIND]", help=f"One of: {', '.join(SHELVES)}")
    ] = None,
    json: JsonOption = False,
) -> None:
    """List everything that can be chosen by name, with its options."""
    if kind is not None and kind not in SHELVES:
        raise NotFoundError(f"There is no kind {kind!r}.", did_you_mean(kind, SHELVES))
    found = {
        shelf: [describe(p) for p in load(shelf)] for shelf in SHELVES if kind in (None, shelf)
    }
    if json:
        return print_json(found)
    for shelf, described in found.items():
        rows = [
            (p["name"], p["title"], ", ".join(f"{o['name']}={o['default']}" for o in p["options"]))
            for p in described
        ]
        print_table((shelf, "", "options"), rows)
    return None


def load(shelf: str) -> Any:
    """The registry of a kind; imported only when it is asked for."""
    module, name = SHELVES[shelf].split(":")
    return getattr(importlib.import_module(module), name)


def describe(plugin: Any) -> dict[str, Any]:
    """A plug-in's name, title and options."""
    options = [
        {"name": o.name, "default": o.default, "help": o.help, "choices": o.choices}
        for o in options_of(plugin)
    ]
    return {"name": plugin.name, "title": plugin.title, "options": options}
