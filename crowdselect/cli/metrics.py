"""``crowdselect metrics``: numbers per instruction, summarised or written to a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import typer

from crowdselect.cli.options import CrowdArgument, JsonOption, WorkspaceOption, example
from crowdselect.cli.tables import InertOption, write_table
from crowdselect.cli.terminal import print_json, print_table, progress, say
from crowdselect.settings import open_workspace

if TYPE_CHECKING:
    from crowdselect.pipeline import MetricInfo
    from crowdselect.values import FloatArray


def register(app: typer.Typer) -> None:
    """Add the command."""
    examples = example(
        "crowdselect metrics zoo --out metrics.parquet",
        "crowdselect metrics zoo --metric difficulty@all --metric length:response:tokens",
        "crowdselect metrics zoo --list",
    )
    app.command("metrics", epilog=examples)(metrics)


def metrics(
    crowd: CrowdArgument,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            "--metric",
            "-m",
            help="METRIC, METRIC:OPTION, METRIC@JUDGE, METRIC@all; repeatable; "
            "else difficulty, separability and stability",
        ),
    ] = None,
    judge: Annotated[
        str | None, typer.Option(help="Reward model; 'all': ranks combined; else the first")
    ] = None,
    profile: Annotated[
        Literal["paper", "reference"], typer.Option(help="reference: as the published code does")
    ] = "paper",
    out: Annotated[Path | None, typer.Option(help="Write id and columns: .parquet, .csv")] = None,
    no_formulas: InertOption = False,
    list_: Annotated[bool, typer.Option("--list", help="List what can be computed")] = False,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Compute difficulty, separability, stability and other metrics of a crowd."""
    from crowdselect import pipeline

    found = pipeline.open_crowd(open_workspace(workspace), crowd)
    if list_:
        return _list(pipeline.available_metrics(found), json)
    with progress() as report:
        scores = pipeline.metrics(found, metric, judge, profile, report)
    if out is not None:
        write_table(out, {"id": scores.ids, **scores.columns}, no_formulas=no_formulas)
        say(f"Wrote {found.n:,} rows to {out}.")
    rows = [{"metric": name, **summary(values)} for name, values in scores.columns.items()]
    if json:
        return print_json({"crowd": crowd, "judge": judge, "metrics": rows, "out": out})
    return print_table(tuple(rows[0]), [tuple(row.values()) for row in rows])


def summary(values: FloatArray) -> dict[str, Any]:
    """Count, missing and the shape of a column."""
    there = values[~np.isnan(values)]
    cuts = np.quantile(there, [0, 0.5, 1]) if len(there) else np.full(3, np.nan)
    names = ("least", "median", "most")
    return {
        "n": len(there),
        "missing": len(values) - len(there),
        "mean": float(there.mean()) if len(there) else float("nan"),
        **dict(zip(names, map(float, cuts), strict=True)),
        "distinct": len(np.unique(there)),
    }


def _list(infos: tuple[MetricInfo, ...], as_json: bool) -> None:
    if as_json:
        return print_json([{**info.__dict__, "options": [o.name for o in info.options]}
                           for info in infos])  # fmt: skip
    rows = [
        (i.name, i.direction, i.unit, f"[{i.range[0]:g}, {i.range[1]:g}]", i.source) for i in infos
    ]
    return print_table(("metric", "direction", "unit", "range", "source"), rows)
