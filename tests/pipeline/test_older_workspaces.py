"""What every earlier version wrote is opened, or refused in the words of its maker."""

import gzip
from pathlib import Path

import pytest

from crowdselect import pipeline
from crowdselect.errors import InputError
from crowdselect.pipeline import upkeep
from crowdselect.settings import Workspace, open_workspace
from crowdselect.store.connect import SCHEMA_VERSION

KEPT = sorted((Path(__file__).parents[1] / "workspaces").glob("tables-*.tar.gz"))


def test_there_is_one_of_the_present_version() -> None:
    assert f"tables-{SCHEMA_VERSION}.tar.gz" in [path.name for path in KEPT]


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.name)
def test_it_is_opened_or_refused_by_its_makers_name(path: Path, tmp_path: Path) -> None:
    archive = tmp_path / "kept.tar"
    archive.write_bytes(gzip.decompress(path.read_bytes()))
    workspace: Workspace = open_workspace(tmp_path / "w")
    try:
        upkeep.import_crowd(workspace, archive)
    except InputError as error:
        refused = error
    else:
        assert pipeline.open_crowd(workspace, "tiny").notes.state().pins == ("u01",)
        assert len(pipeline.load_selection(workspace, "mine").ids) == 3
        assert upkeep.check_workspace(workspace) == []
        return
    assert path.name != f"tables-{SCHEMA_VERSION}.tar.gz"
    assert "was made by crowdselect" in refused.problem
