"""What the pages do when they are used, without a browser."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crowdselect import pipeline
from crowdselect.dashboard import state, table
from crowdselect.dashboard.finetune.names import demo_models
from crowdselect.dashboard.scatter import PointSet, lasso_state
from crowdselect.store import ScoreInfo
from crowdselect.values import Recipe
from tests.dashboard import small
from tests.dashboard.conftest import go
from tests.dashboard.test_pages import texts_of


def draft_of(at) -> Recipe:
    return at.session_state[state.DRAFT]


def click(at, label: str):
    button = next(b for b in at.button if b.label == label)
    return button.click().run()


def test_a_weight_slider_changes_the_draft_and_lists_who_comes_and_leaves(ready, open_page):
    at = open_page(ready, "select", budget=20, clusters=3)
    assert "Move a control" in texts_of(at)
    at.slider(key="r.weight.difficulty").set_value(-2.0).run()
    assert not at.exception
    assert draft_of(at).weights["difficulty"] == -2
    assert "come in" in texts_of(at)
    changes = at.dataframe[0].value
    assert set(changes["change"]) == {"in", "out"}


def test_the_page_selects_the_rows_of_the_pipeline(ready, open_page):
    at = open_page(ready, "select", budget=17, clusters=3, **{"w.difficulty": 1, "w.stability": -1})
    crowd = pipeline.open_crowd(ready, small.NAME)
    wanted = pipeline.select(crowd, draft_of(at))
    shown = at.session_state["_steps"]["now"]
    assert [crowd.ids[r] for r in shown] == list(wanted.ids)


def figure(at, label: str) -> int:
    return int(next(m.value for m in at.metric if m.label == label))


def test_who_comes_in_and_who_leaves_is_counted_apart(ready, open_page):
    """With a larger budget rows only come, with a smaller one they only leave."""
    at = open_page(ready, "select", budget=20, clusters=3)
    at.number_input(key="r.budget").set_value(26).run()
    assert (figure(at, "Come in"), figure(at, "Leave")) == (6, 0)
    assert list(at.dataframe[0].value["change"]) == ["in"] * 6
    at.number_input(key="r.budget").set_value(23).run()
    assert (figure(at, "Come in"), figure(at, "Leave")) == (0, 3)
    assert list(at.dataframe[0].value["change"]) == ["out"] * 3


def test_a_weight_of_zero_leaves_the_recipe(ready, open_page):
    at = open_page(ready, "select", budget=20, clusters=3)
    at.slider(key="r.weight.separability").set_value(0.0).run()
    assert "separability" not in draft_of(at).weights
    assert at.slider(key="r.weight.separability").value == 0


def test_no_weight_at_all_is_explained(ready, open_page):
    at = open_page(ready, "select", clusters=3, **{"w.difficulty": 1})
    at.slider(key="r.weight.difficulty").set_value(0.0).run()
    assert not at.exception
    assert any("zero" in w.value for w in at.warning)


def test_a_preset_sets_the_sliders(ready, open_page):
    at = open_page(ready, "select", clusters=3)
    at.selectbox(key="preset").set_value("agreed").run()
    assert draft_of(at).weights == {"difficulty": 1, "separability": -1, "stability": 1}
    assert at.slider(key="r.weight.separability").value == -1
    assert at.selectbox(key="preset").value == "agreed"
    at.slider(key="r.weight.separability").set_value(-0.9).run()
    assert at.selectbox(key="preset").value == "own weights"


def test_a_metric_can_be_added(ready, open_page):
    at = open_page(ready, "select", clusters=3)
    at.selectbox(key="add metric").set_value("length").run()
    assert draft_of(at).weights["length"] == 1
    assert at.slider(key="r.weight.length").value == 1


@pytest.mark.parametrize("strategy", ["random", "top", "reward_top", "k_center"])
def test_other_strategies_are_shown_too(strategy, ready, open_page):
    at = open_page(ready, "select", strategy=strategy, budget=15, clusters=3)
    assert not at.exception
    assert not at.error
    assert at.metric[0].value == "15"


def test_save_load_rename_and_remove(ready, open_page):
    at = open_page(ready, "select", budget=20, clusters=3)
    next(t for t in at.text_input if t.label == "Name").set_value("mine")
    click(at, "Save selection")
    saved = pipeline.list_selections(ready)
    assert [s.name for s in saved] == ["mine"]
    assert saved[0].n == 20
    at.segmented_control(key="v.select.part").set_value("Saved and compare").run()
    tick(at, ready, 0)
    assert at.session_state[state.VIEW]["select.saved"] == [saved[0].id]
    click(at, "Open its recipe")
    assert draft_of(at) == saved[0].recipe
    click(at, "Remove it")
    assert pipeline.list_selections(ready) == []


def tick(at, ready, *rows: int) -> None:
    """Tick saved selections, as a visitor does."""
    key = table.ticks_key("saved", [s.id for s in pipeline.list_selections(ready)])
    at.session_state[key] = {"selection": {"rows": list(rows), "columns": [], "cells": []}}
    at.run()


def saved_pair(ready):
    crowd = pipeline.open_crowd(ready, small.NAME)
    for name, weights in (("one", {"difficulty": 1.0}), ("two", {"difficulty": -1.0})):
        recipe = Recipe(
            crowd=small.NAME, encoder=small.ENCODER, clusters=3, clustering="fast", budget=20,
            weights=weights,
        )  # fmt: skip
        pipeline.save_selection(ready, pipeline.select(crowd, recipe), name)


def ticked(ready, *places: int) -> dict[str, str]:
    """What a link says when saved selections are ticked."""
    saved = pipeline.list_selections(ready)
    return {"select.saved": json.dumps([saved[i].id for i in places])}


def test_compare_two(ready, open_page):
    saved_pair(ready)
    at = open_page(ready, "select", **ticked(ready, 0, 1), **{"select.part": "Saved and compare"})
    assert not at.exception
    titles = [s.value for s in at.subheader]
    assert {"Overlap", "Shared by whom", "Clusters"} <= set(titles)
    assert len(at.get("plotly_chart")) == 2


def test_export_gives_the_bytes_of_the_pipeline(ready, open_page):
    saved_pair(ready)
    at = open_page(ready, "select", **ticked(ready, 0), **{"select.part": "Export"})
    click(at, "Write export")
    assert not at.exception
    assert not at.error
    name = pipeline.list_selections(ready)[0].name
    out = ready.root / "elsewhere"
    made = pipeline.export(ready, name, "messages", out)
    written = ready.selection(pipeline.list_selections(ready)[0].id) / "exports" / "messages"
    assert (written / made.data.name).read_bytes() == made.data.read_bytes()
    assert at.get("download_button")


def test_a_lasso_on_the_map_lists_its_rows_and_becomes_a_filter(ready, open_page):
    crowd = pipeline.open_crowd(ready, small.NAME)
    xy = pipeline.plane_of(crowd, small.ENCODER).xy
    points = PointSet.from_arrays(xy[:, 0], xy[:, 1])
    x0, x1, y0, y1 = points.bounds
    polygon = [(x0 - 1, y0 - 1), (x1 + 1, y0 - 1), (x1 + 1, (y0 + y1) / 2), (x0 - 1, (y0 + y1) / 2)]
    inside = points.inside(polygon)
    assert 0 < len(inside) < crowd.n
    at = open_page(ready, "map", clusters=3)
    at.session_state["map scatter"] = {"lasso": lasso_state(points, polygon)}
    at.run()
    assert not at.exception
    assert f"{len(inside):,} in the lasso, of all {crowd.n:,} instructions" in texts_of(at)
    click(at, "Use as filter")
    assert len(draft_of(at).filters.lasso) == 4
    assert any("inside a lasso" in b.label for b in at.button)


def test_the_cluster_slider_is_the_recipes(ready, open_page):
    at = open_page(ready, "map", clusters=3)
    at.slider(key="r.clusters.slider").set_value(5).run()
    assert not at.exception
    assert draft_of(at).clusters == 5
    go(at, "select")
    assert at.number_input(key="r.clusters").value == 5


def test_search_filters_and_chips(ready, open_page):
    at = open_page(ready, "explore", **{"explore.q": "recipe soup"})
    expected = sum("recipe for soup" in t for t in small.texts())
    assert f"{expected} instructions for" in texts_of(at)
    at = open_page(ready, "explore", **{"filters.contains": "PYTHON"})
    kept = sum("python" in t.lower() for t in small.texts())
    assert f"{kept} of {small.N} instructions match the filters" in texts_of(at)
    chip = next(b for b in at.button if "contains" in b.label)
    chip.click().run()
    assert draft_of(at).filters.contains is None
    assert f"all {small.N} instructions" in texts_of(at)


def test_more_like_this(ready, open_page):
    at = open_page(ready, "explore", **{"explore.like": "q010"})
    assert not at.exception
    assert "most like q010" in texts_of(at)


def test_search_by_meaning_finds_what_shares_no_word(ready, open_page):
    pytest.importorskip("sentence_transformers", reason="the extra embed is not installed")
    small.embed(pipeline.open_crowd(ready, small.NAME), "minilm")
    query = {"encoder": "minilm", "explore.in": "meaning", "explore.q": "cooking a vegetable stew"}
    at = open_page(ready, "explore", **query)
    assert not at.exception
    assert "closest in meaning to" in texts_of(at)
    shown = list(at.dataframe[0].value["instruction"])
    soups = sum("recipe for soup" in text for text in small.texts())
    assert all("recipe for soup" in text for text in shown[:soups])


def test_meaning_is_not_offered_where_a_question_cannot_be_embedded(ready, open_page):
    at = open_page(ready, "explore", **{"explore.in": "meaning", "explore.q": "soup"})
    assert not at.exception
    assert at.session_state["v.explore.in"] == "instructions"
    assert "closest in meaning" not in texts_of(at)


def test_a_cell_opens_the_instruction_and_next_walks_the_list(ready, open_page):
    at = open_page(ready, "instruction", **{"instruction.id": "q004"})
    at.session_state[table.TRAIL] = np.array(["q007", "q004", "q002"], dtype=object)
    at.run()
    assert "2 of 3" in texts_of(at)
    click(at, "Next")
    assert "3 of 3" in texts_of(at)
    assert small.LATEX in texts_of(at)
    assert next(b for b in at.button if b.label == "Next").disabled


def test_pins_and_bans_reach_the_selection_and_can_be_undone(ready, open_page):
    frame = pd.DataFrame({"id": ["q050"], "mine": [np.nan], "mine__reason": ["no digits"]})
    info = ScoreInfo(name="mine", title="Mine", source="a model")
    pipeline.open_crowd(ready, small.NAME).write_scores("mine", frame, info)
    at = open_page(ready, "instruction", **{"instruction.id": "q050"})
    table_of_metrics = "".join(element.proto.body for element in at.get("html"))
    assert "No value: no digits." in table_of_metrics, "what a scorer said of it stands there"
    click(at, "Pin")
    crowd = pipeline.open_crowd(ready, small.NAME)
    assert crowd.notes.state().pins == ("q050",)
    go(at, "select")
    assert "1 pinned instruction always in" in texts_of(at)
    assert crowd.row_of["q050"] in at.session_state["_steps"]["now"]
    stranger = open_page(ready, "instruction", **{"instruction.id": "q050"})
    assert next(b for b in stranger.button if b.label == "Undo").disabled
    go(at, "instruction")
    click(at, "Undo")
    assert crowd.notes.state().pins == ()


def test_families_and_sizes_can_be_confirmed(ready, open_page):
    at = open_page(ready, "crowd", **{"crowd.tab": "Models"})
    assert not at.exception
    assert "1 model without family or size." in texts_of(at)


def test_an_upload_becomes_a_crowd(workspace, open_page, tmp_path):
    at = open_page(workspace, "crowd")
    files = small.write_files(tmp_path)
    at.selectbox(key="ingest source").set_value("table").run()
    for path in files[:2]:
        at.file_uploader[0].upload(path.name, path.read_bytes())
    at.text_input(key="ingest name").set_value("mine")
    click(at, "Ingest")
    assert not at.exception
    assert workspace.crowd_names() == ["mine"]


def test_a_path_outside_the_allowed_folders_is_refused(workspace, open_page, tmp_path):
    small.write_files(tmp_path / "elsewhere")
    at = open_page(workspace, "crowd")
    at.text_input(key="ingest path").set_value(str(tmp_path / "elsewhere" / "responses.parquet"))
    click(at, "Ingest")
    assert "no file or folder that the dashboard may read" in at.error[0].value.replace("\\", "")
    assert workspace.crowd_names() == []


def test_nothing_to_ingest_is_said(workspace, open_page):
    at = open_page(workspace, "crowd")
    click(at, "Ingest")
    assert not at.exception
    assert "nothing to ingest" in at.error[0].value


def test_published_numbers_are_marked_and_stand_beside_ours(ready, open_page):
    at = open_page(ready, "benchmark", **{"benchmark.tab": "Published"})
    assert not at.exception
    assert [s.value for s in at.subheader] == ["Published", "Ours"]
    assert any("published, not measured here" in m.value for m in at.markdown)
    shown = at.dataframe[0].value
    best = shown[shown["setting"] == "multiple metrics; best answer"]
    assert best["mt-bench"].item() == 5.125
    assert best["arena-hard"].item() == 80.6
    assert "No run of this workspace" in texts_of(at)
    at.selectbox(key="v.benchmark.table").set_value("13").run()
    assert not at.exception
    assert len(at.dataframe[0].value) != len(shown)


def test_a_fine_tune_starts_from_what_was_saved_last_and_the_demos_base(ready, open_page):
    saved_pair(ready)
    at = open_page(ready, "finetune")
    assert not at.exception
    newest = pipeline.list_selections(ready)[0]
    assert at.multiselect(key="finetune selections").value == [newest.id]
    if not demo_models():
        pytest.skip("data/demo is not there")
    model = Path(at.selectbox(key="finetune model").value)
    assert model.name.startswith("base-")
    assert (model / "config.json").exists()
    assert at.selectbox(key="finetune preset sft demo").value == "demo"


def test_a_form_and_its_ticks_are_there_again_after_another_page(ready, open_page):
    saved_pair(ready)
    at = open_page(ready, "finetune")
    at.number_input(key="finetune eval").set_value(10).run()
    at.selectbox(key="finetune method").set_value("dpo").run()
    go(at, "explore")
    go(at, "select")
    at.segmented_control(key="v.select.part").set_value("Saved and compare").run()
    tick(at, ready, 0, 1)
    go(at, "finetune")
    assert not at.exception
    assert at.number_input(key="finetune eval").value == 10
    assert at.selectbox(key="finetune method").value == "dpo"
    go(at, "select")
    assert "Shared by whom" in [s.value for s in at.subheader]


def test_a_bad_link_is_said_once_and_the_defaults_are_shown(ready, open_page):
    at = open_page(ready, "crowd", budget="much")
    assert not at.exception
    (said,) = [t.value.replace("\\", "") for t in at.toast]
    assert "The link: budget" in said
    assert "found 'much'" in said
    assert draft_of(at).crowd == small.NAME


def test_the_report_of_a_saved_selection(ready, open_page):
    saved_pair(ready)
    at = open_page(ready, "report")
    titles = [s.value for s in at.subheader]
    assert {"The crowd", "The recipe", "What was chosen", "Examples"} <= set(titles)
    assert at.header[0].value == pipeline.list_selections(ready)[0].name


def test_two_sessions_keep_their_own_drafts(ready, open_page):
    one = open_page(ready, "select", budget=11, clusters=3)
    two = open_page(ready, "select", budget=22, clusters=3)
    one.slider(key="r.weight.difficulty").set_value(0.5).run()
    assert draft_of(one).budget == 11
    assert draft_of(two).budget == 22
    assert draft_of(two).weights["difficulty"] == 1


def test_the_link_of_a_session_opens_the_same_draft(ready, open_page):
    from crowdselect.dashboard.link import to_params

    at = open_page(ready, "select", budget=13, clusters=4, **{"w.difficulty": -1.5})
    again = open_page(ready, "select", **to_params(draft_of(at)))
    assert draft_of(again) == draft_of(at)
    assert json.loads(draft_of(again).model_dump_json())["budget"] == 13


def test_a_score_file_becomes_a_column_that_can_be_weighed(ready, open_page):
    at = open_page(ready, "crowd", **{"crowd.tab": "Scores"})
    lines = "\n".join(f"q{i:03d},{i / 10}" for i in range(small.N))
    at.file_uploader[0].upload("mine.csv", f"id,taste\n{lines}\n".encode()).run()
    click(at, "Import")
    assert not at.exception
    assert not at.error
    crowd = pipeline.open_crowd(ready, small.NAME)
    assert "taste" in crowd.score_columns()
    at = open_page(ready, "select", clusters=0, budget=5, **{"w.taste": 1})
    assert [crowd.ids[r] for r in at.session_state["_steps"]["now"]] == [
        f"q{i:03d}" for i in range(small.N - 1, small.N - 6, -1)
    ]


def test_judges_are_audited_in_words(ready, open_page):
    at = open_page(ready, "crowd", **{"crowd.tab": "Bias audit"})
    assert not at.exception
    titles = {s.value for s in at.subheader}
    assert {"Judge agreement", "Length", "Families", "Identical columns"} <= titles
    assert "Duplicate instructions" in titles
