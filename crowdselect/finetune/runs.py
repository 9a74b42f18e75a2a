"""Start a fine-tune and look at one: curve, speed, state and where the model is."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crowdselect import files, jobs
from crowdselect.errors import CrowdSelectError
from crowdselect.finetune.checkpoints import last_checkpoint
from crowdselect.finetune.config import FinetuneConfig
from crowdselect.finetune.job import provenance
from crowdselect.lm.models import check_folder
from crowdselect.lm.packaged import located
from crowdselect.reading import sha256_of
from crowdselect.settings import Workspace


@dataclass(frozen=True)
class Point:
    """One log line of a run."""

    step: int
    loss: float
    learning_rate: float | None
    tokens: int
    """Tokens trained on so far, over all parts of a resumed run."""
    tokens_per_s: float | None
    mfu: float | None
    """Share of the device's peak in [0, 1]; None: not a known device."""
    memory: int
    """Peak bytes of the process on its device."""
    epoch: float | None
    t: float
    """Seconds since the epoch."""


@dataclass(frozen=True)
class RunView:
    """What a follower sees of a fine-tune."""

    id: str
    path: Path
    state: jobs.State
    label: str
    """The step that the job is in, in words."""
    config: FinetuneConfig
    provenance: Mapping[str, Any]
    """Data sha256, library versions, seed and their common id."""
    step: int
    max_steps: int | None
    curve: tuple[Point, ...]
    """One point per logged step; what a resumed run trains anew replaces what it was before."""
    eval_curve: tuple[tuple[int, float], ...]
    """Step and loss on the held-out rows."""
    tokens_per_s: float | None
    mfu: float | None
    eta_s: float | None
    data: Mapping[str, Any] | None
    """The data report (see ``DataReport``)."""
    estimate: Mapping[str, Any] | None
    """The estimate made before the start (see ``Estimate``)."""
    notes: tuple[str, ...]
    final_loss: float | None
    """Mean training loss of the finished run."""
    seconds: float | None
    """Seconds that the finished run trained for; of a resumed one, since it was resumed."""
    error: tuple[str, str] | None
    """Problem and remedy of a failed run."""


@dataclass(frozen=True)
class OutputModel:
    """Where a run's model lies."""

    path: Path
    adapter: bool
    """A LoRA adapter that needs ``base``, else a full model."""
    base: str
    final: bool
    """False: the last checkpoint of a run that is not finished."""


def create(workspace: Workspace, config: FinetuneConfig, *, run_id: str | None = None) -> Path:
    """Make the run directory of a fine-tune without starting it; ``run_id`` names it.

    Raises NotFoundError for data or a model folder that is not there.
    """
    data = Path(config.data).expanduser()
    data_sha256 = sha256_of(data)
    named = located(config.model, workspace.cache)
    model = Path(named).expanduser()
    check_folder(named)
    settled = config.model_copy(
        update={
            "data": str(data.absolute()),
            "model": str(model.absolute()) if model.is_dir() else named,
        }
    )
    made_from = provenance(settled, data_sha256)
    options = settled.model_dump(mode="json")
    return jobs.create(workspace, "finetune", options, run_id=run_id, provenance=made_from)


def resume(path: Path) -> Path:
    """Start a cancelled or failed run again, from its last complete checkpoint."""
    jobs.start(path)
    return path


def list_runs(workspace: Workspace) -> list[RunView]:
    """Every fine-tune of the workspace, newest first; damaged ones are left out."""
    found = []
    for view in jobs.all_runs(workspace, "finetune"):
        with suppress(CrowdSelectError):
            found.append(read_run(view.path))
    return found


def read_run(path: Path) -> RunView:
    """Read a fine-tune's true state from its run directory.

    Raises NotFoundError if it is none.
    """
    job = jobs.read(path)
    record = jobs.read_record(path)
    events = files.read_lines(path / "events.jsonl")
    curve = tuple(_point(e) for e in _current(events, "log"))
    evals = tuple((e["step"], float(e["loss"])) for e in _current(events, "eval"))
    last = curve[-1] if curve else None
    training = job.label in ("training", "merging")
    summary = _last(events, "summary") or {}
    return RunView(
        id=job.id,
        path=path,
        state=job.state,
        label=job.label,
        config=FinetuneConfig.parse(job.config, str(path / "config.json")),
        provenance=record.provenance,
        step=job.done if training else (last.step if last else 0),
        max_steps=job.total if training else None,
        curve=curve,
        eval_curve=evals,
        tokens_per_s=last.tokens_per_s if last else None,
        mfu=last.mfu if last else None,
        eta_s=job.eta_s,
        data=_last(events, "data"),
        estimate=_last(events, "estimate"),
        notes=tuple(dict.fromkeys(e["text"] for e in events if e["event"] == "note")),
        final_loss=summary.get("loss"),
        seconds=summary.get("seconds"),
        error=job.error,
    )


def output_model(run: Path) -> OutputModel:
    """Where the run's model is: the final one, else its last complete checkpoint.

    Raises CrowdSelectError if there is neither yet.
    """
    config = FinetuneConfig.parse(jobs.read_record(run).config, str(run / "config.json"))
    final = run / "model"
    checkpoint = last_checkpoint(run / "checkpoints")
    path = final if final.is_dir() else checkpoint
    if path is None:
        raise CrowdSelectError(
            f"The run {run.name} has no model yet.", "Wait for it, or resume it if it stopped."
        )
    return OutputModel(path, config.mode == "lora", config.model, final=path == final)


def _current(events: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """The events called ``name`` that still hold: a resume takes back every step after its own."""
    by_step: dict[int, dict[str, Any]] = {}
    for event in events:
        if event["event"] == "resume":
            by_step = {step: e for step, e in by_step.items() if step <= event["step"]}
        elif event["event"] == name:
            by_step[event["step"]] = event
    return [by_step[step] for step in sorted(by_step)]


def _point(event: Mapping[str, Any]) -> Point:
    return Point(**{name: event[name] for name in Point.__dataclass_fields__})


def _last(events: list[dict[str, Any]], name: str) -> dict[str, Any] | None:
    found = next((e for e in reversed(events) if e["event"] == name), None)
    return None if found is None else {k: v for k, v in found.items() if k not in ("event", "t")}
