"""A saved selection -> the file that a fine-tune reads, for every method."""

import json

import numpy as np
import pytest

from crowdselect import files, pipeline
from crowdselect.errors import InputError, NotFoundError
from crowdselect.finetune import PairRule, read_run
from crowdselect.finetune.data import read_data
from crowdselect.pipeline.finetune import finetune, training_source


@pytest.fixture
def saved(ready, crowd, recipe):
    return pipeline.save_selection(ready, pipeline.select(crowd, recipe()), name="best")


def test_a_selection_becomes_messages_in_rank_order(ready, crowd, saved):
    source = training_source(ready, "best")
    data = read_data(source.data)
    chosen = pipeline.load_selection(ready, "best")
    assert data.format == "messages"
    assert [c.messages[-2]["content"] for c in data.conversations] == crowd.instruction_texts(
        [crowd.row_of[i] for i in chosen.ids]
    )
    origin = source.options["origin"]
    assert (origin.selection, origin.name, origin.pairs) == (saved.id, "best", "")
    assert origin.recipe == saved.recipe


@pytest.mark.parametrize("worse", ["worst", "closest"])
def test_pairs_are_the_best_and_a_worse_answer_by_the_named_judge(ready, crowd, saved, worse):
    rule = PairRule(margin=0.25, worse=worse)
    source = training_source(ready, saved.id, method="dpo", pairs=rule)
    rows = [json.loads(line) for line in source.data.read_text().splitlines()]
    rewards = crowd.rewards()
    least = 0.25 * np.nanstd(rewards.values)
    assert rows
    for row in rows:
        number = crowd.row_of[row["id"]]
        answers = crowd.answers(number).set_index("response")[rewards.judge]
        best = answers[row["chosen"][0]["content"]].max()
        bad = answers[row["rejected"][0]["content"]].min()
        assert best == np.nanmax(rewards.values[number])
        assert best - bad >= least
        assert row["margin"] >= least
        assert row["prompt"][0]["content"] == crowd.instruction_texts([number])[0]
    manifest = files.read_json(source.data.parent / "manifest.json")
    assert manifest["counts"]["pairs"] == len(rows)
    assert worse in manifest["rule"]
    assert source.pairs == (
        f"{len(rows)} of {manifest['counts']['selected']} instructions ({manifest['rule']})"
    )
    assert source.options["origin"].pairs == source.pairs  # so the model card tells it
    assert read_data(source.data, preference=True).format == "preference"
    again = training_source(ready, saved.id, method="dpo", pairs=rule)
    assert again.data == source.data


def test_too_large_a_margin_is_refused(ready, saved):
    with pytest.raises(InputError, match="far apart"):
        training_source(ready, "best", method="orpo", pairs=PairRule(margin=1e6))


def test_a_file_is_taken_as_it_is_and_anything_else_is_named(ready, tmp_path):
    (tmp_path / "d.jsonl").write_text('{"prompt": "a", "completion": "b"}\n')
    source = training_source(ready, tmp_path / "d.jsonl")
    assert source.selection is None
    assert source.options == {"data": str(tmp_path / "d.jsonl")}
    with pytest.raises(NotFoundError, match="neither a file nor a selection"):
        training_source(ready, "bset")


def test_a_run_knows_its_selection(ready, saved, tmp_path):
    path = finetune(ready, "best", str(tmp_path), start=False, method="simpo", seed=7)
    view = read_run(path)
    assert view.state == "waiting"
    assert view.config.origin is not None
    assert view.config.origin.selection == saved.id
    assert (view.config.method, view.config.seed) == ("simpo", 7)
    assert view.config.preset == "simpo-default"
    assert view.provenance["data_sha256"] == files.sha256_file(
        training_source(ready, "best", method="simpo").data
    )
