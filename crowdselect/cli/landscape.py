"""``crowdselect landscape``: embed, cluster, name and map the instructions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import typer

from crowdselect import jobs
from crowdselect.cli.follow import run_job
from crowdselect.cli.options import (
    CrowdArgument,
    DetachOption,
    EncoderOption,
    JsonOption,
    SeedOption,
    WorkspaceOption,
    example,
    option_parameters,
    values_of,
    with_declared,
)
from crowdselect.cli.tables import InertOption, write_table
from crowdselect.cli.terminal import print_json, print_table, progress, say
from crowdselect.engines import OnEngine
from crowdselect.options import options_of
from crowdselect.settings import open_workspace

if TYPE_CHECKING:
    from crowdselect.pipeline import Landscape
    from crowdselect.store import Crowd


WHERE = options_of(OnEngine)


def register(app: typer.Typer) -> None:
    """Add the command."""
    examples = example(
        "crowdselect landscape zoo --clusters 10",
        "crowdselect landscape zoo --plane --out map.parquet",
        "crowdselect landscape zoo --encoder lsa",
        "crowdselect landscape zoo --engine ray --workers 8 --gpus-each 0.5",
    )
    declared = with_declared(landscape, option_parameters(WHERE))
    app.command("landscape", epilog=examples)(declared)


def landscape(
    crowd: CrowdArgument,
    given: dict[str, Any],
    encoder: EncoderOption = None,
    clusters: Annotated[int, typer.Option("--clusters", "-k", min=1, help="How many")] = 10,
    plane: Annotated[bool, typer.Option("--plane", help="Also map to two dimensions")] = False,
    method: Annotated[
        Literal["exact", "fast"], typer.Option(help="exact: k-means with n_init=20")
    ] = "exact",
    seed: SeedOption = 42,
    out: Annotated[
        Path | None,
        typer.Option(help="Write id, text, cluster (and x, y): .parquet, .csv, .jsonl"),
    ] = None,
    no_formulas: InertOption = False,
    trust_remote_code: Annotated[
        bool, typer.Option(help="Run Python code that comes with the encoder's model")
    ] = False,
    detach: DetachOption = False,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Embed and cluster the instructions, name the clusters; everything is cached."""
    from crowdselect import pipeline
    from crowdselect.landscape import default_encoder

    folder = open_workspace(workspace)
    found = pipeline.open_crowd(folder, crowd)
    options: dict[str, Any] = {
        "encoder": encoder or default_encoder(),
        "clusters": clusters,
        "plane": plane,
        "method": method,
        "seed": seed,
        "trust_remote_code": trust_remote_code,
    }
    where = OnEngine.parse(values_of(WHERE, given), "the command")
    if detach:
        path = jobs.create(folder, "landscape", {"crowd": crowd, **options, **where.model_dump()})
        run_job(path, detach=True, as_json=json)
        return None
    with progress() as report:
        made = pipeline.landscape(found, **options, progress=report, pool=where.pool)
    if out is not None:
        write_table(out, columns_of(found, made), no_formulas=no_formulas)
        say(f"Wrote {found.n:,} rows to {out}.")
    return _show(found, made, as_json=json)


def columns_of(crowd: Crowd, made: Landscape) -> dict[str, Any]:
    """One row per instruction, for a file or another tool's map."""
    labels = made.clustering.labels
    names = np.array([*made.clustering.names, "unclustered"], dtype=object)
    columns = {
        "id": crowd.ids,
        "text": crowd.instruction_texts(),
        "cluster": labels,
        "cluster_name": names[labels],
    }
    if made.plane is not None:
        columns |= {"x": made.plane.xy[:, 0], "y": made.plane.xy[:, 1]}
    return columns


def _show(crowd: Crowd, made: Landscape, *, as_json: bool) -> None:
    sizes = np.bincount(made.clustering.labels[made.clustering.labels >= 0])
    rows = [
        {"cluster": label, "instructions": int(sizes[label]), "name": name}
        for label, name in enumerate(made.clustering.names)
    ]
    if as_json:
        return print_json(
            {
                "crowd": crowd.name,
                "encoder": made.clustering.encoder,
                "seed": made.clustering.seed,
                "dimensions": made.vectors.shape[1],
                "inertia": made.clustering.inertia,
                "warning": made.clustering.warning,
                "without_vector": int((made.clustering.labels < 0).sum()),
                "clusters": rows,
                "plane": made.plane is not None,
            }
        )
    size = made.vectors.shape[1]
    if made.clustering.warning:
        say(made.clustering.warning)
    say(f"{crowd.n:,} instructions, {size} dimensions by {made.clustering.encoder}.")
    without = int((made.clustering.labels < 0).sum())
    if without and rows:
        say(f"{without:,} of them have no vector (no words) and are in no cluster.")
    return print_table(tuple(rows[0]) if rows else (), [tuple(row.values()) for row in rows])
