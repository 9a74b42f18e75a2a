"""``crowdselect selection rows`` and ``crowdselect crowd rows``: instructions as a list."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crowdselect.cli.options import (
    CrowdArgument,
    EncoderOption,
    JsonOption,
    SelectionArgument,
    WorkspaceOption,
    example,
    option_parameters,
    values_of,
    with_declared,
)
from crowdselect.cli.recipe import FILTER
from crowdselect.cli.tables import InertOption, write_table
from crowdselect.cli.terminal import print_json, print_table, progress, say
from crowdselect.errors import InputError
from crowdselect.filters import FILTERS, Filters
from crowdselect.settings import open_workspace
from crowdselect.values import Recipe

if TYPE_CHECKING:
    from crowdselect.pipeline import Listing, Session

LISTING = [declared for declared in FILTERS if declared.leaves_out is not None]
"""Filters that say what is listed; duplicates are dropped when selecting."""
SearchOption = Annotated[str | None, typer.Option(help="Only rows that hold all these words")]
SortOption = Annotated[
    str | None,
    typer.Option(help="rank, score, reward, tied, a metric, 'share of METRIC' or a column"),
]
DescendingOption = Annotated[bool, typer.Option("--descending", help="Highest first")]
LimitOption = Annotated[int, typer.Option(min=0, help="Lines to print; --out and --json have all")]
OutOption = Annotated[Path | None, typer.Option(help="Write all: .parquet, .csv or .jsonl")]


def register_selection(group: typer.Typer) -> None:
    """Add ``rows`` to the commands on saved selections."""
    examples = example(
        "crowdselect selection rows best-1000 --sort reward --limit 50",
        "crowdselect selection rows best-1000 --where kind=code --unmarked reviewed --out code.csv",
        "crowdselect selection rows best-1000 --not-shared-with random-1000",
    )
    group.command("rows", epilog=examples)(_listing(selection_rows))


def register_crowd(group: typer.Typer) -> None:
    """Add ``rows`` to the commands on crowds."""
    examples = example(
        "crowdselect crowd rows zoo --best-below 0 --sort difficulty --descending",
        "crowdselect crowd rows zoo --judges-apart 0 --out odd.csv",
    )
    group.command("rows", epilog=examples)(_listing(crowd_rows))


def _listing(function: Callable[..., None]) -> Any:
    declared = option_parameters(LISTING, given=True, prefix=FILTER, panel="Filters")
    return with_declared(function, declared)


def selection_rows(
    selection: SelectionArgument,
    given: dict[str, Any],
    not_shared_with: Annotated[
        str | None,
        typer.Option(metavar="SELECTION", help="Only what one of the two has and the other not"),
    ] = None,
    search: SearchOption = None,
    sort: SortOption = None,
    descending: DescendingOption = False,
    limit: LimitOption = 20,
    out: OutOption = None,
    no_formulas: InertOption = False,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """List a saved selection: rank, score, shares, reason, cluster, answer, reward and ties."""
    from crowdselect import pipeline

    folder = open_workspace(workspace)
    saved = pipeline.find_selection(folder, selection)
    session = pipeline.Session(pipeline.open_crowd(folder, saved.recipe.crowd))
    found = pipeline.list_saved(session, pipeline.load_selection(folder, saved.id))
    if not_shared_with is not None:
        other = pipeline.find_selection(folder, not_shared_with)
        if other.recipe.crowd != saved.recipe.crowd:
            raise InputError(
                f"{saved.name} is of the crowd {saved.recipe.crowd}, {other.name} of "
                f"{other.recipe.crowd}.",
                "Name two selections of one crowd.",
            )
        second = pipeline.list_saved(session, pipeline.load_selection(folder, other.id))
        found = pipeline.unshared(found, second, (saved.name, other.name))
    found = _wanted(session, found, given, search, sort, descending)
    _show(found, limit, out, no_formulas, json)


def crowd_rows(
    crowd: CrowdArgument,
    given: dict[str, Any],
    judge: Annotated[
        str | None, typer.Option(help="Reward model; 'all': ranks combined; else the first")
    ] = None,
    encoder: EncoderOption = None,
    search: SearchOption = None,
    sort: SortOption = None,
    descending: DescendingOption = False,
    limit: LimitOption = 20,
    out: OutOption = None,
    no_formulas: InertOption = False,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """List a crowd's instructions that the filters keep, each with its best answer."""
    from crowdselect import pipeline
    from crowdselect.landscape import default_encoder

    session = pipeline.Session(pipeline.open_crowd(open_workspace(workspace), crowd))
    answer = "best" if session.crowd.judges else "random"
    recipe = Recipe(crowd=crowd, judge=judge, encoder=encoder or default_encoder(), answer=answer)
    found = pipeline.list_all(session, recipe)
    _show(_wanted(session, found, given, search, sort, descending), limit, out, no_formulas, json)


def _wanted(
    session: Session,
    found: Listing,
    given: dict[str, Any],
    search: str | None,
    sort: str | None,
    descending: bool,
) -> Listing:
    """What filters and search keep, sorted."""
    filters = Filters.parse(values_of(LISTING, given, FILTER), "The filters")
    with progress() as report:
        kept = session.listed(found.recipe, filters, report)
    if search:
        hits = session.crowd.search(search, limit=session.crowd.n)
        kept = kept & session.crowd.mask(hits.rows)
    found = found.take(kept[found.rows])
    return found if sort is None else found.sorted_by(sort, descending=descending)


def _show(found: Listing, limit: int, out: Path | None, no_formulas: bool, as_json: bool) -> None:
    if out is not None:
        write_table(out, found.columns(), no_formulas=no_formulas)
        say(f"Wrote {len(found):,} rows to {out}.")
    if as_json:
        return print_json({"n": len(found), "rows": found.frame().to_dict("records")})
    if out is not None:
        return None
    _print(found, limit)
    return say(
        f"{min(limit, len(found)):,} of {len(found):,} rows. Reasons, whole texts and the data's "
        "own columns: --json, or --out FILE."
    )


def _print(found: Listing, limit: int) -> None:
    """The columns that fit beside one another in a terminal."""
    shown = found.take(_first(found, limit))
    lines = shown.frame()
    table: dict[str, list[Any]] = {"only in": list(shown.only_in)} if shown.only_in else {}
    if (shown.ranks > 0).any():
        table |= {"rank": lines["rank"].fillna(0).tolist(), "id": lines["id"].tolist()}
        table["score"] = lines["score"].tolist()
        for name, values in shown.shares.items():
            table[name] = [f"{value:.0%}" for value in values.tolist()]
    else:
        table["id"] = lines["id"].tolist()
    table["cluster"] = [_short(name, 18) for name in lines["cluster"]]
    table["answer by"] = lines["model"].tolist()
    table |= {"reward": lines["reward"].tolist(), "tied": lines["tied"].tolist()}
    table["instruction"] = [_short(text, 36) for text in lines["instruction"]]
    print_table(tuple(table), list(zip(*table.values(), strict=True)))


def _short(text: str, most: int) -> str:
    words = " ".join(text.split())
    return words if len(words) <= most else words[: most - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _first(found: Listing, limit: int) -> Any:
    import numpy as np

    return np.arange(min(limit, len(found)))
