"""Workspaces for the pages' tests, and a way to open a page without a browser."""

import logging
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from crowdselect.dashboard import script, shell
from crowdselect.settings import Workspace, open_workspace
from tests.browser import Server, serve
from tests.dashboard import small

APP = Path(__file__).parents[2] / "app.py"


@pytest.fixture(scope="session")
def _built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    return small.build(folder / "workspace", folder / "files").root


@pytest.fixture
def ready(_built: Path, tmp_path: Path) -> Workspace:
    """A workspace that holds the crowd ``small`` with its landscape."""
    shutil.copytree(_built, tmp_path / "ready")
    return open_workspace(tmp_path / "ready")


@pytest.fixture
def broken(_built: Path, tmp_path: Path) -> Workspace:
    """A workspace whose only crowd's file is cut in half."""
    shutil.copytree(_built, tmp_path / "broken")
    path = tmp_path / "broken" / "crowds" / small.NAME / "crowd.duckdb"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return open_workspace(tmp_path / "broken")


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The workspace that the browser tests share; they add to it and take nothing away."""
    folder = tmp_path_factory.mktemp("stories")
    return small.build(folder / "workspace", folder / "files")


@pytest.fixture(scope="session")
def server(world: Workspace) -> Iterator[Server]:
    """A dashboard on that workspace."""
    with serve(APP, {"CROWDSELECT_WORKSPACE": str(world.root), "OMP_NUM_THREADS": "1"}) as running:
        yield running


@pytest.fixture(autouse=True)
def ours() -> Iterator[list[logging.LogRecord]]:
    """A page says in a sentence that it failed; a test must not miss it."""
    records: list[logging.LogRecord] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = records.append  # type: ignore[method-assign]
    shell.LOG.addHandler(handler)
    yield records
    shell.LOG.removeHandler(handler)
    assert not records, records[0].exc_text or str(records[0].exc_info)


Open = Callable[..., AppTest]


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> Open:
    """``open_page(workspace, "select", w="...")``: run a page with link parameters."""

    def opened(workspace: Workspace, page: str = "crowd", **params: Any) -> AppTest:
        monkeypatch.setenv("CROWDSELECT_WORKSPACE", str(workspace.root))
        at = AppTest.from_file(script.__file__, default_timeout=60)
        at.query_params["encoder"] = small.ENCODER
        for name, value in params.items():
            at.query_params[name] = str(value)
        at.run()
        if page != "crowd":
            go(at, page)
        return at

    return opened


def go(at: AppTest, page: str) -> AppTest:
    """Switch to a page by its address."""
    folder = script.pages_folder()
    file = next(p for p in folder.glob("*.py") if p.stem.split("_")[-1] == page)
    # AppTest takes a path relative to the main script, and wants it below or beside.
    at.switch_page(f"../../{folder.name}/{file.name}")
    return at.run()
