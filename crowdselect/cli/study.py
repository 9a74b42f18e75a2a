"""``crowdselect study``: does choosing help? Arms x grid x seeds, compared honestly."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crowdselect.cli.follow import run_job
from crowdselect.cli.groups import RunByDefault
from crowdselect.cli.options import DetachOption, JsonOption, WorkspaceOption, example
from crowdselect.cli.terminal import plain, print_json, print_table, say, tell
from crowdselect.engines import GPUS_EACH, Engine
from crowdselect.settings import open_workspace, shipped_study

if TYPE_CHECKING:
    from crowdselect.pipeline.study import StudyResult

group = typer.Typer(
    cls=RunByDefault,
    help="Train and test what several recipes choose, over seeds. FILE alone means: run FILE.",
    no_args_is_help=True,
)

TestOption = Annotated[
    bool, typer.Option("--test", help="The test questions, not those that recipes are tuned on")
]
NameArgument = Annotated[str, typer.Argument(metavar="STUDY", help="Name of a study")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="study")


@group.command(
    "run",
    epilog=example(
        "crowdselect study run studies/demo.toml --workers 2",
        "crowdselect study run studies/demo.toml --test",
        "crowdselect study run studies/gate.toml --crowd mine --judge ArmoRM --model ./my-model "
        "--development heldout-loss:path=dev.jsonl --test-on heldout-loss:path=test.jsonl",
    ),
)
def run(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A study as TOML (docs/studies.md)")],
    test: TestOption = False,
    again: Annotated[
        str, typer.Option(help="Why test questions that were looked at are looked at once more")
    ] = "",
    crowd: Annotated[str | None, typer.Option(help="Another crowd than the file's")] = None,
    model: Annotated[
        str | None, typer.Option(help="Another model to train: a folder or a hub id")
    ] = None,
    judge: Annotated[
        str | None, typer.Option(help="Another judge than the file's common recipe names")
    ] = None,
    development: Annotated[
        str | None,
        typer.Option(
            metavar="NAME[:OPTION=VALUE,...]", help="Another benchmark that recipes are tuned on"
        ),
    ] = None,
    test_on: Annotated[
        str | None,
        typer.Option(metavar="NAME[:OPTION=VALUE,...]", help="Another benchmark that is reported"),
    ] = None,
    seeds: Annotated[int | None, typer.Option(help="Another number of seeds", min=1)] = None,
    name: Annotated[str | None, typer.Option(help="Another name; else the file's")] = None,
    arm: Annotated[
        list[str] | None, typer.Option(help="Only this arm and the baselines; repeatable")
    ] = None,
    workers: Annotated[
        int,
        typer.Option(
            help="Cells at once, each on a core, or on a GPU where there are several",
            min=1,
            max=256,
        ),
    ] = 1,
    engine: Annotated[
        Engine,
        typer.Option(help="Who works: processes of this machine, or a pool of Ray workers"),
    ] = "local",
    gpus_each: Annotated[
        float | None,
        typer.Option(help=f"{GPUS_EACH.help}", min=0.01, max=64),
    ] = None,
    detach: DetachOption = False,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Run a study, or what of it is not done: select, fine-tune, benchmark, compare."""
    from crowdselect.pipeline.study import (
        create,
        find_study,
        only_arms,
        power_line,
        read_plan,
        read_study,
    )

    given = open_workspace(workspace)
    plan = read_plan(
        shipped_study(file),
        crowd=crowd,
        model=model,
        judge=judge,
        seeds=seeds,
        name=name,
        development=development,
        test=test_on,
    )
    plan = only_arms(plan, arm or [])
    split = "test" if test else "development"
    path = create(
        given, plan, split, workers=workers, engine=engine, gpus_each=gpus_each, again=again
    )
    study = find_study(given, plan.name)
    say(power_line(study, split))
    run_job(path, detach=detach, as_json=json)
    if not detach:
        _show(read_study(study, split), json)


@group.command(
    "show",
    epilog=example("crowdselect study show demo --test", "crowdselect study show demo --markdown"),
)
def show(
    name: NameArgument,
    test: TestOption = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="As a table in Markdown, for a text of one's own")
    ] = False,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Show a study as it stands: rows, differences to the baselines, everything tried."""
    from crowdselect.pipeline.study import find_study, read_study

    study = find_study(open_workspace(workspace), name)
    found = read_study(study, "test" if test else "development")
    if markdown and not json:
        for line in (*_markdown(found), "", *found.looked(), *found.warnings, found.power):
            tell(line)
        return
    _show(found, json)


@group.command("list", epilog=example("crowdselect study list"))
def list_(workspace: WorkspaceOption = None, json: JsonOption = False) -> None:
    """List the studies of the workspace."""
    from crowdselect.pipeline.study import find_study, study_names

    given = open_workspace(workspace)
    plans = [find_study(given, name).plan for name in study_names(given)]
    if json:
        return print_json([plan.model_dump(mode="json") for plan in plans])
    rows = [(p.name, p.title, p.crowd, len(p.arms), len(p.seeds)) for p in plans]
    print_table(("study", "title", "crowd", "arms", "seeds"), rows)
    return None


def _show(result: StudyResult, as_json: bool) -> None:
    if as_json:
        return print_json(plain(result))
    rows = [
        (
            row.label,
            "" if row.rows is None else row.rows,
            f"{row.done} of {row.planned}",
            *(("", "") if math.isnan(row.interval.value) else (
                f"{row.interval.value:.3f}", f"{row.interval.low:.3f} to {row.interval.high:.3f}"
            )),
        )
        for row in result.rows
    ]  # fmt: skip
    columns = ("arm", "rows", "seeds", result.unit or "score", "95 % interval")
    print_table(columns, rows, title=f"{result.plan.title or result.plan.name}, {result.split}")
    for sentence in result.sentences():
        tell(sentence)
    return say(result.power)


def _markdown(result: StudyResult) -> list[str]:
    """The rows, with a column per baseline for the differences to it."""
    baselines = result.plan.baselines
    differences = {b: {d.first: d for d in result.against(b)} for b in baselines}
    over = f"p (Holm over {result.corrected_over})"
    heads = ["arm", "rows", "seeds", result.unit or "score", "95 % interval"]
    heads += [text for b in baselines for text in (f"difference to {b}", over)]
    lines = [heads, ["---", *["---:"] * 3, "---", *["---", "---:"] * len(baselines)]]
    for row in result.rows:
        value = row.interval
        told = ("", "") if math.isnan(value.value) else (
            f"{value.value:.3f}", f"{value.low:.3f} to {value.high:.3f}"
        )  # fmt: skip
        cells = [row.label, "" if row.rows is None else f"{row.rows:,}", str(row.done), *told]
        for found in (differences[b].get(row.label) for b in baselines):
            cells += ["", ""] if found is None else [found.size(), f"{found.adjusted_p:.2g}"]
        lines.append(cells)
    return ["| " + " | ".join(c.replace("|", "\\|") for c in line) + " |" for line in lines]
