"""The pre-experienced step: diverse samples of middling perplexity, and a really trained model."""

import json
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdselect import files, jobs
from crowdselect.pipeline.scoring import ScoreConfig, create_score
from crowdselect.scoring import Sample, diverse_middle, own_order
from crowdselect.store import open_crowd
from tests.pipeline import tiny


def test_rows_come_from_every_cluster_and_from_the_middle_of_each():
    rng = np.random.default_rng(0)
    centres = np.repeat(np.eye(4) * 100, 50, axis=0)
    vectors = centres + rng.normal(size=centres.shape)
    losses = rng.permutation(200).astype(float)
    rows = diverse_middle(vectors, losses, 40)
    assert len(rows) == 40
    assert np.bincount(rows // 50).tolist() == [10] * 4
    for cluster in range(4):
        inside = losses[cluster * 50 : (cluster + 1) * 50]
        low, high = np.percentile(inside, [25, 75])
        chosen = losses[rows[rows // 50 == cluster]]
        assert ((chosen >= low) & (chosen <= high)).all()
    np.testing.assert_array_equal(rows, diverse_middle(vectors, losses, 40))


@given(st.integers(1, 60), st.integers(1, 80), st.integers(0, 3))
def test_never_more_than_wanted_and_each_row_once(n, wanted, seed):
    rng = np.random.default_rng(seed)
    rows = diverse_middle(rng.normal(size=(n, 3)), rng.normal(size=n), wanted)
    assert 1 <= len(rows) <= min(n, wanted)
    assert len(set(rows.tolist())) == len(rows)


def test_samples_have_an_order_of_their_own_whatever_their_file():
    samples = [Sample(str(k), f"question {k % 5}", f"answer {k % 3}") for k in range(30)]
    shuffled = [samples[k] for k in np.random.default_rng(0).permutation(30)]
    first, second = ([each[k] for k in own_order(each)] for each in (samples, shuffled))
    assert first == second
    assert first != samples


def conversations(folder, n=30):
    path = folder / "data.jsonl"
    rows = [
        {"instruction": f"What is {i} plus {i % 7}?", "output": f"{i + i % 7}"} for i in range(n)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def config(source, model, **fields):
    options = {"models": [{"model": str(model)}], "pre_experienced": 20, "keep_harmful": True}
    return ScoreConfig(source=str(source), scorer="ifd", options=options, **fields)


def last(path, name):
    return next(e for e in reversed(files.read_lines(path / "events.jsonl")) if e["event"] == name)


@pytest.mark.slow
def test_the_model_is_trained_on_what_it_then_scores(workspace, base_model, tmp_path):
    source = conversations(tmp_path)
    path = create_score(workspace, config(source, base_model))
    assert jobs.run_here(path) == "done", jobs.read(path).error
    training = workspace.run(last(path, "experienced")["run"])
    record = files.read_json(training / "config.json")["config"]
    assert record["epochs"] == 1
    assert record["model"] == str(base_model)
    assert jobs.read(training).state == "done"
    rows = files.read_lines(Path(record["data"]))
    assert 10 <= len(rows) <= 20
    assert all(r["prompt"].startswith("Instruction: What is ") for r in rows)
    # Another start of the same trains nothing; the raw model gives other numbers.
    again = create_score(workspace, config(source, base_model))
    assert jobs.run_here(again) == "done"
    assert last(again, "experienced")["run"] == training.name
    plain = ScoreConfig(
        source=str(source),
        scorer="ifd",
        options={"models": [{"model": str(base_model)}], "keep_harmful": True},
    )
    raw = create_score(workspace, plain)
    assert jobs.run_here(raw) == "done"
    values = [read(last(p, "scores")["file"]) for p in (path, again, raw)]
    np.testing.assert_array_equal(values[0], values[1])
    assert np.isfinite(values[0]).all()
    assert not np.array_equal(values[0], values[2])


def read(file):
    import pyarrow.parquet as pq

    return pq.read_table(file)["ifd"].to_numpy()


@pytest.mark.slow
def test_cancelling_stops_the_training_and_resuming_goes_on(workspace, base_model, tmp_path):
    from crowdselect import pipeline

    pipeline.ingest(workspace, "table", [tiny.write_tidy(tmp_path, tiny.frame(12))], name="tiny")
    path = create_score(workspace, config("tiny", base_model))

    def cancel_once_it_trains():
        while not list(workspace.runs.glob("finetune-*/status.json")):
            time.sleep(0.02)
        jobs.cancel(path)

    watcher = threading.Thread(target=cancel_once_it_trains, daemon=True)
    watcher.start()
    assert jobs.run_here(path) == "cancelled"
    watcher.join()
    (training,) = jobs.all_runs(workspace, "finetune")
    assert open_crowd(workspace, "tiny").score_columns() == {}
    deadline = time.time() + 60
    while jobs.read(training.path).state in ("running", "waiting") and time.time() < deadline:
        time.sleep(0.1)
    assert jobs.run_here(path) == "done", jobs.read(path).error
    assert len(jobs.all_runs(workspace, "finetune")) == 1
    assert "ifd_pre" in open_crowd(workspace, "tiny").score_columns()
