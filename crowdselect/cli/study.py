"""``crowdselect study``: does choosing help? Arms x grid x seeds, compared honestly."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crowdselect.cli.follow import run_job
from crowdselect.cli.groups import RunByDefault
from crowdselect.cli.options import DetachOption, JsonOption, WorkspaceOption, example
from crowdselect.cli.terminal import plain, print_json, print_table, say, tell
from crowdselect.engines import GPUS_EACH, Engine
from crowdselect.errors import InputError
from crowdselect.settings import Workspace, open_workspace, shipped_study
from crowdselect.tracking import TRACKERS

if TYPE_CHECKING:
    from crowdselect.benchmark import Interval
    from crowdselect.pipeline.study import StudyPlan, StudyResult

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


FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="A study as TOML (docs/studies.md)")
]
CrowdOption = Annotated[str | None, typer.Option(help="Another crowd than the file's")]
ModelOption = Annotated[
    str | None, typer.Option(help="Another model to train: a folder or a hub id")
]
JudgeOption = Annotated[
    str | None, typer.Option(help="Another judge than the file's common recipe names")
]
DevelopmentOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME[:OPTION=VALUE,...]", help="Another benchmark that recipes are tuned on"
    ),
]
TestOnOption = Annotated[
    str | None,
    typer.Option(metavar="NAME[:OPTION=VALUE,...]", help="Another benchmark that is reported"),
]
SeedsOption = Annotated[int | None, typer.Option(help="Another number of seeds", min=1)]
OtherNameOption = Annotated[str | None, typer.Option(help="Another name; else the file's")]
ArmOption = Annotated[
    list[str] | None, typer.Option(help="Only this arm and the baselines; repeatable")
]
WorkersOption = Annotated[
    int,
    typer.Option(
        help="Cells at once, each on a core, or on a GPU where there are several", min=1, max=256
    ),
]
EngineOption = Annotated[
    Engine, typer.Option(help="Who works: processes of this machine, or a pool of Ray workers")
]
GpusEachOption = Annotated[float | None, typer.Option(help=GPUS_EACH.help, min=0.01, max=64)]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Say what it takes and can show, and do nothing")
]


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
    file: FileArgument,
    test: TestOption = False,
    again: Annotated[
        str, typer.Option(help="Why test questions that were looked at are looked at once more")
    ] = "",
    crowd: CrowdOption = None,
    model: ModelOption = None,
    judge: JudgeOption = None,
    development: DevelopmentOption = None,
    test_on: TestOnOption = None,
    seeds: SeedsOption = None,
    name: OtherNameOption = None,
    arm: ArmOption = None,
    workers: WorkersOption = 1,
    engine: EngineOption = "local",
    gpus_each: GpusEachOption = None,
    report_to: Annotated[
        list[str] | None, typer.Option(help=f"{', '.join(TRACKERS)}; repeatable")
    ] = None,
    dry_run: DryRunOption = False,
    detach: DetachOption = False,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Run a study, or what of it is not done: select, fine-tune, benchmark, compare."""
    from crowdselect.pipeline import study as studies

    given = open_workspace(workspace)
    plan = _plan_of(
        file, arm, crowd=crowd, model=model, judge=judge, seeds=seeds, name=name,
        development=development, test=test_on, report_to=report_to,
    )  # fmt: skip
    split = "test" if test else "development"
    if dry_run:
        return _say_first(given, plan, split, workers, json)
    path = studies.create(
        given, plan, split, workers=workers, engine=engine, gpus_each=gpus_each, again=again
    )
    study = studies.find_study(given, plan.name)
    say(studies.power_line(study, split))
    say(studies.cost_of(study, split, workers).sentence())
    run_job(path, detach=detach, as_json=json)
    if not detach:
        _show(studies.read_study(study, split), json)
    return None


@group.command(
    "tune",
    epilog=example(
        "crowdselect study tune studies/tuned.toml --workers 2",
        "crowdselect study tune studies/tuned.toml --arm 'tuned by a datamodel' --dry-run",
    ),
)
def tune(
    file: FileArgument,
    crowd: CrowdOption = None,
    model: ModelOption = None,
    judge: JudgeOption = None,
    development: DevelopmentOption = None,
    seeds: SeedsOption = None,
    name: OtherNameOption = None,
    arm: ArmOption = None,
    workers: WorkersOption = 1,
    engine: EngineOption = "local",
    gpus_each: GpusEachOption = None,
    dry_run: DryRunOption = False,
    detach: DetachOption = False,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Fit the arms with a [arms.tune] on the development questions, and save their recipes.

    The test is not touched: study run FILE --test reports it, and trains nothing twice.
    """
    from crowdselect.pipeline import study as studies

    given = open_workspace(workspace)
    plan = _plan_of(
        file, arm, crowd=crowd, model=model, judge=judge, seeds=seeds, name=name,
        development=development,
    )  # fmt: skip
    if not any(each.tune is not None for each in plan.arms):
        raise InputError(
            f"No arm of {file} is to be fitted.", "Give one a tune: see docs/studies.md."
        )
    if dry_run:
        return _say_first(given, plan, "development", workers, json, only_fit=True)
    path = studies.create(
        given, plan, workers=workers, engine=engine, gpus_each=gpus_each, only_fit=True
    )
    study = studies.find_study(given, plan.name)
    say(studies.cost_of(study, "development", workers, only_fit=True).sentence())
    run_job(path, detach=detach, as_json=json)
    if detach:
        return None
    fitted = studies.fitted_rows(study, {}, 0)
    if json:
        return print_json(plain(fitted))
    for each in fitted:
        tell(each.sentence())
        say(f"  {studies.in_words(each.recipe)}")
    return None


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


def _plan_of(file: Path, arms: list[str] | None, **other: Any) -> StudyPlan:
    """The study of a file, or one of those that ship, with what was given otherwise."""
    from crowdselect.pipeline import study as studies

    return studies.only_arms(studies.read_plan(shipped_study(file), **other), arms or [])


def _say_first(
    workspace: Workspace,
    plan: StudyPlan,
    split: str,
    workers: int,
    as_json: bool,
    *,
    only_fit: bool = False,
) -> None:
    """What a study takes and can show, without writing anything."""
    from crowdselect.pipeline import study as studies

    study = studies.Study(workspace, plan)
    power = "What it can show is known once its questions are taken out of the crowd."
    if plan.split is None:
        studies.check_plan(plan, split)
        power = studies.power_line(study, split)
    cost = studies.cost_of(study, split, workers, only_fit=only_fit)
    if as_json:
        return print_json({**plain(cost), "sentence": cost.sentence(), "power": power})
    tell(cost.sentence())
    return tell(power)


def _show(result: StudyResult, as_json: bool) -> None:
    if as_json:
        return print_json(plain(result))
    rows = [
        (
            row.label,
            "" if row.rows is None else row.rows,
            f"{row.done} of {row.planned}",
            *_cells(row.interval),
        )
        for row in result.rows
    ]
    columns = ("arm", "rows", "seeds", result.unit or "score", "95 % interval")
    print_table(columns, rows, title=f"{result.plan.title or result.plan.name}, {result.split}")
    for sentence in result.sentences():
        tell(sentence)
    return say(result.power)


def _cells(found: Interval) -> tuple[str, str]:
    """A mean and its interval; empty where nothing is known yet."""
    if math.isnan(found.value):
        return "", ""
    return f"{found.value:.3f}", f"{found.low:.3f} to {found.high:.3f}"


def _markdown(result: StudyResult) -> list[str]:
    """The rows, with a column per baseline for the differences to it."""
    baselines = result.plan.baselines
    differences = {b: {d.first: d for d in result.against(b)} for b in baselines}
    over = f"p (Holm over {result.corrected_over})"
    heads = ["arm", "rows", "seeds", result.unit or "score", "95 % interval"]
    heads += [text for b in baselines for text in (f"difference to {b}", over)]
    lines = [heads, ["---", *["---:"] * 3, "---", *["---", "---:"] * len(baselines)]]
    for row in result.rows:
        rows = "" if row.rows is None else f"{row.rows:,}"
        cells = [row.label, rows, str(row.done), *_cells(row.interval)]
        for found in (differences[b].get(row.label) for b in baselines):
            cells += ["", ""] if found is None else [found.size(), f"{found.adjusted_p:.2g}"]
        lines.append(cells)
    return ["| " + " | ".join(c.replace("|", "\\|") for c in line) + " |" for line in lines]
