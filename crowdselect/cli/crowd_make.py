"""``crowdselect crowd generate`` and ``crowd judge``: models answer, reward models judge."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer

from crowdselect import files
from crowdselect.cli.costs import RequestsOption, say_cost
from crowdselect.cli.follow import run_job
from crowdselect.cli.options import (
    CrowdArgument,
    DetachOption,
    EncoderOption,
    JsonOption,
    WorkspaceOption,
    example,
    located,
    option_parameters,
    usual,
    values_of,
    with_declared,
)
from crowdselect.cli.terminal import print_json, print_table, progress, say, tell
from crowdselect.errors import InputError
from crowdselect.making import Answerer, GenerateConfig, JudgingConfig
from crowdselect.options import options_named, options_of
from crowdselect.settings import open_workspace

GENERATE, JUDGE = options_of(GenerateConfig), options_of(JudgingConfig)
SERVER = options_named(Answerer, "base_url")
JUDGES = [dataclasses.replace(o, required=False) if o.name == "model" else o for o in JUDGE]
"""Without a model the packaged one is taken for likelihoods, where it is installed."""


def register(group: typer.Typer) -> None:
    """Add the commands."""
    group.command(
        "generate",
        epilog=example(
            "crowdselect crowd generate prompts.jsonl --name mine -m ./small -m ./large",
            "crowdselect crowd generate mine -m qwen2.5-7b --server http://127.0.0.1:8000/v1",
        ),
    )(with_declared(generate, option_parameters([*GENERATE, *SERVER])))
    group.command(
        "judge",
        epilog=example(
            "crowdselect crowd judge mine --model Skywork/Skywork-Reward-V2-Qwen3-0.6B",
            "crowdselect crowd judge mine -m judge --server http://127.0.0.1:8000/v1",
            "crowdselect crowd judge mine --likelihood --model ./student --form chat",
        ),
    )(with_declared(judge, option_parameters(JUDGES)))
    group.command("agreement", epilog=example("crowdselect crowd agreement mine"))(agreement)


def generate(
    source: Annotated[
        str, typer.Argument(metavar="CROWD_OR_FILE", help="A crowd, or a file of instructions")
    ],
    given: dict[str, Any],
    name: Annotated[
        str | None, typer.Option(help="Crowd to make from a file; else the file's name")
    ] = None,
    max_requests: RequestsOption = None,
    workspace: WorkspaceOption = None,
    detach: DetachOption = False,
    json: JsonOption = False,
) -> None:
    """Let models answer instructions: makes a crowd of a file, or adds models to a crowd."""
    from crowdselect.ingest import safe_name
    from crowdselect.pipeline.making import create_generate, generating_cost

    is_file = Path(source).expanduser().is_file()
    options = values_of(GENERATE, given)
    where = values_of(SERVER, given)
    folder = open_workspace(workspace)
    options["answerers"] = [
        {**a.model_dump(), **where, "model": a.model if where else located(folder, a.model)}
        for a in options["answerers"]
    ]
    called = name or (safe_name(Path(source).name) if is_file else source)
    config = GenerateConfig.parse({"source": source, "name": called, **options}, "crowd generate")
    say_cost(generating_cost(folder, config), max_requests)
    path = create_generate(folder, config)
    view = run_job(path, detach=detach, as_json=json)
    if detach:
        return
    found = _events(path, "answered")
    if json:
        print_json({"run": view.id, "crowd": config.name, "models": found})
        return
    rows = [(e["model"], e["answers"], e["cut"], e["without"]) for e in found]
    print_table(("model", "answers", "cut at the limit", "without an answer"), rows)
    if config.name in open_workspace(workspace).crowd_names():
        say(f"The crowd is called {config.name}; judge it: crowdselect crowd judge {config.name}")
    else:
        say("No model gave an answer, so there is no crowd.")


def judge(
    crowd: CrowdArgument,
    given: dict[str, Any],
    name: Annotated[str | None, typer.Option(help="Name of the judge; else the model's")] = None,
    likelihood: Annotated[
        bool,
        typer.Option(
            "--likelihood", help="How likely a base model (--model) finds each answer: base_likes"
        ),
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace the rewards of a judge of this name")
    ] = False,
    max_requests: RequestsOption = None,
    workspace: WorkspaceOption = None,
    detach: DetachOption = False,
    json: JsonOption = False,
) -> None:
    """Let a reward model, or a served chat model, judge a crowd's answers: a new judge.

    With --likelihood it is a base model that says how likely it finds each answer.
    """
    from crowdselect.pipeline.making import create_judge, describe_end, judging_cost, likes_name

    folder = open_workspace(workspace)
    options = values_of(JUDGE, given)
    if likelihood:
        options["model"] = located(folder, usual(folder, options.get("model")))
    elif "model" not in options:
        raise InputError("No judge was named.", "Give --model: a reward model, or a served one.")
    served = bool(options.get("base_url"))
    options["kind"] = "likelihood" if likelihood else "server" if served else "reward"
    last = Path(options["model"]).name
    called = name or (likes_name(last, options.get("form", "plain")) if likelihood else last)
    config = JudgingConfig.parse({"crowd": crowd, "name": called, **options}, "crowd judge")
    say_cost(judging_cost(folder, config), max_requests)
    path = create_judge(folder, config, replace=replace)
    view = run_job(path, detach=detach, as_json=json)
    if detach:
        return
    found = _events(path, "judged")[-1]
    if json:
        print_json({"run": view.id, **found})
        return
    tell(describe_end(found))
    if found["note"]:
        say(found["note"])
    for problem, count in found["problems"].items():
        say(f"{count:,} times: {problem}")


def agreement(
    crowd: CrowdArgument,
    name: Annotated[str, typer.Option(help="Name of the judge")] = "agreement",
    alike: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Cosine from which two answers mean the same; else texts"),
    ] = None,
    encoder: EncoderOption = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace the rewards of a judge of this name")
    ] = False,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Let the crowd judge itself: an answer's reward is the share of models that gave it too."""
    from crowdselect.pipeline.making import add_agreement, describe_end

    folder = open_workspace(workspace)
    with progress() as report:
        found = add_agreement(
            folder, crowd, name, alike=alike, encoder=encoder, replace=replace, progress=report
        )
    if json:
        return print_json(found)
    return tell(describe_end(found))


def _events(path: Path, name: str) -> list[dict[str, Any]]:
    """What the job reported, of its last start only."""
    events = files.read_lines(path / "events.jsonl")
    begun = max(i for i, e in enumerate(events) if e["event"] == "begin")
    return [
        {k: v for k, v in e.items() if k not in ("event", "t")}
        for e in events[begun:]
        if e["event"] == name
    ]
