"""One damaged folder hides no other: every listing shows the rest, and says what can be done."""

import shutil
from pathlib import Path

import pytest

from crowdselect import jobs, pipeline
from crowdselect.benchmark import list_results
from crowdselect.cli import main
from crowdselect.errors import CrowdSelectError
from crowdselect.settings import Workspace, open_workspace
from crowdselect.values import Recipe
from tests.pipeline import tiny

RECIPE = Recipe(crowd="good", strategy="random", clusters=0, budget=4)
DAMAGES = {"gone": None, "cut": b'{"na', "another kind": b"[1]", "binary": b"\xff\0"}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Two crowds, two selections, two runs."""
    root = tmp_path_factory.mktemp("sound")
    workspace = open_workspace(root / "w")
    for name in ("good", "bad"):
        pipeline.ingest(workspace, "table", [tiny.write_tidy(root)], name=name)
        jobs.create(workspace, "landscape", {"crowd": name}, run_id=name)
        recipe = RECIPE.model_copy(update={"crowd": name})
        chosen = pipeline.select(pipeline.open_crowd(workspace, name), recipe)
        pipeline.save_selection(workspace, chosen, f"{name}-one", note=f"the {name} one")
    return workspace


@pytest.fixture
def workspace(sound: Workspace, tmp_path: Path) -> Workspace:
    return Workspace(Path(shutil.copytree(sound.root, tmp_path / "w")))


def damage(path: Path, how: str) -> None:
    content = DAMAGES[how]
    path.unlink() if content is None else path.write_bytes(content)


@pytest.mark.parametrize(
    ("file", "how"),
    [
        ("about.json", "gone"),
        ("about.json", "another kind"),
        ("manifest.json", "cut"),
        ("recipe.toml", "binary"),
    ],
)
def test_a_damaged_selection(
    workspace: Workspace, file: str, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = pipeline.find_selection(workspace, "bad-one")
    recipe = bad.recipe
    damage(bad.path / file, how)
    assert [saved.name for saved in pipeline.list_selections(workspace)] == ["good-one"]
    (found,) = pipeline.damaged(workspace)
    assert (found.kind, found.name) == ("selection", bad.id)
    assert str(bad.path) in found.problem
    for arguments in (["selection", "list"], ["selection", "list", "--json"]):
        assert main([*arguments, "--workspace", str(workspace.root)]) == 0
        told = capsys.readouterr()
        assert "good-one" in told.out
        assert bad.id in told.err
        assert found.remedy in " ".join(told.err.split())
    with pytest.raises(CrowdSelectError, match="damaged"):
        pipeline.load_selection(workspace, bad.id)
    chosen = pipeline.select(pipeline.open_crowd(workspace, "bad"), recipe)
    again = pipeline.save_selection(workspace, chosen)  # the way on that is told
    assert pipeline.damaged(workspace) == []
    assert (again.note == "the bad one") == (file != "about.json")
    damage(bad.path / file, how)
    pipeline.remove_selection(workspace, bad.id)  # the other one
    assert pipeline.damaged(workspace) == []
    assert not bad.path.exists()


@pytest.mark.parametrize(
    ("file", "how"),
    [
        ("crowd.duckdb", "gone"),
        ("models.csv", "gone"),
        ("report.json", "cut"),
        ("rewards/strict.parquet", "cut"),
    ],
)
def test_a_damaged_crowd(
    workspace: Workspace, file: str, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(workspace.crowd("bad") / file, how)
    (found,) = pipeline.damaged(workspace)
    assert (found.kind, found.name) == ("crowd", "bad")
    assert main(["crowd", "list", "--workspace", str(workspace.root)]) == 0
    told = capsys.readouterr()
    assert "good" in told.out
    assert found.remedy in " ".join(told.err.split())
    pipeline.ingest(  # the way on that is told
        workspace, "table", [tiny.write_tidy(workspace.root.parent)], name="bad", replace=True
    )
    assert pipeline.damaged(workspace) == []


@pytest.mark.parametrize("how", ["gone", "cut"])
@pytest.mark.parametrize("file", ["config.json", "status.json", "results.jsonl"])
def test_a_damaged_run(
    workspace: Workspace, file: str, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (workspace.run("bad") / file).touch()
    damage(workspace.run("bad") / file, how)
    for command in (["run", "list"], ["benchmark", "list"]):
        assert main([*command, "--workspace", str(workspace.root)]) == 0
        capsys.readouterr()
    assert list_results(workspace) == []
    named = {(each.kind, each.name) for each in pipeline.damaged(workspace)}
    assert named == (set() if file == "results.jsonl" else {("run", "bad")})
