"""A tiny crowd, ingested once per session and copied into each test's workspace."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from crowdselect import pipeline
from crowdselect.settings import Workspace, open_workspace
from crowdselect.store import Crowd
from crowdselect.values import Recipe
from tests.pipeline import tiny


@pytest.fixture(scope="session")
def _ingested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    made = open_workspace(folder / "workspace")
    options = {"models": str(tiny.write_models(folder))}
    crowd = pipeline.ingest(made, "table", [tiny.write_tidy(folder)], name="tiny", options=options)
    pipeline.landscape(crowd, "lsa", 3, plane=False)
    return made.root


@pytest.fixture
def ready(_ingested: Path, tmp_path: Path) -> Workspace:
    """A workspace that holds the crowd ``tiny`` with vectors and three clusters (encoder lsa)."""
    shutil.copytree(_ingested, tmp_path / "ready")
    return open_workspace(tmp_path / "ready")


@pytest.fixture
def crowd(ready: Workspace) -> Crowd:
    return pipeline.open_crowd(ready, "tiny")


@pytest.fixture
def recipe() -> Callable[..., Recipe]:
    """A recipe for the crowd ``tiny``; any field can be given."""

    def make(**fields: object) -> Recipe:
        return Recipe(**{"crowd": "tiny", "encoder": "lsa", "clusters": 3, "budget": 12, **fields})

    return make
