"""A hub, and a hub library that speaks to it and to nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub.hub import TOKEN, Hub, serve


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub of one's own, with a login."""
    constants = pytest.importorskip("huggingface_hub.constants")
    config = pytest.importorskip("datasets.config")
    file_system = pytest.importorskip("huggingface_hub").HfFileSystem
    with serve() as served:
        monkeypatch.setattr(constants, "ENDPOINT", served.url)
        template = served.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(config, "HF_ENDPOINT", served.url)
        monkeypatch.setattr(config, "HF_HUB_OFFLINE", False)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        file_system.clear_instance_cache()
        yield served
        file_system.clear_instance_cache()
