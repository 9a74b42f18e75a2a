"""From plain training data to a selection of it: ingest, score, select, export."""

import json

from crowdselect import jobs, pipeline
from crowdselect.pipeline.scoring import ScoreConfig, create_score
from crowdselect.values import Recipe
from tests.crowds import write_jsonl


def test_training_data_is_scored_selected_and_exported(workspace, small_model, tmp_path):
    rows = [{"instruction": f"Say {w}.", "output": w, "system": "Be brief."} for w in
            ("one", "two words", "three words here", "four words are here")]  # fmt: skip
    crowd = pipeline.ingest(workspace, "sft", [write_jsonl(tmp_path / "d.jsonl", rows)], name="d")
    crowd.close()
    options = {"models": [{"model": str(small_model)}], "keep_harmful": True}
    path = create_score(workspace, ScoreConfig(source="d", scorer="ifd", options=options))
    assert jobs.run_here(path) == "done", jobs.read(path).error
    crowd = pipeline.open_crowd(workspace, "d")
    recipe = Recipe(crowd="d", weights={"ifd": 1.0}, clusters=0, budget=2, encoder="lsa")
    selection = pipeline.select(crowd, recipe)
    scores = pipeline.metrics(crowd, ("ifd",), None).columns["ifd"]
    assert set(crowd.rows(selection.ids)) == set(scores.argsort()[-2:])
    saved = pipeline.save_selection(workspace, selection)
    written = pipeline.export(workspace, saved.id, "messages")
    lines = [json.loads(line) for line in written.data.read_text().splitlines()]
    assert [m["role"] for m in lines[0]["messages"]] == ["system", "user", "assistant"]
    assert {line["messages"][2]["content"] for line in lines} < {r["output"] for r in rows}
