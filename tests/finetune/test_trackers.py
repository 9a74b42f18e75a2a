"""Trackers follow runs on this machine alone; what they hold links to selection and recipe."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from crowdselect.finetune import read_run
from crowdselect.origin import Origin
from crowdselect.tracking import kept_here, report
from crowdselect.values import Recipe
from tests.finetune.test_training import finish

FACTS = {"selection": "abc123", "recipe": "", "point": {"recipe.budget": 6}}
RECIPE = Recipe(crowd="c")


def needs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip without the tracker; trackio reads its folder when it is imported, as in a new job."""
    if find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    for module in [m for m in sys.modules if m.split(".")[0] == "trackio"]:
        monkeypatch.delitem(sys.modules, module)


def held(name: str, root: Path) -> str:
    """Everything that a tracker wrote below ``root``, as one text."""
    files = [p for p in (root / "trackers").rglob("*") if p.is_file()]
    assert files, f"{name} wrote nothing"
    return "\n".join(str(p) + p.read_bytes().decode("latin-1") for p in files)


@pytest.mark.parametrize("name", ["tensorboard", "mlflow", "wandb", "trackio"])
def test_a_result_is_a_run_of_its_own_and_stays_here(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs(name, monkeypatch)
    for variable in [v for v in os.environ if v.startswith(("WANDB_", "MLFLOW_", "TRACKIO_"))]:
        monkeypatch.delenv(variable)
    before = dict(os.environ)
    report((name,), tmp_path, "best on dev", FACTS, {"score": 0.25, "questions": 8.0})  # type: ignore[arg-type]
    found = held(name, tmp_path)
    assert "abc123" in found
    assert "best on dev" in found
    if name == "mlflow":
        (score,) = (tmp_path / "trackers" / "mlflow").rglob("metrics/score")
        assert float(score.read_text().split()[1]) == 0.25
    left = {k for k, v in os.environ.items() if before.get(k) != v and k.startswith(name.upper())}
    assert not left & {"MLFLOW_TRACKING_URI", "WANDB_MODE", "WANDB_DIR", "TRACKIO_DIR"}


@pytest.mark.parametrize("name", ["mlflow", "wandb", "trackio"])
def test_a_fine_tune_is_followed_by_the_integration_of_transformers(
    name: str, workspace: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs(name, monkeypatch)
    origin = Origin(selection="abc123", name="best-96", recipe=RECIPE)
    path = finish(workspace, settings(report_to=(name,), max_steps=3, origin=origin))
    assert read_run(path).state == "done"
    found = held(name, workspace.root)
    for words in ("abc123", RECIPE.id, path.name):
        assert words in found
    if name == "mlflow":
        (losses,) = (workspace.root / "trackers" / "mlflow").rglob("metrics/loss")
        assert len(losses.read_text().splitlines()) == 3


def test_what_the_users_environment_says_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.delenv("WANDB_PROJECT", raising=False)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://mlflow.example.org")
    with kept_here(("wandb", "mlflow"), tmp_path):
        assert os.environ["WANDB_MODE"] == "online"
        assert os.environ["WANDB_PROJECT"] == "crowdselect"
        assert os.environ["MLFLOW_TRACKING_URI"] == "https://mlflow.example.org"
    assert "WANDB_PROJECT" not in os.environ
    with kept_here((), tmp_path):
        assert "WANDB_PROJECT" not in os.environ, "off by default"
