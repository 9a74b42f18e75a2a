"""From a selection to files: the right responses, no benchmark, everything written down."""

import json
import shutil

import pytest

from crowdselect import files, pipeline
from crowdselect.errors import InputError, NotFoundError
from crowdselect.export import FORMATS
from crowdselect.finetune import PairRule
from crowdselect.pipeline.finetune import training_source
from crowdselect.values import Recipe
from tests.pipeline import tiny


def rows_of(path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_responses_are_those_of_the_chosen_models(ready, crowd, recipe) -> None:
    chosen = pipeline.select(crowd, recipe())
    made = pipeline.export(ready, chosen, "messages", ready.root / "out")
    rows = rows_of(made.data)
    assert [row["id"] for row in rows] == list(chosen.ids)
    for row, model in zip(rows, chosen.models, strict=True):
        answers = crowd.answers(crowd.row_of[row["id"]]).set_index("model")["response"]
        assert row["messages"][1] == {"role": "assistant", "content": answers[model]}


@pytest.mark.parametrize("name", FORMATS.names())
def test_every_format_twice_the_same_bytes(ready, crowd, recipe, name: str) -> None:
    pipeline.save_selection(ready, pipeline.select(crowd, recipe()), "best")
    first = pipeline.export(ready, "best", name)
    before = {p.name: p.read_bytes() for p in first.path.iterdir()}
    again = pipeline.export(ready, recipe().id, name)
    assert {p.name: p.read_bytes() for p in again.path.iterdir()} == before
    assert first.n == 12


def test_manifest(ready, crowd, recipe) -> None:
    chosen = pipeline.select(crowd, recipe())
    made = pipeline.export(ready, chosen, "parquet", ready.root / "out", licence="mit")
    manifest = files.read_json(made.path / "manifest.json")
    assert manifest["recipe_id"] == recipe().id
    assert manifest["recipe"] == recipe().model_dump(mode="json")
    assert manifest["crowd"]["fingerprint"] == crowd.fingerprint
    assert len(manifest["crowd"]["models"]) == 6
    assert manifest["report"]["tie_block"] == chosen.report["tie_block"]
    counts = {"selected": 12, "flagged": 0, "unanswered": 0, "exported": 12}
    assert manifest["counts"] == counts
    assert str(ready.root) not in (made.path / "manifest.json").read_text()


def test_benchmark_texts_are_left_out_and_listed(ready, crowd, recipe) -> None:
    chosen = pipeline.select(crowd, recipe())
    text = crowd.instruction(crowd.row_of[chosen.ids[0]]).text
    bench = tiny.write_benchmark(ready.root, ["Nothing like it at all", text.upper()])
    made = pipeline.export(ready, chosen, "messages", ready.root / "out", [bench], words=8)
    assert made.n == 12, "another took its place"
    assert chosen.ids[0] not in [row["id"] for row in rows_of(made.data)]
    assert made.recipe_id != chosen.recipe.id
    saved = pipeline.load_selection(ready, made.recipe_id)
    trained = training_source(ready, made.recipe_id).data
    for same in (saved.ids, [row["id"] for row in rows_of(trained)]):
        assert list(same) == [row["id"] for row in rows_of(made.data)]
    facts = made.manifest["decontamination"]
    assert facts == saved.report["decontamination"]
    assert saved.report["excluded"][f"overlap with {bench.name}"] == 1
    assert [hit["id"] for hit in facts["flagged"]] == [chosen.ids[0]]
    assert facts["flagged"][0]["reference"] == "1"
    assert facts["against"][0]["sha256"] == files.sha256_file(bench)
    kept = pipeline.export(
        ready, chosen, "messages", ready.root / "kept", [bench], words=8, keep_flagged=True
    )
    assert kept.n == 12
    assert kept.manifest["decontamination"]["flagged"] == facts["flagged"]


def test_selecting_without_benchmark_texts_refills(ready, crowd, recipe) -> None:
    first = pipeline.select(crowd, recipe())
    bench = tiny.write_benchmark(ready.root, [crowd.instruction(crowd.row_of[first.ids[0]]).text])
    clean, found = pipeline.without_contamination(crowd, recipe(), [bench], words=8)
    assert found.ids == (first.ids[0],)
    second = pipeline.select(crowd, clean)
    assert len(second.ids) == 12
    assert first.ids[0] not in second.ids
    assert clean.bans == ()
    assert [(k.name, k.words) for k in clean.decontaminate] == [(bench.name, 8)]
    assert clean.decontaminate[0].sha256 == files.sha256_file(bench)
    bench.unlink()
    again = Recipe.from_toml(clean.to_toml())
    anew = pipeline.select(pipeline.open_crowd(ready, "tiny"), again)
    assert list(anew.ids) == list(second.ids), "the workspace keeps the questions"
    tiny.write_benchmark(ready.root, [crowd.instruction(crowd.row_of[first.ids[0]]).text])
    pinned, found = pipeline.without_contamination(
        crowd, recipe(pins=(first.ids[0],)), [bench], words=8
    )
    assert found.ids == (first.ids[0],)
    kept = pipeline.select(crowd, pinned)
    assert first.ids[0] in kept.ids, "a person asked for it"
    assert kept.report["decontamination"]["pinned"] == [first.ids[0]]


def test_questions_that_the_workspace_does_not_hold_are_asked_for(ready, crowd, recipe) -> None:
    text = crowd.instruction(3).text
    bench = tiny.write_benchmark(ready.root, [text])
    clean, _ = pipeline.without_contamination(crowd, recipe(), [bench], words=8)
    shutil.rmtree(ready.questions)
    with pytest.raises(InputError, match=f"{bench.name} .*does not hold") as said:
        pipeline.select(crowd, clean)
    assert "--against" in said.value.remedy
    back, _ = pipeline.without_contamination(crowd, clean, [bench])
    assert back == clean, "the file belongs to the recipe already"
    assert len(pipeline.select(crowd, back).ids) == 12


def test_mistakes_are_named(ready, crowd, recipe) -> None:
    chosen = pipeline.select(crowd, recipe())
    with pytest.raises(NotFoundError, match="no format"):
        pipeline.export(ready, chosen, "mesages")
    with pytest.raises(InputError, match="no option"):
        pipeline.export(ready, chosen, "messages", options={"sytem": "x"})
    with pytest.raises(NotFoundError, match="no file"):
        pipeline.export(ready, chosen, "messages", against=["none.jsonl"])
    pipeline.remove_crowd(ready, "tiny")
    with pytest.raises(NotFoundError, match="no crowd"):
        pipeline.export(ready, chosen, "messages")


def test_a_crowd_ingested_anew_is_noticed(ready, crowd, recipe, tmp_path) -> None:
    chosen = pipeline.select(crowd, recipe())
    data = tiny.frame()
    file = tiny.write_tidy(tmp_path, data[data["id"] != chosen.ids[0]])
    pipeline.ingest(ready, "table", [file], name="tiny", replace=True)
    with pytest.raises(NotFoundError, match=f"1 of 12 selected ids .* '{chosen.ids[0]}'"):
        pipeline.export(ready, chosen, "messages")


def test_a_crowd_without_rewards_is_exported_and_trained_on(ready, recipe, tmp_path) -> None:
    data = tiny.frame()[["id", "model", "instruction", "response"]]
    pipeline.ingest(ready, "table", [tiny.write_tidy(tmp_path, data)], name="plain")
    crowd = pipeline.open_crowd(ready, "plain")
    assert crowd.judges == ()
    made = recipe(crowd="plain", strategy="random", clusters=0, answer="random")
    saved = pipeline.save_selection(ready, pipeline.select(crowd, made), "some")
    written = pipeline.export(ready, "some", "messages")
    assert written.n == 12
    assert "| reward model | none |" in (written.path / "README.md").read_text()
    assert len(rows_of(training_source(ready, saved.id).data)) == 12


def test_an_export_of_nothing_is_refused(ready, crowd, recipe) -> None:
    none = pipeline.select(crowd, recipe(filters={"contains": "no instruction says this"}))
    with pytest.raises(InputError, match="holds no instruction"):
        pipeline.export(ready, none, "messages", ready.root / "out")
    one = pipeline.select(crowd, recipe(budget=1))
    bench = tiny.write_benchmark(ready.root, crowd.instruction_texts())
    with pytest.raises(InputError, match="overlaps with a benchmark") as said:
        pipeline.export(ready, one, "messages", ready.root / "out", [bench], words=8)
    assert "--keep-flagged" in said.value.remedy
    assert not (ready.root / "out").exists()


def test_pairs_are_those_that_a_preference_method_trains_on(ready, crowd, recipe) -> None:
    saved = pipeline.save_selection(ready, pipeline.select(crowd, recipe(budget=8)))
    written = pipeline.export(ready, saved.id, "preference", options={"margin": 0.1})
    rule = PairRule(margin=0.1)
    trained = rows_of(training_source(ready, saved.id, method="dpo", pairs=rule).data)
    assert sorted(rows_of(written.data), key=lambda r: r["id"]) == sorted(
        trained, key=lambda r: r["id"]
    )
    counts = written.manifest["counts"]
    assert counts["exported"] + counts["without_a_pair"] == 8
    assert "0.1 standard deviations" in written.manifest["pairs"]
    with pytest.raises(InputError, match="that far apart"):
        pipeline.export(ready, saved.id, "preference", options={"margin": 99.0})


def test_a_share_is_held_back_for_testing(ready, crowd, recipe) -> None:
    saved = pipeline.save_selection(ready, pipeline.select(crowd, recipe(budget=8)))
    written = pipeline.export(ready, saved.id, "messages", test=0.25)
    train, test = (rows_of(written.path / name) for name in ("data.jsonl", "test.jsonl"))
    assert {r["id"] for r in train} | {r["id"] for r in test} == set(saved_ids(ready, saved.id))
    assert (
        written.manifest["counts"] | {"train": len(train), "test": len(test)}
        == (written.manifest["counts"])
    )
    assert (len(test), written.n) == (2, 8)


def saved_ids(workspace, name) -> list[str]:
    return [str(i) for i in pipeline.load_selection(workspace, name).ids]
