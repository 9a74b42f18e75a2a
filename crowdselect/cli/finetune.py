"""``crowdselect finetune``: a selection or a file -> a fine-tuned model."""

from __future__ import annotations

import dataclasses
import json as json_text
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from crowdselect import files, jobs
from crowdselect.cli.follow import run_job
from crowdselect.cli.options import (
    DetachOption,
    JsonOption,
    WorkspaceOption,
    example,
    located,
    option_parameters,
    usual,
    values_of,
    with_declared,
)
from crowdselect.cli.push import (
    LicenceOption,
    PublicOption,
    PushOption,
    YesOption,
    push_model,
)
from crowdselect.cli.terminal import plain, print_json, print_table, progress, say, tell
from crowdselect.errors import CrowdSelectError, InputError
from crowdselect.finetune import (
    PRESETS,
    Estimate,
    FinetuneConfig,
    PairRule,
    create,
    estimate,
    method_of,
    output_model,
    read_run,
)
from crowdselect.hub import check_push
from crowdselect.options import options_named, options_of, read_pairs
from crowdselect.settings import open_workspace

SourceArgument = Annotated[
    str, typer.Argument(metavar="SELECTION_OR_FILE", help="A selection's id or name, or a file")
]
_NEVER_ASKED = ("data", "model", "origin", "preset", "method", "mode")
ASKED = [o for o in options_of(FinetuneConfig) if o.name not in _NEVER_ASKED]
"""Every option of a fine-tune that -o takes."""
FLAGS = options_named(
    FinetuneConfig, "model", "preset", "method", "mode", "epochs", "max_steps", "learning_rate",
    "batch_size", "max_length", "seed", "launcher", "processes", "accelerate_config", "report_to",
)  # fmt: skip
"""Those that have a flag of their own."""
OFFERED = [
    *option_parameters([dataclasses.replace(FLAGS[0], required=False), *FLAGS[1:]], given=True),
    *option_parameters(options_of(PairRule)),
]
"""Without a model the packaged one is taken, where it is installed."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(
        "finetune",
        epilog=example(
            "crowdselect finetune best-1000 --model meta-llama/Llama-3.2-3B --lora",
            "crowdselect finetune train.jsonl --model ./base --full --preset crowdselect-paper",
            "crowdselect finetune best-1000 --model ./base --method dpo --margin 1.0 --estimate",
            "crowdselect finetune train.jsonl --model ./base -o lora_rank=64 -o rslora=true",
            "crowdselect finetune best-1000 --model ./base --push my-org/tuned",
        ),
    )(with_declared(finetune, OFFERED))
    app.command("finetune-options", epilog=example("crowdselect finetune-options"))(list_options)


def finetune(
    source: SourceArgument,
    given: dict[str, Any],
    option: Annotated[
        list[str] | None,
        typer.Option(
            "--option", "-o", metavar="NAME=VALUE", help="Any other option; see finetune-options"
        ),
    ] = None,
    push: PushOption = None,
    public: PublicOption = False,
    licence: LicenceOption = None,
    yes: YesOption = False,
    estimate_only: Annotated[
        bool, typer.Option("--estimate", help="Measure what it would take, and stop")
    ] = False,
    workspace: WorkspaceOption = None,
    detach: DetachOption = False,
    json: JsonOption = False,
) -> None:
    """Fine-tune a model on a selection or a file (SFT, DPO, ORPO or SimPO; LoRA or full)."""
    from crowdselect.pipeline.finetune import training_source  # it loads every stage

    folder = open_workspace(workspace)
    if push and detach:
        raise InputError(
            "A run that goes on by itself asks nobody.",
            "Push it later: crowdselect run push RUN ORG/NAME",
        )
    if push:
        check_push(folder.root, push, "model", public=public)  # before hours of training
    options = {
        **values_of(FLAGS, given),
        **read_pairs(ASKED, option or [], "a fine-tune"),
    }
    options["model"] = located(folder, usual(folder, options.get("model")))
    rule = PairRule.parse(values_of(options_of(PairRule), given), "finetune")
    with progress() as report:
        found = training_source(
            folder, source, method=method_of(options), pairs=rule, progress=report
        )
        config = FinetuneConfig.parse({**found.options, **options}, "finetune")
        if found.pairs:
            say(f"Pairs of {found.pairs}.")
        if estimate_only:
            return _print_estimate(config, folder.root, report, json)
    path = create(folder, config)
    _run(path, detach=detach, as_json=json)
    if push:
        push_model(folder, path, push, public=public, licence=licence, yes=yes)
    return None


def list_options(json: JsonOption = False) -> None:
    """List every option of a fine-tune with its default, and the presets with their source."""
    if json:
        presets = [dataclasses.asdict(p) for p in PRESETS.values()]
        return print_json({"options": {o.name: o.default for o in ASKED}, "presets": presets})
    print_table(("option", "default"), [(o.name, json_text.dumps(o.default)) for o in ASKED])
    values = [(p.name, _listed(p.options), p.source) for p in PRESETS.values()]
    return print_table(("preset", "options", "from"), values)


def _listed(options: Any) -> str:
    return ", ".join(f"{k} {v}" for k, v in options.items())


def _print_estimate(config: FinetuneConfig, folder: Path, report: Any, as_json: bool) -> None:
    found = estimate(config, folder=folder, progress=report)
    if as_json:
        print_json(found)
    else:
        for line in found.lines():
            say(line)
    if found.refusal:
        raise CrowdSelectError(*found.refusal)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say the run's notes and its estimate as they come."""
    over = threading.Event()

    def tell() -> None:
        said = 0
        while True:
            last = over.wait(0.5)
            events = files.read_lines(path / "events.jsonl")
            for event in events[said:]:
                if event["event"] == "note":
                    say(event["text"])
                elif event["event"] == "estimate":
                    told = {f.name: event[f.name] for f in dataclasses.fields(Estimate)}
                    for line in Estimate(**{**told, "notes": ()}).lines():
                        say(line)
            said = len(events)
            if last:
                return

    thread = threading.Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _run(path: Path, *, detach: bool, as_json: bool) -> None:
    if detach:
        run_job(path, detach=True, as_json=as_json)
        return None
    with _told(path):
        run_job(path)
    view, model = read_run(path), output_model(path)
    if as_json:
        curve = [plain(point) for point in view.curve]
        return print_json({**plain(jobs.read(path)), "curve": curve, "output": plain(model)})
    loss = "" if view.final_loss is None else f", mean training loss {view.final_loss:.4f}"
    say(f"{view.id}: {view.state}, {view.step:,} steps{loss}")
    return tell(str(model.path))
