"""An answer that a person wrote or chose is what gets trained on, wherever the data goes."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from crowdselect import pipeline
from crowdselect.cli import main
from crowdselect.errors import InputError, NotFoundError
from crowdselect.pipeline import answer_words, list_draft
from crowdselect.store import Author
from crowdselect.values import BY_HAND, GivenAnswer, Recipe

TEXT = "    indented,\nby a person"


@pytest.fixture
def by_hand(crowd, recipe) -> Recipe:
    """The first selected row has a text by hand, the second another model's answer."""
    first, second = pipeline.select(crowd, recipe()).ids[:2]
    models = pipeline.select(crowd, recipe()).models
    other = next(m.name for m in crowd.models if m.name != models[1])
    given = {first: {"text": TEXT, "by": "Ann"}, second: {"model": other}}
    return recipe(answers=given)


def test_export_pairs_and_list_hold_what_a_person_wrote(ready, crowd, recipe, by_hand, tmp_path):
    plain, chosen = pipeline.select(crowd, recipe()), pipeline.select(crowd, by_hand)
    assert list(chosen.ids) == list(plain.ids)
    assert chosen.models[0] == BY_HAND
    assert chosen.models[1] == by_hand.answers[chosen.ids[1]].model != plain.models[1]
    assert chosen.models[2:] == plain.models[2:]
    assert chosen.report["responders"][BY_HAND] == 1
    saved = pipeline.save_selection(ready, chosen, "edited")
    assert saved.id != recipe().id
    assert pipeline.load_selection(ready, "edited").recipe == by_hand
    written = pipeline.export(ready, "edited", "messages", tmp_path / "out")
    lines = [json.loads(line) for line in written.data.read_text().splitlines()]
    assert lines[0]["messages"][-1]["content"] == TEXT
    answers = crowd.answers(crowd.row_of[chosen.ids[1]]).set_index("model")["response"]
    assert lines[1]["messages"][-1]["content"] == answers[chosen.models[1]]
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["recipe"]["answers"][chosen.ids[0]] == {
        "text": TEXT, "model": None, "by": "Ann"
    }  # fmt: skip
    lines = list_draft(pipeline.Session(crowd), by_hand).frame()
    assert lines["answer"][0] == TEXT
    assert lines["model"][0] == BY_HAND
    assert np.isnan(lines["reward"][0])


def test_pairs_prefer_what_a_person_wrote(ready, crowd, by_hand):
    from crowdselect.pipeline.finetune import training_source

    pipeline.save_selection(ready, pipeline.select(crowd, by_hand), "edited")
    data = training_source(ready, "edited", method="dpo").data
    assert json.dumps(TEXT) in data.read_text()


def test_a_recipe_without_answers_by_hand_keeps_its_id_and_its_bytes(recipe):
    assert "answers" not in recipe().model_dump()
    assert "answers" not in recipe().to_toml()
    given = recipe(answers={"q": {"text": TEXT}})
    assert given.id != recipe().id
    assert Recipe.from_toml(given.to_toml()) == given


def test_a_row_that_nobody_answered_is_eligible_once_a_person_wrote(crowd, recipe):
    plain = pipeline.Session(crowd).answers(recipe())
    there = plain.there.copy()
    there[:2] = False
    unanswered = replace(plain, there=there)
    assert not unanswered.eligible()[:2].any()
    given = {str(crowd.ids[0]): GivenAnswer(text="x"), "gone": GivenAnswer(text="y")}
    given[str(crowd.ids[1])] = GivenAnswer(model=crowd.models[0].name)
    written = replace(unanswered, given=given)
    assert written.eligible()[:2].tolist() == [True, False]
    assert written.columns(np.array([1, 0]), 42).tolist() == [-1, -2]


def test_what_a_person_wrote_passes_every_gate_and_is_counted(ready, crowd, recipe, tmp_path):
    best = np.nanmax(crowd.rewards(crowd.judges[0]).values, axis=1)
    worst = str(crowd.ids[int(np.argmin(best))])
    gate = {"kind": "reward", "at_least": float(np.sort(best)[1])}
    gated = recipe(gate=gate, clusters=0, budget=crowd.n)
    assert worst not in pipeline.select(crowd, gated).ids
    written = gated.model_copy(update={"answers": {worst: GivenAnswer(text=TEXT)}})
    chosen = pipeline.select(crowd, written)
    assert worst in chosen.ids
    assert chosen.report["gate"]["by_hand"] == chosen.report["answers"]["by_hand"] == 1
    assert chosen.report["gate"]["passed"] == crowd.n
    assert "1 written by hand, which no judge has graded" in answer_words(chosen.report["answers"])
    pipeline.save_selection(ready, chosen, "edited")
    pipeline.export(ready, "edited", "messages", tmp_path / "out")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["report"]["answers"]["by_hand"] == 1
    assert "written by hand, not graded | 1 |" in (tmp_path / "out" / "README.md").read_text()
    plain = pipeline.select(crowd, gated).report
    assert "by_hand" not in plain["answers"]
    assert "by_hand" not in plain["gate"]
    chosen_model = {worst: GivenAnswer(model=crowd.models[0].name)}
    asked = gated.model_copy(update={"answers": chosen_model})
    assert worst not in pipeline.select(crowd, asked).ids


def test_what_cannot_be_is_refused(crowd, recipe):
    with pytest.raises(InputError, match="either a text or a model"):
        Recipe.parse({"crowd": "tiny", "answers": {"q": {"text": "x", "model": "y"}}}, "It")
    first = pipeline.select(crowd, recipe()).ids[0]
    with pytest.raises(NotFoundError, match="no such model"):
        pipeline.select(crowd, recipe(answers={first: GivenAnswer(model="nobody")}))


def test_the_command_line_takes_answers_from_the_notes(ready, crowd, recipe, capsys):
    first = pipeline.select(crowd, recipe()).ids[0]
    crowd.notes.append("answer", first, TEXT, Author("Ann"))
    options = ["--encoder", "lsa", "--clusters", "3", "--budget", "12", "--json", "--no-save"]
    assert main(["select", "tiny", "--notes", *options, "--workspace", str(ready.root)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["recipe"]["answers"][first]["by"] == "Ann"
    assert told["selected"][0]["model"] == BY_HAND
