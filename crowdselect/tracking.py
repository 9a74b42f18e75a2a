"""Trackers of experiments, off unless asked for: MLflow, Weights & Biases, trackio, TensorBoard.

Training itself is tracked by the integrations of ``transformers``; here is what is left to do: keep
it on this machine, tell what a run was made from, and hand over results of benchmarks and studies.
Nothing is sent anywhere unless the user's own environment says so (``MLFLOW_TRACKING_URI``,
``WANDB_MODE=online``, ``TRACKIO_SPACE_ID``).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, get_args

from crowdselect.errors import MissingDependencyError

Tracker = Literal["tensorboard", "wandb", "mlflow", "trackio"]
TRACKERS: tuple[Tracker, ...] = get_args(Tracker)
FOLDER = "trackers"
"""In a workspace, or a study's folder: what trackers write."""
PROJECT = "crowdselect"
_LONGEST = 250
"""Characters of a parameter that every tracker takes."""


def check_trackers(names: Sequence[str]) -> None:
    """Raise MissingDependencyError for a tracker that is not installed."""
    for name in names:
        if find_spec(name) is None:
            raise MissingDependencyError(f"--report-to {name}", name, f"pip install {name}")


@contextmanager
def kept_here(names: Sequence[str], root: Path) -> Iterator[Path]:
    """Have trackers write below ``root`` in the block, where the user's environment says nothing.

    Gives the folder.
    """
    folder = root / FOLDER
    ours = {
        "mlflow": {
            "MLFLOW_TRACKING_URI": (folder / "mlflow").absolute().as_uri(),
            "MLFLOW_ALLOW_FILE_STORE": "true",
            "MLFLOW_EXPERIMENT_NAME": PROJECT,
        },
        "wandb": {
            "WANDB_MODE": "offline",
            "WANDB_DIR": str(folder),
            "WANDB_PROJECT": PROJECT,
            "WANDB_SILENT": "true",
        },
        "trackio": {"TRACKIO_DIR": str(folder / "trackio")},
    }
    wanted = {k: v for name in names for k, v in ours.get(name, {}).items()}
    new = {k: v for k, v in wanted.items() if k not in os.environ}
    if names:
        folder.mkdir(parents=True, exist_ok=True)
    os.environ.update(new)
    try:
        yield folder
    finally:
        for name in new:
            os.environ.pop(name, None)


def link(names: Sequence[str], facts: Mapping[str, Any]) -> None:
    """Tell the runs that are being tracked now what they were made from."""
    told = _texts(facts)
    if "mlflow" in names:
        import_module("mlflow").set_tags(told)
    for name in ("wandb", "trackio"):
        if name in names:
            import_module(name).config.update(told, allow_val_change=True)


def report(
    names: Sequence[str],
    root: Path,
    run: str,
    facts: Mapping[str, Any],
    values: Mapping[str, float],
) -> None:
    """Hand over one finished result as a run of its own: what it was made from, and its values."""
    told = _texts(facts)
    with kept_here(names, root) as folder:
        for name in names:
            {"mlflow": _mlflow, "tensorboard": _tensorboard}.get(name, _initialised)(
                name, folder, run, told, values
            )


def _mlflow(
    _: str, __: Path, run: str, told: Mapping[str, str], values: Mapping[str, float]
) -> None:
    mlflow = import_module("mlflow")
    mlflow.set_tracking_uri(os.environ["MLFLOW_TRACKING_URI"])
    mlflow.set_experiment(os.environ["MLFLOW_EXPERIMENT_NAME"])
    with mlflow.start_run(run_name=run, tags=dict(told)):
        mlflow.log_metrics(dict(values))


def _initialised(
    name: str, _: Path, run: str, told: Mapping[str, str], values: Mapping[str, float]
) -> None:
    """W&B, and trackio, which has the same words."""
    tracker = import_module(name)
    project = os.environ.get("WANDB_PROJECT", PROJECT) if name == "wandb" else PROJECT
    tracker.init(project=project, name=run, config=dict(told))
    tracker.log(dict(values))
    tracker.finish()


def _tensorboard(
    _: str, folder: Path, run: str, told: Mapping[str, str], values: Mapping[str, float]
) -> None:
    writer = import_module("torch.utils.tensorboard.writer").SummaryWriter(
        str(folder / "tensorboard" / run)
    )
    writer.add_text("made from", json.dumps(dict(told), indent=2))
    for name, value in values.items():
        writer.add_scalar(name, value)
    writer.close()


def _texts(facts: Mapping[str, Any]) -> dict[str, str]:
    """Facts as every tracker takes them; what is empty is left out."""
    return {
        f"crowdselect.{name}": (value if isinstance(value, str) else json.dumps(value))[:_LONGEST]
        for name, value in facts.items()
        if value not in (None, "", {}, [], ())
    }
