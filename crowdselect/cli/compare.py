"""``crowdselect compare``: what saved selections share and where they differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from crowdselect.cli.options import JsonOption, WorkspaceOption, example
from crowdselect.cli.terminal import print_json, print_table, progress
from crowdselect.settings import open_workspace

if TYPE_CHECKING:
    from crowdselect.pipeline import Comparison


def register(app: typer.Typer) -> None:
    """Add the command."""
    text = "crowdselect compare best-1000 random-1000"
    app.command("compare", epilog=example(text))(compare)


def compare(
    selections: Annotated[
        list[str], typer.Argument(metavar="SELECTION...", help="Two or more ids or names")
    ],
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Overlap (Jaccard), what differs, by cluster, length and responding model."""
    from crowdselect import pipeline

    with progress() as report:
        found = pipeline.compare(open_workspace(workspace), selections, report)
    if json:
        return print_json(found)
    return _show(found)


def _show(found: Comparison) -> None:
    names = [s.name for s in found.selections]
    print_table(
        ("Jaccard", *names),
        [(name, *map(float, row)) for name, row in zip(names, found.jaccard, strict=True)],
    )
    facts = zip(names, found.only, found.lengths, found.responders, strict=True)
    rows = []
    for saved, (name, only, lengths, responders) in zip(found.selections, facts, strict=True):
        medians = [lengths.get(k, {}).get("selected", {}).get("median") for k in
                   ("instruction", "response")]  # fmt: skip
        most = next(iter(responders.items()), ("", 0))
        rows.append((name, saved.n, len(only), *medians, f"{most[0]} ({most[1]:,})"))
    columns = ("selection", "rows", "only here", "tokens, median", "of responses", "most by")
    print_table(columns, rows)
    if found.recipe:
        fields = [(field, *map(str, values)) for field, values in found.recipe.items()]
        print_table(("recipe", *names), fields)
    if found.clusters:
        print_table(
            ("cluster", "name", "pool", *names),
            [(c["cluster"], c["name"], c["pool"], *c["selected"]) for c in found.clusters],
        )
