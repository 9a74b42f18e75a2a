"""Gate, ties and questions on the page, and a report of the crowd that it was made from."""

import json

import numpy as np
import pandas as pd
import pytest

from crowdselect import pipeline
from crowdselect.charts.style import LIGHT
from crowdselect.dashboard import colours, hover, reads
from crowdselect.dashboard.report import build
from crowdselect.dashboard.report.build import story_of
from crowdselect.dashboard.select import live
from crowdselect.settings import open_workspace
from crowdselect.values import Recipe
from tests.browser import browser_page
from tests.dashboard import small
from tests.dashboard.driving import press, shown, visit


def add_judge(crowd, name, values):
    frame = pd.DataFrame(values, columns=[m.name for m in crowd.models])
    frame.insert(0, "id", crowd.ids)
    crowd.add_judge(name, frame)


@pytest.fixture
def graded(ready, monkeypatch):
    """The crowd with a judge of right and wrong: nobody is right on a third, two on a third."""
    monkeypatch.setenv("CROWDSELECT_WORKSPACE", str(ready.root))
    crowd = pipeline.open_crowd(ready, small.NAME)
    values = np.zeros((crowd.n, len(crowd.models)))
    values[1::3, :2] = values[2::3, 0] = 1.0
    add_judge(crowd, "right", values)
    return reads.crowd(small.NAME)


def recipe_of(**fields):
    return Recipe(crowd=small.NAME, encoder=small.ENCODER, clusters=0, budget=24, **fields)


def test_a_tied_best_model_is_called_so(graded):
    recipe = recipe_of(judge="right")
    names, pool, _ = live.best_models(graded, recipe, np.arange(9))
    assert dict(zip(names, pool, strict=True)) == {"tied best": 80, "alpha-1b": 40}
    look = hover.source(graded, recipe, ["difficulty"]).lookup
    facts = [dict(look(row).facts)["best model"] for row in range(3)]
    assert facts == ["tied best (5)", "tied best (2)", "alpha-1b"]
    colour = colours.colour_by(graded, recipe, colours.BEST)
    assert set(colour.names) == {"tied best", "alpha-1b"}


def test_a_report_is_of_the_crowd_that_it_was_made_from(graded, ready):
    chosen = pipeline.select(graded, recipe_of(judge="right", gate={"kind": "reward"}))
    then = graded.fingerprint
    story = story_of(graded, chosen, LIGHT, title="t", version="0.1")
    titles = [c.title for c in story.chapters]
    assert "The crowd has changed" not in titles
    said = {c.title: " ".join(c.sentences) for c in story.chapters}
    assert "24" in said["The answers"]
    assert "0 of 24 answers" in said["The answers"]
    assert "40 of 120 instructions" in said["The gate"]
    add_judge(graded, "later", np.ones((graded.n, len(graded.models))))
    now = reads.crowd(small.NAME)
    story = story_of(now, chosen, LIGHT, title="t", version="0.1")
    assert story.chapters[0].title == "The crowd has changed"
    assert then[:16] in story.colophon
    assert now.fingerprint[:16] not in story.colophon
    assert "crowdselect 0.1." in story.colophon


def test_judges_combined_have_figures_of_their_own(graded):
    board = reads.leaderboard(graded, "all").set_index("model")
    places = reads.rewards(graded, "all").values
    expected = []
    for judge in ("judge_a", "judge_b", "right"):
        values = pd.DataFrame(graded.rewards(judge).values)
        expected.append(values.rank(axis=1).div(values.notna().sum(axis=1), axis=0))
    mean = np.nanmean(np.array(expected), axis=0)
    np.testing.assert_allclose(places, mean)
    for j, model in enumerate(graded.models):
        assert board.loc[model.name, "mean"] == pytest.approx(mean[:, j].mean())
    recipe = recipe_of(judge="all")
    chapter = build._crowd_chapter(graded, recipe, LIGHT)
    assert "all judges" in chapter.figure.layout.xaxis.title.text


@pytest.mark.browser
@pytest.mark.xdist_group("dashboard-browser")
def test_gate_and_questions_are_set_on_the_page(server, world, tmp_path):
    """A gate, its slider and what it removes; an uploaded file keeps its name and can go again."""
    crowd = pipeline.open_crowd(open_workspace(world.root), small.NAME)
    bench = tmp_path / "my questions (1).jsonl"
    bench.write_text(json.dumps({"prompt": crowd.instruction(7).text + " and so on, at length"}))
    with browser_page(width=1280, height=1200) as watched:
        page = visit(watched, server, "select", budget=20, clusters=0)
        page.get_by_role("combobox", name="Gate").click()
        page.get_by_role("option", name="Best reward, among the best of all").click()
        shown(page, "It removes 60 of 120 instructions")
        press(page, "Good enough from", "Home", at=0.5)
        shown(page, "It removes 0 of 120 instructions")
        assert "gate.kind=quantile" in page.url
        page.get_by_test_id("stFileUploaderDropzoneInput").first.set_input_files(str(bench))
        shown(page, "my questions (1).jsonl: ")
        page.get_by_text("Command line").click()
        shown(page, 'name = "my questions (1).jsonl"')
        shown(page, 'ties = "draw"')
        page.get_by_role("button", name="Take back").click()
        page.get_by_text('name = "my questions (1).jsonl"').wait_for(state="detached")
        # In the order of likeness even where the file's order was asked for before.
        asked = {"explore.like": "q010", "explore.sort": "order of the file"}
        page = visit(watched, server, "explore", **asked)
        shown(page, "most like q010, the likest first, from 0.30 on")
        assert page.get_by_role("combobox", name="Sort by").input_value() == "as found"
        press(page, "Likeness, at least", "End", at=0.3)
        shown(page, "the likest first, from 1.00 on")
        # A table of several pages has no search that would cover this page only.
        page = visit(watched, server, "explore")
        page.locator("[class*=st-key-paged] [data-testid=stDataFrame]").hover()
        toolbar = page.locator("[class*=st-key-paged] [data-testid=stElementToolbar]")
        toolbar.get_by_role("button", name="Fullscreen").wait_for()
        assert not toolbar.get_by_role("button", name="Search").is_visible()
        # Nor a CSV of this page only, with cells that a spreadsheet would run.
        assert not toolbar.get_by_role("button", name="Download").is_visible()
        page = visit(watched, server, "", judge="all")
        shown(page, "Mean place among the answers, 0 to 1, over all judges")
