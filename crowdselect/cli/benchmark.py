"""``crowdselect benchmark``: what a model is worth, and runs compared fairly."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from crowdselect.benchmark import (
    BENCHMARKS,
    SHORTHANDS,
    BenchmarkConfig,
    BenchmarkView,
    JudgeConfig,
    ResultComparison,
    SubjectConfig,
    compare,
    create,
    estimate_cost,
    list_results,
    published_tables,
    read_results,
)
from crowdselect.cli import benchmark_judgments
from crowdselect.cli.follow import run_job
from crowdselect.cli.groups import RunByDefault
from crowdselect.cli.options import (
    DetachOption,
    JsonOption,
    WorkspaceOption,
    example,
    option_parameters,
    values_of,
    with_declared,
)
from crowdselect.cli.terminal import plain, print_json, print_table, say, say_damaged, tell
from crowdselect.errors import CrowdSelectError
from crowdselect.options import check_option, options_named, options_of, read_pairs
from crowdselect.servers import Cost
from crowdselect.settings import open_workspace

SUITES = (
    f"Repeatable. {', '.join([*BENCHMARKS.names(), *SHORTHANDS])}; options: crowdselect plugins "
    "benchmarks"
)
RUN = [
    dataclasses.replace(o, one=SUITES) if o.name == "suites" else o
    for o in options_of(BenchmarkConfig)
]
SUBJECT = [
    dataclasses.replace(o, required=False)
    for o in options_named(SubjectConfig, "name", "adapter", "endpoint", "chosen_on")
]
"""Without a name it is the run's or the model's."""
JUDGE = [
    dataclasses.replace(o, required=False)
    for o in options_named(JudgeConfig, "model", "kind", "base_url", "max_tokens")
]
"""Without a judge nothing is judged."""
OF_JUDGE = [o for o in options_of(JudgeConfig) if o.name not in ("model", "kind", "base_url")]
"""What --judge-option is for: the others have a flag of their own."""

group = typer.Typer(
    cls=RunByDefault,
    help="Test a model with intervals; compare runs fairly. MODEL alone means: run MODEL.",
    no_args_is_help=True,
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="benchmark")


def run(
    target: Annotated[
        str,
        typer.Argument(
            metavar="RUN_OR_MODEL", help="A fine-tuning run, a folder, a hub id, a served name"
        ),
    ],
    given: dict[str, Any],
    judge_option: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help=f"{', '.join(o.name for o in OF_JUDGE)}; prices of a million tokens; repeatable",
        ),
    ] = None,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Say what judging can cost at most, and stop")
    ] = False,
    workspace: WorkspaceOption = None,
    detach: DetachOption = False,
    json: JsonOption = False,
) -> None:
    """Run benchmarks on a model; resumes with crowdselect run resume."""
    from crowdselect.pipeline.benchmark import subject_of  # it loads every stage

    folder = open_workspace(workspace)
    asked = {
        "subject": subject_of(folder, target, **values_of(SUBJECT, given)),
        "judge": _judge(given, judge_option or []),
        **values_of(RUN, given),
    }
    config = BenchmarkConfig.parse(asked, "benchmark")
    if estimate:
        return _show_estimate(estimate_cost(config), json)
    path = create(folder, config)
    try:
        run_job(path, detach=detach, as_json=json)
    except CrowdSelectError:
        view = read_results(path)
        if view.outcomes:  # one benchmark's failure hides nobody else's result
            _show(view, json)
        raise
    return None if detach else _show(read_results(path), json)


group.command(
    "run",
    epilog=example(
        "crowdselect benchmark run RUN --suite verifiable --suite heldout-loss:path=dev.jsonl",
        "crowdselect benchmark ./model --suite mt-bench --judge gpt-4.1 --judge-option budget=5",
        "crowdselect benchmark ./model --suite gsm8k --suite mmlu --limit 50",
    ),
)(
    with_declared(
        run,
        [
            *option_parameters(RUN),
            *option_parameters(SUBJECT),
            *option_parameters(JUDGE, prefix="judge_"),
        ],
    )
)


def _show_estimate(found: dict[str, Cost], as_json: bool) -> None:
    if as_json:
        return print_json(found)
    rows = [
        (k, c.requests, c.prompt_tokens, c.completion_tokens, c.money) for k, c in found.items()
    ]
    columns = ("benchmark", "requests", "prompt tokens", "completion tokens", "cost")
    return print_table(columns, rows, title="At most")


def _judge(given: dict[str, Any], options: list[str]) -> dict[str, Any] | None:
    """A judge's config as given; None: no judge."""
    said = values_of(JUDGE, given, "judge_")
    if "model" not in said:
        return None
    for one in JUDGE:
        if one.name in said:
            check_option("benchmark", one, said[one.name])
    return {**said, **read_pairs(options_of(JudgeConfig), options, "a judge")}


@group.command("list", epilog=example("crowdselect benchmark list"))
def list_(workspace: WorkspaceOption = None, json: JsonOption = False) -> None:
    """List the benchmark runs with their headline scores, newest first."""
    from crowdselect import pipeline  # it loads every stage

    folder = open_workspace(workspace)
    views = list_results(folder)
    say_damaged(pipeline.damaged_runs(folder))
    if json:
        return print_json([_described(view) for view in views])
    rows = [
        (v.id, v.name, v.state, o.benchmark, h.value, h.low, h.high, o.n)
        for v in views
        for o in v.outcomes
        for h in [o.headline.interval]
    ]
    rows += [
        (v.id, v.name, v.state, "", math.nan, math.nan, math.nan, 0)
        for v in views
        if not v.outcomes
    ]
    columns = ("run", "model", "state", "benchmark", "score", "low", "high", "questions")
    return print_table(columns, rows)


@group.command(
    "show", epilog=example("crowdselect benchmark show benchmark-20260101-120000-a1b2c3")
)
def show(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="Id of a benchmark run")],
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Show every score of a run, by category too, with intervals and remarks."""
    _show(read_results(open_workspace(workspace), run_id), json)


@group.command(
    "compare",
    epilog=example(
        "crowdselect benchmark compare best-1000 random-1000",
        "crowdselect benchmark compare RUN RUN RUN --on verifiable --json",
    ),
)
def compare_(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...",
            help="Benchmark runs; or a fine-tuning run, a model or a selection that has some",
        ),
    ],
    on: Annotated[
        list[str] | None, typer.Option("--on", help="Only this benchmark; repeatable")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the random halves of the questions")] = 42,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Compare models: paired differences with intervals, corrected for several comparisons."""
    from crowdselect.pipeline.benchmark import benchmark_views

    views = benchmark_views(open_workspace(workspace), runs)
    found = compare(views, benchmarks=tuple(on or ()), seed=seed)
    if json:
        return print_json(_comparison(found))
    for each in found.benchmarks:
        rows = [
            (s.name, s.interval.value, s.interval.low, s.interval.high, s.seeds, s.questions)
            for s in each.scores
        ]
        columns = ("model", each.unit, "low", "high", "seeds", "questions")
        print_table(columns, rows, title=each.benchmark)
    for group in found.groups:
        if " #" in group.name:
            made_by = [v.config.subject.run or v.config.subject.model for v in group.views]
            tell(f"{group.name} is {', '.join(dict.fromkeys(made_by))}.")
    for sentence in found.sentences():
        tell(sentence)
    return None


@group.command(
    "published",
    epilog=example("crowdselect benchmark published --benchmark mt-bench --table 2"),
)
def published(
    table: Annotated[str | None, typer.Option(help="Only this table of its paper")] = None,
    benchmark: Annotated[str | None, typer.Option(help="Only this benchmark")] = None,
    model: Annotated[str | None, typer.Option(help="Only this base model")] = None,
    json: JsonOption = False,
) -> None:
    """Show the papers' own results with their sources; never comparable digit by digit."""
    wanted = {"table": table, "benchmark": benchmark, "model": model}
    found = []
    for study, frame in published_tables().items():
        kept = frame
        for column, value in wanted.items():
            kept = kept if value is None else kept[kept[column] == value]
        found.append((study, kept))
    if json:
        return print_json([row for _, kept in found for row in kept.to_dict("records")])
    columns = ("table", "model", "tuning", "setting", "benchmark", "score", "note")
    for study, kept in found:
        if len(kept):
            say(f"{study}: {kept.iloc[0]['source']}. {kept.iloc[0]['remark']}")
            print_table(columns, kept[list(columns)].to_numpy().tolist(), title=study)
    return None


def _show(view: BenchmarkView, as_json: bool) -> None:
    if as_json:
        return print_json(_described(view))
    rows = [
        (o.benchmark, s.metric, s.category, s.interval.value, s.interval.low, s.interval.high, s.n,
         s.failed)
        for o in view.outcomes for s in o.scores
    ]  # fmt: skip
    columns = ("benchmark", "metric", "category", "score", "low", "high", "questions", "failed")
    print_table(columns, rows, title=view.name)
    for note in view.notes:
        say(note)
    return say(f"{view.id}: {view.state}")


def _show_all(views: Sequence[BenchmarkView], as_json: bool) -> None:
    if as_json:
        return print_json([_described(view) for view in views])
    for view in views:
        _show(view, False)
    return None


benchmark_judgments.register(group, _show_all)


def _described(view: BenchmarkView) -> dict[str, Any]:
    return {
        "run": view.id,
        "name": view.name,
        "state": view.state,
        "subject": view.config.subject,
        "outcomes": [plain(outcome) for outcome in view.outcomes],
        "notes": view.notes,
        "error": view.error,
    }


def _comparison(found: ResultComparison) -> dict[str, Any]:
    groups = [{"name": g.name, "runs": [v.id for v in g.views]} for g in found.groups]
    return {
        "groups": groups,
        "benchmarks": found.benchmarks,
        "refused": found.refused,
        "sentences": found.sentences(),
    }
