"""``crowdselect ingest SOURCE PATHS``: one command per source, its options from the source."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Annotated, Any

import typer

from crowdselect.cli.options import JsonOption, WorkspaceOption, example, option_parameters
from crowdselect.cli.terminal import print_json, progress, say, tell
from crowdselect.ingest import SOURCES, Source
from crowdselect.options import options_of
from crowdselect.settings import open_workspace

EXAMPLES = {
    "magpie": "crowdselect ingest magpie Magpie-Align/Magpie-100K-Generator-Zoo --name zoo",
    "alpaca-eval": "crowdselect ingest alpaca-eval alpaca_eval/results --name ae",
    "lima": "crowdselect ingest lima lima/train.jsonl --name lima",
    "sft": "crowdselect ingest sft alpaca.json --name mine",
    "table": "crowdselect ingest table rewards.csv --models models.csv --name mine",
}
group = typer.Typer(help="Read a crowd: instructions, models, responses and rewards.")


def register(app: typer.Typer) -> None:
    """Add one command per source."""
    for source in SOURCES:
        text = EXAMPLES.get(source.name, f"crowdselect ingest {source.name}")
        group.command(source.name, help=f"{source.title}.", epilog=example(text))(command(source))
    app.add_typer(group, name="ingest")


def command(source: type[Source]) -> Any:
    """The function behind ``ingest SOURCE``: common parameters and the source's own options."""
    own = option_parameters(options_of(source))

    def run(**given: Any) -> None:
        options = {p.name: given[p.name] for p in own}
        ingest(source.name, options=options, **{k: v for k, v in given.items() if k not in options})

    common = inspect.signature(ingest, eval_str=True).parameters
    kept = [p for name, p in common.items() if name not in ("source", "options")]
    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in (kept[0], *own, *kept[1:])]
    )
    return run


def ingest(
    source: str,
    options: dict[str, Any],
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH...",
            help="Files, folders, patterns, a hub id, or s3:// and gs:// addresses",
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the crowd; else from the path")] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace a crowd of this name; notes are kept")
    ] = False,
    memory: Annotated[str, typer.Option(help="Memory that the whole process may use")] = "2GB",
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Ingest and print the report."""
    from crowdselect import pipeline
    from crowdselect.cli.crowd import describe

    with progress() as report:
        crowd = pipeline.ingest(
            open_workspace(workspace),
            source,
            [Path(p) if Path(p).exists() else p for p in paths or []],
            name=name,
            options=options,
            replace=replace,
            memory=memory,
            progress=report,
        )
    if json:
        return print_json(describe(crowd))
    for line in crowd.report_lines():
        tell(line)
    return say(f"The crowd is called {crowd.name}; see: crowdselect crowd show {crowd.name}")
