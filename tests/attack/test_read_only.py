"""Read-only is enforced where things are written, not by the pages' buttons."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from crowdselect import files, jobs, pipeline
from crowdselect.errors import ReadOnlyError, of_the_disk
from crowdselect.readonly import READ_ONLY_VARIABLE
from crowdselect.settings import Workspace, open_workspace
from crowdselect.store import Crowd, ScoreInfo, write_tags
from crowdselect.values import Recipe
from tests.crowds import left_behind
from tests.pipeline import tiny

RECIPE = Recipe(crowd="tiny", encoder="lsa", clusters=2, budget=4)


def everything(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Workspace, Crowd]:
    workspace = open_workspace(tmp_path / "w")
    pipeline.ingest(workspace, "table", [tiny.write_tidy(tmp_path)], name="tiny")
    pipeline.save_selection(
        workspace, pipeline.select(pipeline.open_crowd(workspace, "tiny"), RECIPE), "mine"
    )
    jobs.create(workspace, "landscape", {"crowd": "tiny"}, run_id="waits")
    monkeypatch.setenv(READ_ONLY_VARIABLE, "1")
    return open_workspace(tmp_path / "w"), pipeline.open_crowd(workspace, "tiny")


CHANGES: dict[str, Callable[[Workspace, Crowd], object]] = {
    "note": lambda w, c: c.notes.append("pin", "u01"),
    "undo": lambda w, c: c.notes.undo(),
    "models": lambda w, c: c.set_models(list(c.models)),
    "judge": lambda w, c: c.add_judge("new", pd.DataFrame({"id": ["u01"], "lonely": [1.0]})),
    "scores": lambda w, c: c.write_scores(
        "mine", pd.DataFrame({"id": ["u01"], "mine": [1.0]}), ScoreInfo(name="mine")
    ),
    "tags": lambda w, c: write_tags(c.path, "instag", {"u01": ["a"]}),
    "ingest": lambda w, c: pipeline.ingest(w, "table", [w.root.parent / "tidy.csv"], name="other"),
    "replace": lambda w, c: pipeline.ingest(
        w, "table", [w.root.parent / "tidy.csv"], name="tiny", replace=True
    ),
    "remove crowd": lambda w, c: pipeline.remove_crowd(w, "tiny"),
    "save": lambda w, c: pipeline.save_selection(w, pipeline.select(c, RECIPE)),
    "rename": lambda w, c: pipeline.rename_selection(w, "mine", "yours"),
    "remove selection": lambda w, c: pipeline.remove_selection(w, "mine"),
    "export": lambda w, c: pipeline.export(w, pipeline.find_selection(w, "mine"), "messages"),
    "job": lambda w, c: jobs.create(w, "landscape", {"crowd": "tiny"}),
    "start": lambda w, c: jobs.start(w.run("waits")),
    "cancel": lambda w, c: jobs.cancel(w.run("waits")),
    "index": lambda w, c: c.build_index(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_nothing_can_be_changed(opened: tuple[Workspace, Crowd], change: str) -> None:
    workspace, crowd = opened
    if change == "index":
        pytest.importorskip("tantivy")
    before = everything(workspace.root)
    with pytest.raises(ReadOnlyError) as raised:
        CHANGES[change](workspace, crowd)
    told = of_the_disk(raised.value)
    assert told is not None
    assert "read-only" in told.problem
    assert everything(workspace.root) == before
    assert left_behind(workspace) == [crowd.path]


def test_looking_and_choosing_write_nothing(opened: tuple[Workspace, Crowd]) -> None:
    workspace, crowd = opened
    before = everything(workspace.root)
    other = RECIPE.model_copy(update={"clusters": 3, "seed": 9})
    assert len(pipeline.select(crowd, other).ids) == 4
    pipeline.landscape(crowd, encoder="lsa", clusters=4)
    assert [view.id for view in jobs.all_runs(workspace)] == ["waits"]
    assert everything(workspace.root) == before
    with pytest.raises(ReadOnlyError):
        files.write_text(workspace.root / "a", "")
