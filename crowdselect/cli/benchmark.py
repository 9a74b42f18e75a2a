"""``crowdselect benchmark``: what a model is worth, and runs compared fairly."""

from __future__ import annotations

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
    Suite,
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
    MaxTokensOption,
    WorkspaceOption,
    example,
)
from crowdselect.cli.terminal import plain, print_json, print_table, say, say_damaged, tell
from crowdselect.errors import CrowdSelectError
from crowdselect.options import options_of, read_pairs
from crowdselect.servers import Cost
from crowdselect.settings import open_workspace

group = typer.Typer(
    cls=RunByDefault,
    help="Test a model with intervals; compare runs fairly. MODEL alone means: run MODEL.",
    no_args_is_help=True,
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="benchmark")


@group.command(
    "run",
    epilog=example(
        "crowdselect benchmark run RUN --suite verifiable --suite heldout-loss:path=dev.jsonl",
        "crowdselect benchmark ./model --suite mt-bench --judge gpt-4.1 --judge-option budget=5",
        "crowdselect benchmark ./model --suite gsm8k --suite mmlu --limit 50",
    ),
)
def run(
    target: Annotated[
        str,
        typer.Argument(
            metavar="RUN_OR_MODEL", help="A fine-tuning run, a folder, a hub id, a served name"
        ),
    ],
    suite: Annotated[
        list[str],
        typer.Option(
            "--suite",
            "-s",
            metavar="NAME[:OPTION=VALUE,...]",
            help=f"Repeatable. {', '.join([*BENCHMARKS.names(), *SHORTHANDS])}; options: "
            "crowdselect plugins benchmarks",
        ),
    ],
    name: Annotated[
        str, typer.Option(help="What results call it; runs of one name are seeds of one another")
    ] = "",
    adapter: Annotated[str, typer.Option(help="Folder of a LoRA adapter on the model")] = "",
    endpoint: Annotated[
        str, typer.Option(help="Base URL of an OpenAI-compatible server that serves the model")
    ] = "",
    limit: Annotated[int | None, typer.Option(help="Only so many questions: a quick look")] = None,
    seed: Annotated[int, typer.Option(help="Seed of sampled answers")] = 42,
    chosen_on: Annotated[
        list[str] | None,
        typer.Option(help="Benchmark on which the recipe behind this model was chosen; repeatable"),
    ] = None,
    judge: Annotated[
        str | None, typer.Option(help="Who grades: a served model's name, a folder or a hub id")
    ] = None,
    judge_kind: Annotated[
        str, typer.Option(help="server, local (language model) or reward (reward model)")
    ] = "server",
    judge_url: Annotated[
        str | None, typer.Option(help="Base URL of the judge's OpenAI-compatible server")
    ] = None,
    judge_option: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="concurrency, retries, timeout_s, max_tokens, price_in, price_out (of a million "
            "tokens), budget, api_key_variable; repeatable",
        ),
    ] = None,
    max_tokens: MaxTokensOption = None,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Say what judging can cost at most, and stop")
    ] = False,
    allow_code_execution: Annotated[
        bool,
        typer.Option("--allow-code-execution", help="Let HumanEval run code the model wrote"),
    ] = False,
    workspace: WorkspaceOption = None,
    detach: DetachOption = False,
    json: JsonOption = False,
) -> None:
    """Run benchmarks on a model; resumes with crowdselect run resume."""
    from crowdselect.pipeline.benchmark import subject_of  # it loads every stage

    folder = open_workspace(workspace)
    subject = subject_of(
        folder,
        target,
        name=name,
        endpoint=endpoint,
        adapter=adapter,
        chosen_on=tuple(chosen_on or ()),
    )
    given = {
        "subject": subject,
        "suites": [Suite.from_text(text) for text in suite],
        "seed": seed,
        "limit": limit,
        "judge": _judge(judge, judge_kind, judge_url, judge_option or [], max_tokens),
        "allow_code_execution": allow_code_execution,
    }
    config = BenchmarkConfig.parse(given, "benchmark")
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


def _show_estimate(found: dict[str, Cost], as_json: bool) -> None:
    if as_json:
        return print_json(found)
    rows = [
        (k, c.requests, c.prompt_tokens, c.completion_tokens, c.money) for k, c in found.items()
    ]
    columns = ("benchmark", "requests", "prompt tokens", "completion tokens", "cost")
    return print_table(columns, rows, title="At most")


def _judge(
    model: str | None,
    kind: str,
    url: str | None,
    options: list[str],
    max_tokens: int | None = None,
) -> dict[str, Any] | None:
    """A judge's config as given; None: no judge."""
    if model is None:
        return None
    own = read_pairs(options_of(JudgeConfig), options, "a judge")
    room = {} if max_tokens is None else {"max_tokens": max_tokens}
    return {"model": model, "kind": kind, "base_url": url, **own, **room}


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
