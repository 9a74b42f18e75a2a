"""The workspace: where it is, what may lie in it, and what may not leave it."""

import os
from pathlib import Path

import pytest

from crowdselect.errors import InputError, NotFoundError
from crowdselect.files import TEMPORARY
from crowdselect.settings import (
    Workspace,
    check_name,
    demo_data,
    ingest_folders,
    open_workspace,
    read_only,
)


def test_argument_then_variable_then_here(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CROWDSELECT_WORKSPACE", raising=False)
    assert open_workspace().root == tmp_path / "workspace"
    monkeypatch.setenv("CROWDSELECT_WORKSPACE", str(tmp_path / "by-variable"))
    assert open_workspace().root == tmp_path / "by-variable"
    assert open_workspace(tmp_path / "by-argument").root == tmp_path / "by-argument"


def test_leftovers_are_removed_at_the_start(tmp_path: Path) -> None:
    gone = tmp_path / "crowds" / f"{TEMPORARY}99999999-1-zoo"
    gone.mkdir(parents=True)
    open_workspace(tmp_path)
    assert not gone.exists()


def test_a_workspace_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be created"):
        open_workspace(tmp_path / "file" / "below")


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "../a", "/a", "a\\b", ".hidden", "a..b", "a b", "ä", "a" * 101]
)
def test_names_that_could_leave_the_workspace(workspace: Workspace, name: str) -> None:
    for call in (workspace.crowd, workspace.selection, workspace.run):
        with pytest.raises(InputError, match="cannot be the name"):
            call(name)


@pytest.mark.parametrize("name", ["a", "Magpie-100K_v1.2", "0"])
def test_good_names(name: str) -> None:
    assert check_name("crowd", name) == name


def test_paths_stay_inside(workspace: Workspace, tmp_path: Path) -> None:
    assert workspace.inside("runs/a") == workspace.root / "runs" / "a"
    (workspace.root / "link").symlink_to(tmp_path)
    for path in ("../secret", "/etc/passwd", "link/secret", tmp_path):
        with pytest.raises(InputError, match="outside the workspace"):
            workspace.inside(path)


def test_an_unknown_crowd_is_offered_its_neighbours(workspace: Workspace) -> None:
    for name in ("magpie", "alpaca"):
        workspace.crowd(name).mkdir(parents=True)
        (workspace.crowd(name) / "crowd.duckdb").touch()
    assert workspace.crowd_names() == ["alpaca", "magpie"]
    with pytest.raises(NotFoundError) as raised:
        workspace.existing_crowd("magpi")
    assert "magpie" in raised.value.remedy


def test_read_only_is_asked_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CROWDSELECT_READ_ONLY", raising=False)
    assert not read_only()
    monkeypatch.setenv("CROWDSELECT_READ_ONLY", "1")
    assert read_only()


def test_demo_data_may_lie_elsewhere(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("CROWDSELECT_DATA", str(tmp_path))
    with pytest.raises(NotFoundError, match="demo"):
        demo_data()
    (tmp_path / "demo" / "crowd").mkdir(parents=True)
    assert demo_data() == tmp_path / "demo"


def test_the_dashboard_reads_files_of_the_workspace_and_of_listed_folders(
    workspace, tmp_path, monkeypatch
):
    assert ingest_folders(workspace) == [workspace.root.resolve()]
    monkeypatch.setenv("CROWDSELECT_INGEST", f"{tmp_path / 'a'}{os.pathsep}{tmp_path / 'b'}")
    listed = [workspace.root.resolve(), tmp_path / "a", tmp_path / "b"]
    assert ingest_folders(workspace) == listed
