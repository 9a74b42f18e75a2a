"""Studies on their page and in the report; the runs are written as the jobs write them."""

import time

import numpy as np
import pytest

from crowdselect import files, jobs, pipeline
from crowdselect.benchmark import BenchmarkConfig, Item
from crowdselect.benchmark.base import summarise
from crowdselect.benchmark.job import create
from crowdselect.benchmark.results import append_outcome, write_items
from crowdselect.charts.style import LIGHT
from crowdselect.dashboard import reads
from crowdselect.dashboard.finetune import names as finetune_names
from crowdselect.dashboard.report.evidence import evidence_of
from crowdselect.dashboard.report.first_page import first_page
from crowdselect.dashboard.report.studies import study_chapters
from crowdselect.jobs.view import set_status
from crowdselect.pipeline.study import Study, StudyPlan, find_study, read_study, rows_of
from crowdselect.pipeline.study.plan import Split
from tests.dashboard import small
from tests.dashboard.test_pages import texts_of
from tests.dashboard.test_workflows import click, saved_pair

RIGHT = {"random": 0.3, "<b>better</b>": 0.5, "base": 0.1}


@pytest.fixture
def study(ready, monkeypatch):
    """A study with two arms of three seeds, at two budgets, and a base model; nothing is run."""
    monkeypatch.setenv("CROWDSELECT_WORKSPACE", str(ready.root))
    plan = StudyPlan.parse(
        {
            "name": "mine",
            "title": "Does it help?",
            "crowd": small.NAME,
            "baselines": ["random"],
            "seeds": 3,
            "development": "verifiable",
            "test": "verifiable:partial=true",
            "grid": {"recipe.budget": [10, 20]},
            "train": {"model": "models/none"},
            "arms": [
                {"name": "random", "recipe": {"strategy": "random"}},
                {"name": "<b>better</b>", "recipe": {"strategy": "top"}},
                {"name": "base", "untrained": True},
            ],
        },
        "test",
    )
    made = Study(ready, plan)
    files.write_text(made.path / "plan.toml", plan.to_toml())
    return made


def finish(study, split, leave=0):
    """Write the runs of all cells but the last ``leave``."""
    rng = np.random.default_rng(0)
    for cell in study.cells()[: len(study.cells()) - leave]:
        if cell.seed is not None:
            recipe = cell.row.recipe_of(study.plan.crowd, cell.seed)
            about = {"rows": cell.row.recipe["budget"], "data": "x", "sha256": recipe.id,
                     "warnings": []}  # fmt: skip
            files.write_json(study.path / "data" / recipe.id / "chosen.json", about)
        run = study._test(cell, split, study.model_key(cell))
        subject = {"name": cell.row.label, "model": "models/none"}
        config = BenchmarkConfig.parse({"subject": subject, "suites": ["verifiable"]}, "test")
        create(study.workspace, config, run_id=run.name)
        values = (rng.random(120) < RIGHT[cell.row.arm.name]).astype(float)
        items = [Item(f"q{i}", "", float(v), "?", "!") for i, v in enumerate(values)]
        write_items(run / "items" / "x.parquet", items)
        record = {
            "benchmark": "verifiable", "title": "Tasks", "unit": "share right",
            "higher_is_better": True, "bounds": (0.0, 1.0), "protocol": {}, "protocol_key": "",
            "empty": 0, "retry": 0, "notes": [], "facts": {}, "items": "items/x.parquet",
        }  # fmt: skip
        append_outcome(run, record, [summarise("share right", items, bounds=(0.0, 1.0))])
        set_status(run, "done")


def test_a_study_shows_differences_budgets_and_everything_tried(study, open_page, ready):
    finish(study, "development")
    at = open_page(ready, "study")
    assert not at.exception
    said = texts_of(at)
    assert "Difference to random" in [s.value for s in at.subheader]
    assert "Budgets" in [s.value for s in at.subheader]
    assert "Cost against gain" not in [s.value for s in at.subheader]  # nothing was trained
    assert "Who agrees with whom" in [e.label for e in at.expander]
    assert "<b>better</b>, budget 10 is better than random, budget 10" in said
    assert "13 of 13 cells finished; 120 questions" in said
    assert "you will see differences above" in said
    (chapter,) = study_chapters(small.NAME, LIGHT)
    assert any("tuned on" in sentence for sentence in chapter.sentences)
    assert list(chapter.table["seeds"]) == [3, 3, 3, 3, 1]
    assert study_chapters("another", LIGHT) == []


def test_a_study_answers_the_report_of_a_selection_that_one_of_its_arms_makes(study, ready):
    finish(study, "development")
    crowd = reads.crowd(small.NAME)
    row = next(r for r in rows_of(study.plan) if r.label == "<b>better</b>, budget 10")
    chosen = pipeline.select(crowd, row.recipe_of(small.NAME, 42))
    page = first_page(crowd, chosen, LIGHT)
    assert page.answer.startswith("Yes: such a model gets ")
    assert page.answer.endswith("than one trained on as many drawn by chance.")
    assert page.basis.endswith("Study “Does it help?”, 120 questions.")
    assert any("flattered" in doubt for doubt in page.doubts)
    assert page.costs[1].note == "in no training, those of a study not counted"
    other = chosen.recipe.model_copy(update={"budget": 11})
    assert evidence_of(other) == []


def test_a_test_that_is_not_finished_shows_no_number(study, open_page, ready):
    finish(study, "test", leave=1)
    at = open_page(ready, "study", **{"study.split": "test"})
    assert not at.exception
    said = texts_of(at)
    assert "12 of 13 cells are finished" in said
    assert "is better than" not in said
    assert at.dataframe[0].value["share right"].isna().all()
    found = read_study(study, "test")
    assert found.hidden
    assert not found.differences


def test_a_study_of_saved_selections_is_started_cancelled_and_gone_on_with(open_page, ready):
    at = open_page(ready, "study")
    assert not at.exception
    assert "save one on the Select page first" in texts_of(at)
    saved_pair(ready)
    first = pipeline.list_selections(ready)[0]
    at.run()
    assert next(b for b in at.button if b.label == "Start the study").disabled
    model = next(m for m in finetune_names.demo_models() if m.endswith("base-0.5m"))
    next(b for b in at.selectbox if b.label == "Base model").set_value(model).run()
    for label, value in (("Rows", 8), ("Questions", 4), ("Seeds", 1)):
        next(n for n in at.number_input if n.label == label).set_value(value)
    next(t for t in at.text_input if t.label == "Name").set_value("mine").run()
    click(at, "Start the study")
    assert not at.exception
    assert not at.error
    plan = find_study(ready, "mine").plan
    assert [arm.name for arm in plan.arms] == ["random", first.name]
    assert plan.arms[1].recipe["strategy"] == first.recipe.strategy
    assert plan.recipe["budget"] == 8
    assert plan.train["mode"] == "full"
    assert plan.split == Split(development=4, test=4)
    view = jobs.all_runs(ready, "study")[0]
    assert view.state in jobs.ALIVE
    assert "0 of 2 cells finished" in texts_of(at)
    click(at, "Cancel")
    for _ in range(600):
        if jobs.read(view.path).state not in jobs.ALIVE:
            break
        time.sleep(0.1)
    assert jobs.read(view.path).state == "cancelled"
    at.run()
    assert "Resume" in [b.label for b in at.button]


def test_a_study_that_failed_says_why_and_can_go_on(study, open_page, ready):
    plan = study.plan.model_dump(mode="json")
    path = jobs.create(ready, "study", {"plan": plan, "split": "development", "workers": 1})
    set_status(path, "failed", error=("The disk is full.", "Free some space."))
    at = open_page(ready, "study")
    assert not at.exception
    assert "The disk is full" in at.error[0].value
    assert "Resume" in [b.label for b in at.button]


def test_what_people_tagged_can_be_selected_for_on_the_page(open_page, ready):
    crowd = pipeline.open_crowd(ready, small.NAME)
    crowd.notes.append("tag", str(crowd.ids[0]), "like this")
    at = open_page(ready, "select", strategy="targeted")
    assert not at.exception
    assert "needs examples" in at.warning[0].value
    box = next(b for b in at.selectbox if b.label == "Select for")
    assert box.options == ["choose a tag, or add a file", "tagged like this"]
    box.select("tag:like this").run()
    assert not at.exception
    assert not any("needs examples" in warning.value for warning in at.warning)
    assert at.query_params["options.targets"] == "tag:like this"

    # A file of examples is a second task, and what filters keep a third: the filters come off.
    upload = next(u for u in at.file_uploader if u.label.startswith("Examples of what"))
    upload.upload("mine.jsonl", b'{"instruction": "Add 2 and 3"}\n').run()
    assert not at.exception
    box = next(b for b in at.selectbox if b.label == "Select for")
    assert "tagged like this, mine.jsonl (1)" in box.options
    assert not any(b.label.startswith("Select for the") for b in at.button)
    at = open_page(
        ready,
        "select",
        strategy="targeted",
        **{"options.targets": at.query_params["options.targets"], "filters.contains": "sort"},
    )
    kept = next(b for b in at.button if b.label.startswith("Select for the"))
    kept.click().run()
    assert not at.exception
    assert len(at.query_params["options.targets"].split(",")) == 3
    assert "filters.contains" not in at.query_params


def test_what_a_fitted_arm_gained_stands_side_by_side(study, open_page, ready):
    plan = StudyPlan.parse(
        {**study.plan.model_dump(mode="json"), "name": "fitted", "grid": {},
         "arms": [{"name": "random", "recipe": {"strategy": "random"}},
                  {"name": "tuned", "tune": {"runs": 60}}]},
        "test",
    )  # fmt: skip
    made = Study(ready, plan)
    files.write_text(made.path / "plan.toml", plan.to_toml())
    (row,) = [row for row in rows_of(plan) if row.arm.tune is not None]
    recipe = {"strategy": "random", "clusters": 0, "budget": 9}
    files.write_json(
        made.fit_path(row),
        {"arm": "tuned", "by": "datamodel", "baseline": "random", "recipe": recipe, "runs": {},
         "selection": "fitted-tuned", "fitted_on": 80, "checked_on": 40, "chosen": 0,
         "finalists": [{"recipe": recipe, "fitted": 0.04, "checked": 0.02}]},
    )  # fmt: skip
    at = open_page(ready, "study")
    assert not at.exception
    frame = next(f.value for f in at.dataframe if "fitted on" in f.value)
    assert frame[["fitted on", "chosen on"]].values.tolist() == [[0.04, 0.02]]
    assert frame["test"].isna().all()
    assert frame["recipe"].tolist() == ["random; no gate; no clusters; budget 9"]
    assert frame["selection"].tolist() == ["fitted-tuned"]
