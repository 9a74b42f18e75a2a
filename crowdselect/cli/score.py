"""``crowdselect score``: a model's opinion of every sample, as new metric columns."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from crowdselect import files
from crowdselect.cli.costs import RequestsOption, say_cost
from crowdselect.cli.follow import run_job
from crowdselect.cli.options import (
    DetachOption,
    JsonOption,
    MaxTokensOption,
    OptionsOption,
    WorkspaceOption,
    example,
    located,
    option_parameters,
    own_options,
    usual,
    values_of,
    with_declared,
)
from crowdselect.cli.terminal import print_json, print_table, say, tell
from crowdselect.errors import InputError
from crowdselect.lm import packaged
from crowdselect.options import options_named, options_of
from crowdselect.scoring import SCORERS, ModelSpec, ScoreConfig, Scorer
from crowdselect.servers import ServerConfig
from crowdselect.settings import Workspace, open_workspace

SourceArgument = Annotated[
    str, typer.Argument(metavar="CROWD_OR_FILE", help="A crowd's name, or a file of conversations")
]

HOW = options_of(ScoreConfig)
LOADED = options_named(ModelSpec, "dtype", "batch_tokens", "trust_remote_code")
"""How models are loaded here."""
SERVED = options_named(ServerConfig, "base_url", "concurrency", "api_key_variable")
"""How a server is asked."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "score",
        epilog=example(
            "crowdselect score mycrowd --scorer selectit --model meta-llama/Llama-3.2-3B",
            "crowdselect score mycrowd --scorer selectit -m ./small:1.5 -m ./large:7 -o alpha=0.4",
            "crowdselect score data.jsonl --scorer ifd --model ./base --out ifd.parquet",
            "crowdselect score mycrowd -s direct -m qwen --server http://127.0.0.1:8000/v1",
            "crowdselect score mycrowd -s instruction_mining -o reward=best_reward "
            "-o length=length:response:best -o knn6=my_distances",
        ),
    )(with_declared(score, option_parameters([*HOW, *LOADED, *SERVED])))


def score(
    source: SourceArgument,
    given: dict[str, Any],
    model: Annotated[
        list[str] | None,
        typer.Option("--model", "-m", help="Folder or hub id, or MODEL:SIZE_IN_BILLIONS"),
    ] = None,
    max_tokens: MaxTokensOption = None,
    option: OptionsOption = None,
    max_requests: RequestsOption = None,
    workspace: WorkspaceOption = None,
    detach: DetachOption = False,
    json: JsonOption = False,
) -> None:
    """Score samples with models; the columns join the crowd's metrics, or go to a Parquet file."""
    from crowdselect.pipeline.making import scoring_cost  # it loads every stage
    from crowdselect.pipeline.scoring import create_score

    folder = open_workspace(workspace)
    said = values_of(HOW, given)
    chosen = SCORERS[said["scorer"]]
    if not model and chosen.packaged and packaged.usual_model(folder.cache):
        model = [usual(folder)]
    options: dict[str, Any] = own_options(chosen, option)
    _check_needed(chosen, model, max_tokens)
    if max_tokens is not None:
        options["max_tokens"] = max_tokens
    if model and chosen.uses == "chat server":
        asked = values_of(SERVED, given)
        options["models"] = [{"model": name, **asked} for name in model]
    elif model:
        loading = values_of(LOADED, given)
        options["models"] = [{**_model(folder, text), **loading} for text in model]
    config = ScoreConfig.parse({"source": source, "options": options, **said}, "score")
    say_cost(scoring_cost(folder, config), max_requests)
    path = create_score(folder, config)
    view = run_job(path, detach=detach, as_json=json)
    if detach:
        return
    events = files.read_lines(path / "events.jsonl")
    found = next(e for e in reversed(events) if e["event"] == "scores")
    if json:
        print_json({"run": view.id, **{k: v for k, v in found.items() if k not in ("event", "t")}})
        return
    _tell_found(found)
    tell(found.get("file") or found["crowd"])


def _tell_found(found: dict[str, Any]) -> None:
    """What the scorer reports, what its server did not take, and why values are missing."""
    for name, value in found["report"].items():
        _tell(name.replace("_", " "), value)
    if analysis := found.get("analysis"):
        _tell_analysis(analysis)
    for note in found["notes"]:
        say(note)
    for column, missing in found["missing"].items():
        say(f"{column}: {missing:,} samples without a value" if missing else column)
        for reason, count in found["reasons"][column].items():
            say(f"  {count:,} times: {reason}")


def _check_needed(chosen: type[Scorer], model: list[str] | None, max_tokens: int | None) -> None:
    if model and chosen.uses == "no model":
        raise InputError(f"{chosen.name} uses no model.", "Leave out --model.")
    if max_tokens is not None and chosen.uses != "chat server":
        raise InputError(f"{chosen.name} asks no chat server.", "Leave out --max-tokens.")


def _tell(name: str, value: Any) -> None:
    """One figure of a scorer's report as a line, several as a table."""
    if not isinstance(value, dict):
        return say(f"{name}: {value:,.3g}" if isinstance(value, float) else f"{name}: {value:,}")
    nested = {k: v for k, v in value.items() if isinstance(v, dict)}
    for key, inner in nested.items():
        _tell(f"{name}, {key}", inner)
    return print_table((name, ""), [(k, v) for k, v in value.items() if k not in nested])


def _tell_analysis(analysis: dict[str, Any]) -> None:
    """Length and calculation by rank and by budget; what each level gave, and shares."""
    for title, parts in (("ranks", analysis["ranks"]), ("budget", analysis["budgets"])):
        rows = [
            (
                f"{s['begin']:.0%} to {s['end']:.0%}" if s["begin"] else f"best {s['end']:.0%}",
                s["n"],
                s["mean_score"],
                s["mean_length"],
                s["calc_share"],
            )
            for s in parts
        ]
        print_table((title, "samples", "mean score", "mean words", "calculation"), rows)
    best = f"best {analysis['share']:.0%}"
    print_table(("level", f"its {best} in the final"), list(analysis["contributions"].items()))
    print_table(("levels", f"overlap of their {best}"), list(analysis["overlaps"].items()))


def _model(folder: Workspace, text: str) -> dict[str, Any]:
    """``MODEL`` or ``MODEL:SIZE``."""
    name, sign, size = text.rpartition(":")
    if not sign:
        return {"model": located(folder, text)}
    try:
        return {"model": located(folder, name), "size_b": float(size)}
    except ValueError:
        raise InputError(
            f"{text!r} is not MODEL or MODEL:SIZE.",
            "Give the size in billions of parameters, such as ./llama:7.",
        ) from None
