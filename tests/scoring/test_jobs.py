"""A crowd or a file -> columns through the job: usable in a recipe, resumable, plain errors."""

import json
import os
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from crowdselect import files, jobs, pipeline
from crowdselect.cli import main
from crowdselect.errors import CrowdSelectError, InputError, NotFoundError
from crowdselect.pipeline.scoring import ScoreConfig, create_score
from crowdselect.scoring import SCORERS
from crowdselect.values import Recipe
from tests.pipeline import tiny

N = 12


@pytest.fixture
def crowd(workspace, tmp_path):
    data = tiny.frame(N)
    data.loc[data["id"] == "u03", "response"] = None
    table = tiny.write_tidy(tmp_path, data)
    return pipeline.ingest(workspace, "table", [table], name="tiny")


def config(source, model, scorer="selectit", **fields) -> ScoreConfig:
    options = {"models": [{"model": str(model), "batch_tokens": 600}]}
    if scorer == "selectit":
        options["n_prompts"] = 2
    return ScoreConfig(source=str(source), scorer=scorer, options=options, **fields)


def finish(workspace, given: ScoreConfig) -> dict:
    """Run the job in this process; what it reported at its end."""
    path = create_score(workspace, given)
    assert jobs.run_here(path) == "done", jobs.read(path).error
    return next(e for e in files.read_lines(path / "events.jsonl") if e["event"] == "scores")


def conversations(folder: Path) -> Path:
    rows = [
        {"instruction": f"What is {i} + {i}?", "output": f"It is {2 * i}. " * (1 + i % 3)}
        for i in range(9)
    ]
    path = folder / "data.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_scored_crowd_has_columns_that_a_recipe_can_weigh(
    workspace, crowd, small_model, monkeypatch, capsys
):
    monkeypatch.setenv("CROWDSELECT_WORKSPACE", str(workspace.root))
    code = main(
        ["score", "tiny", "-s", "selectit", "-m", str(small_model), "-o", "n_prompts=2", "--json"]
    )
    said = capsys.readouterr()
    assert code == 0, said.err
    told = json.loads(said.out)
    assert told["columns"][0] == "selectit"
    assert told["missing"]["selectit"] == 0
    assert sum(s["n"] for s in told["analysis"]["ranks"]) == N - 1
    again = pipeline.open_crowd(workspace, "tiny")
    info = {m.name: m for m in pipeline.available_metrics(again)}["selectit"]
    assert info.direction.startswith("higher")
    values = pipeline.metrics(again, ["selectit"]).columns["selectit"]
    assert np.isnan(values[again.row_of["u03"]])
    assert np.isfinite(values).sum() == N - 1
    recipe = Recipe(
        crowd="tiny", encoder="lsa", clusters=1, budget=3, weights={"selectit": 1.0}, seed=1
    )
    chosen = pipeline.select(again, recipe)
    best = np.argsort(-np.nan_to_num(values, nan=-np.inf))[:3]
    assert sorted(chosen.ids) == sorted(again.ids[best])


def test_a_file_goes_in_and_parquet_comes_out(workspace, small_model, tmp_path):
    target = tmp_path / "out" / "ifd.parquet"
    told = finish(
        workspace, config(conversations(tmp_path), small_model, "ifd", out=str(target), limit=7)
    )
    table = pq.read_table(target).to_pandas()
    assert told["file"] == str(target)
    assert table["id"].tolist() == [str(i) for i in range(1, 8)]
    assert np.isfinite(table["ifd_loss"]).all()
    assert {"ifd", "ifd_ppl"} < set(table.columns)


def test_a_killed_job_resumes(workspace, small_model, tmp_path, monkeypatch):
    source = conversations(tmp_path)
    whole = finish(workspace, config(source, small_model, "ifd"))
    shutil.rmtree(workspace.cache)
    path = create_score(workspace, config(source, small_model, "ifd"))
    pid = jobs.start(path)
    while not files.read_lines(path / "events.jsonl"):
        time.sleep(0.1)
    os.kill(pid, signal.SIGKILL)
    deadline = time.time() + 30
    while jobs.read(path).state != "failed" and time.time() < deadline:
        time.sleep(0.1)
    assert "killed" in jobs.read(path).error[0]
    assert jobs.run_here(path) == "done"
    found = next(e for e in files.read_lines(path / "events.jsonl") if e["event"] == "scores")
    assert pq.read_table(found["file"]).equals(pq.read_table(whole["file"]))


def test_a_cancelled_job_leaves_no_column_and_goes_on(workspace, crowd, small_model):
    path = create_score(workspace, config("tiny", small_model))
    (path / "CANCEL").touch()  # asked for while the process was starting
    assert jobs.run_here(path) == "cancelled"
    assert pipeline.open_crowd(workspace, "tiny").score_columns() == {}
    assert jobs.run_here(path) == "done"
    assert "selectit" in pipeline.open_crowd(workspace, "tiny").score_columns()


def test_a_score_takes_the_name_it_is_given(workspace, crowd, small_model):
    told = finish(workspace, config("tiny", small_model, "ifd", name="cherry"))
    assert told["columns"] == ["cherry", "cherry_ppl", "cherry_loss"]
    assert set(pipeline.open_crowd(workspace, "tiny").score_columns()) == set(told["columns"])


def test_what_cannot_work_is_said_at_once(workspace, crowd, small_model, tmp_path):
    wrong: list[tuple[dict, type[CrowdSelectError], str]] = [
        ({"scorer": "selectitt"}, NotFoundError, "no scorer called"),
        ({"options": {}}, InputError, "needs a model"),
        ({"source": "nobody"}, NotFoundError, "no crowd called"),
        ({"source": "data/none.jsonl"}, NotFoundError, "no file data/none.jsonl"),
        ({"options": {"models": [{"model": "./none"}]}}, NotFoundError, "no model folder ./none"),
        ({"answer": "worst-ever"}, InputError, "worst-ever"),
        ({"options": {"n_levels": 10}}, InputError, "outside"),
        ({"scorer": "direct", "options": {"models": [{"model": "m"}]}}, InputError, "no address"),
        (
            {"scorer": "direct", "options": {"models": [{"model": "m", "base_url": "here"}]}},
            InputError,
            "'here' is no server's address",
        ),
        ({"scorer": "deita"}, InputError, "one for quality"),
    ]
    for fields, kind, words in wrong:
        base = config("tiny", small_model).model_dump()
        if fields.get("scorer") not in (None, "selectit") and "options" not in fields:
            base["options"].pop("n_prompts")
        with pytest.raises(kind, match=words):
            create_score(workspace, ScoreConfig(**{**base, **fields}))
    assert list(workspace.runs.glob("*")) == []


def test_a_file_without_responses_fails_with_a_reason(workspace, small_model, tmp_path):
    path = tmp_path / "bare.jsonl"
    path.write_text('{"instruction": "Say hello.", "output": ""}\n')
    run = create_score(workspace, config(path, small_model, "ifd"))
    assert jobs.run_here(run) == "failed"
    assert "bare.jsonl" in jobs.read(run).error[0]


def test_fewer_samples_than_tenths(workspace, crowd, small_model):
    told = finish(workspace, config("tiny", small_model, limit=3))
    assert [s["n"] for s in told["analysis"]["ranks"]] == [1, 1, 1]
    made = pipeline.open_crowd(workspace, "tiny").score_columns()["selectit"].made
    assert json.dumps(made["analysis"], allow_nan=False)


def test_the_doctor_knows_every_scorer(capsys):
    assert main(["doctor", "--json"]) == 0
    told = {row["name"]: row for row in json.loads(capsys.readouterr().out)["scoring"]}
    assert {scorer.name for scorer in SCORERS} < set(told)
    assert {"crowd generate", "crowd judge", "--engine ray"} < set(told)
    assert told["direct"]["uses"] == "chat server"
    assert told["ifd"] == {
        "name": "ifd", "uses": "language model", "missing": [], "install": None
    }  # fmt: skip
