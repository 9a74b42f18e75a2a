"""A selection out as Argilla records, and their annotations back in as notes, each once."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from crowdselect import pipeline
from crowdselect.cli import main
from crowdselect.errors import InputError
from crowdselect.settings import Workspace
from crowdselect.values import Recipe
from tests.pipeline import tiny

WHO = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
GIVEN: dict[str, list[Any]] = {
    "quality": ["good"],
    "rating": [4],
    "topics": [["food", "bread"]],
    "why": ["It says how long to bake, and that the oven must be hot before anything goes in."],
}


def annotated(row: dict[str, Any]) -> dict[str, Any]:
    """As ``argilla`` writes a record with responses; by itself where it is installed."""
    if not find_spec("argilla"):
        told = {q: [{"value": v, "user_id": WHO} for v in vs] for q, vs in GIVEN.items()}
        return {**row, "responses": told, "status": "completed", "_server_id": None}
    import argilla

    record = argilla.Record.from_dict(row)
    assert record.to_dict()["fields"] == row["fields"]
    for question, values in GIVEN.items():
        for value in values:
            record.responses.add(argilla.Response(question, value, user_id=WHO))
    return record.to_dict()


def test_records_go_out_and_come_back_as_notes(
    workspace: Workspace, tmp_path: Path, capsys: Any
) -> None:
    crowd = pipeline.ingest(
        workspace, "table", [tiny.write_tidy(tmp_path, tiny.frame(12))], name="c"
    )
    recipe = Recipe(crowd="c", budget=3, clusters=1, encoder="lsa")
    saved = pipeline.save_selection(workspace, pipeline.select(crowd, recipe))
    out, back = tmp_path / "records.json", tmp_path / "back.json"
    at = ["--workspace", str(workspace.root)]
    assert main(["selection", "records", saved.id, str(out), *at]) == 0
    rows = json.loads(out.read_text())
    assert len(rows) == 3
    assert rows[0]["fields"]["prompt"][-1]["role"] == "user"
    assert rows[0]["metadata"]["rank"] == 1
    assert main(["selection", "records", saved.id, str(out), *at]) == 2, "nothing is overwritten"

    changed = [annotated(rows[0]), rows[1], {**annotated(rows[2]), "id": "stranger"}]
    back.write_text(json.dumps(changed))
    capsys.readouterr()
    assert main(["crowd", "annotations", "c", str(back), *at]) == 0
    said = capsys.readouterr()
    assert said.out == "5 notes added to c.\n"
    assert "1 records are of no instruction of c" in said.err
    state = pipeline.open_crowd(workspace, "c").notes.state()
    chosen = rows[0]["id"]
    assert state.tags == {chosen: ("quality: good", "rating: 4", "topics: food", "topics: bread")}
    assert state.comments == {chosen: (f"why: {GIVEN['why'][0]}",)}
    assert state.authors[chosen] == (WHO,)
    assert main(["crowd", "annotations", "c", str(back), *at]) == 0
    assert capsys.readouterr().out == "0 notes added to c.\n"


def test_a_file_without_records_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    from crowdselect.pipeline.argilla import read_annotations

    pipeline.ingest(workspace, "table", [tiny.write_tidy(tmp_path, tiny.frame(4))], name="c")
    (tmp_path / "x.json").write_text('[{"text": "a"}]')
    with pytest.raises(InputError, match="holds no records with id and responses"):
        read_annotations(workspace, "c", tmp_path / "x.json")
