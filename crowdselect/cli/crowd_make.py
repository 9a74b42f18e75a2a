"""``crowdselect crowd generate`` and ``crowd judge``: models answer, reward models judge."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from crowdselect import files
from crowdselect.cli.follow import run_job
from crowdselect.cli.options import (
    ApiKeyOption,
    ConcurrencyOption,
    CrowdArgument,
    DetachOption,
    JsonOption,
    MaxTokensOption,
    SeedOption,
    ServerOption,
    WorkspaceOption,
    example,
)
from crowdselect.cli.terminal import print_json, print_table, say, tell
from crowdselect.settings import open_workspace

LimitOption = Annotated[int | None, typer.Option(help="Only so many instructions", min=1)]
BatchOption = Annotated[int, typer.Option(help="Padded tokens of one batch", min=8)]


def register(group: typer.Typer) -> None:
    """Add the commands."""
    group.command(
        "generate",
        epilog=example(
            "crowdselect crowd generate prompts.jsonl --name mine -m ./small -m ./large",
            "crowdselect crowd generate mine -m qwen2.5-7b --server http://127.0.0.1:8000/v1",
        ),
    )(generate)
    group.command(
        "judge",
        epilog=example(
            "crowdselect crowd judge mine --model Skywork/Skywork-Reward-V2-Qwen3-0.6B",
            "crowdselect crowd judge mine -m judge --server http://127.0.0.1:8000/v1",
        ),
    )(judge)


def generate(
    source: Annotated[
        str, typer.Argument(metavar="CROWD_OR_FILE", help="A crowd, or a file of instructions")
    ],
    model: Annotated[
        list[str],
        typer.Option("--model", "-m", help="Folder, hub id or served name; or NAME=MODEL"),
    ],
    name: Annotated[
        str | None, typer.Option(help="Crowd to make from a file; else the file's name")
    ] = None,
    server: ServerOption = None,
    concurrency: ConcurrencyOption = 8,
    api_key_variable: ApiKeyOption = "OPENAI_API_KEY",
    system: Annotated[str, typer.Option(help="System message of every question")] = "",
    max_new_tokens: Annotated[int, typer.Option(help="Longest answer", min=1)] = 1024,
    temperature: Annotated[float, typer.Option(help="0 = always the likeliest token", min=0)] = 0.0,
    seed: SeedOption = 42,
    batch_tokens: BatchOption = 8192,
    limit: LimitOption = None,
    trust_remote_code: Annotated[
        bool, typer.Option(help="Let a hub model run its own code here")
    ] = False,
    workspace: WorkspaceOption = None,
    detach: DetachOption = False,
    json: JsonOption = False,
) -> None:
    """Let models answer instructions: makes a crowd of a file, or adds models to a crowd."""
    from crowdselect.ingest import safe_name
    from crowdselect.pipeline.making import GenerateConfig, create_generate

    is_file = Path(source).expanduser().is_file()
    config = GenerateConfig.parse(
        {
            "source": source,
            "name": name or (safe_name(Path(source).name) if is_file else source),
            "answerers": [{**answerer(text), "base_url": server} for text in model],
            "system": system,
            "max_new_tokens": max_new_tokens,
            "temperature": temperature,
            "seed": seed,
            "batch_tokens": batch_tokens,
            "concurrency": concurrency,
            "api_key_variable": api_key_variable,
            "limit": limit,
            "trust_remote_code": trust_remote_code,
        },
        "crowd generate",
    )
    path = create_generate(open_workspace(workspace), config)
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
    model: Annotated[
        str,
        typer.Option("--model", "-m", help="Reward model (folder or hub id), or a served model"),
    ],
    name: Annotated[str | None, typer.Option(help="Name of the judge; else the model's")] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace the rewards of a judge of this name")
    ] = False,
    server: ServerOption = None,
    concurrency: ConcurrencyOption = 8,
    api_key_variable: ApiKeyOption = "OPENAI_API_KEY",
    dimension: Annotated[
        str, typer.Option(help="What a served judge grades from 0 to 10")
    ] = "overall quality",
    max_tokens: MaxTokensOption = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Judge only this model's answers; repeatable")
    ] = None,
    max_length: Annotated[
        int, typer.Option(help="Longest conversation in tokens for a reward model", min=8)
    ] = 4096,
    batch_tokens: Annotated[
        int | None,
        typer.Option(help="Padded tokens of one batch; else what suits the device", min=8),
    ] = None,
    limit: LimitOption = None,
    engine: Annotated[str, typer.Option(help="local, or ray for a pool of workers")] = "local",
    workers: Annotated[int, typer.Option(help="Workers of --engine ray", min=1)] = 2,
    workspace: WorkspaceOption = None,
    detach: DetachOption = False,
    json: JsonOption = False,
) -> None:
    """Let a reward model, or a served chat model, judge a crowd's answers: a new judge."""
    from crowdselect.pipeline.making import JudgingConfig, create_judge, describe_end

    config = JudgingConfig.parse(
        {
            "crowd": crowd,
            "name": name or Path(model).name,
            "model": model,
            "kind": "server" if server else "reward",
            "base_url": server,
            "api_key_variable": api_key_variable,
            "concurrency": concurrency,
            "dimension": dimension,
            **({} if max_tokens is None else {"max_tokens": max_tokens}),
            "max_length": max_length,
            "batch_tokens": batch_tokens,
            "models": only or [],
            "limit": limit,
            "engine": engine,
            "workers": workers,
        },
        "crowd judge",
    )
    path = create_judge(open_workspace(workspace), config, replace=replace)
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


def answerer(text: str) -> dict[str, str]:
    """``MODEL``, or ``NAME=MODEL``; without a name the last part of the model's."""
    name, sign, model = text.partition("=")
    if sign:
        return {"name": name.strip(), "model": model.strip()}
    return {"name": Path(text).name, "model": text}


def _events(path: Path, name: str) -> list[dict[str, Any]]:
    """What the job reported, of its last start only."""
    events = files.read_lines(path / "events.jsonl")
    begun = max(i for i, e in enumerate(events) if e["event"] == "begin")
    return [
        {k: v for k, v in e.items() if k not in ("event", "t")}
        for e in events[begun:]
        if e["event"] == name
    ]
