"""Benchmark results on the pages: beside each other, in the report, and apart from the papers'."""

import numpy as np
import pytest

from crowdselect import jobs, pipeline
from crowdselect.benchmark import published_tables
from crowdselect.charts.style import LIGHT
from crowdselect.dashboard import jobs_view
from crowdselect.dashboard.benchmark.published import published_frame
from crowdselect.dashboard.report.results import result_chapters
from crowdselect.jobs.view import set_status
from crowdselect.values import Recipe
from tests.benchmark.conftest import finished  # noqa: F401 - a fixture
from tests.browser import browser_page, serve
from tests.dashboard import small
from tests.dashboard.conftest import APP
from tests.dashboard.driving import visit
from tests.dashboard.test_pages import texts_of


@pytest.fixture
def workspace(ready):
    """The workspace that :func:`finished` writes its runs into."""
    return ready


@pytest.fixture
def trained(ready, finished, monkeypatch):  # noqa: F811
    """A saved selection, a model trained on it, and one trained on something else."""
    monkeypatch.setenv("CROWDSELECT_WORKSPACE", str(ready.root))
    crowd = pipeline.open_crowd(ready, small.NAME)
    recipe = Recipe(
        crowd=small.NAME, encoder=small.ENCODER, clusters=3, clustering="fast", budget=20
    )
    saved = pipeline.save_selection(ready, pipeline.select(crowd, recipe), "ours")
    rng = np.random.default_rng(0)
    weak = (rng.random(200) < 0.3).astype(float)
    strong = np.maximum(weak, (rng.random(200) < 0.5).astype(float))
    finished("ours (tiny)", strong.tolist(), selection=saved.id, run="finetune-1")
    finished("random (tiny)", weak.tolist(), selection="other", run="finetune-2")
    return saved


def test_the_report_tells_what_training_was_worth(trained, open_page, ready):
    at = open_page(ready, "report")
    assert not at.exception
    assert "What it was worth" in [s.value for s in at.subheader]
    assert "ours (tiny) is better than random (tiny)" in texts_of(at)


@pytest.mark.browser
@pytest.mark.xdist_group("dashboard-browser")
def test_the_table_of_runs_fills_while_one_goes_on(ready, finished):  # noqa: F811
    """Read again every few seconds: what one benchmark of a run found is there before its end."""
    run = finished("going (tiny)", [0.0, 1.0] * 10, run="finetune-9").path
    record, *_ = (run / "results.jsonl").read_text().splitlines()
    (run / "results.jsonl").unlink()
    set_status(run, "waiting")
    cell = "td[role=gridcell]"
    with (
        serve(APP, {"CROWDSELECT_WORKSPACE": str(ready.root)}) as server,
        browser_page() as watched,
    ):
        page = visit(watched, server, "benchmark")
        page.locator(cell, has_text="0 of 1").wait_for(state="attached")
        (run / "results.jsonl").write_text(record + "\n")
        page.locator(cell, has_text="1 of 1").wait_for(state="attached")
        assert page.locator(cell, has_text="waiting to start").count()
        set_status(run, "done")
        page.locator(cell, has_text="done").wait_for(state="attached")


def test_a_selection_that_nothing_was_trained_on_has_no_such_chapter(trained):
    assert result_chapters("another", LIGHT) == []


def test_the_chapter_shows_both_models_and_only_differences_of_its_own(trained, finished):  # noqa: F811
    finished("third (tiny)", [0.0, 1.0] * 100, run="finetune-3")
    (chapter,) = result_chapters(trained.id, LIGHT)
    assert set(chapter.figure.data[0].y) == {"ours (tiny)", "random (tiny)", "third (tiny)"}
    differences = [s for s in chapter.sentences if "questions" in s and "ours" not in s]
    assert not any("random (tiny)" in s and "third (tiny)" in s for s in differences)


def test_results_are_shown_with_differences_and_their_limits(trained, open_page, ready):
    at = open_page(ready, "benchmark")
    assert not at.exception
    assert "is better than" in texts_of(at)
    assert len(at.warning) == 1


def test_a_published_table_keeps_every_number():
    for study in published_tables().values():
        for _, part in study.groupby(["table", "model"], sort=False):
            wide = published_frame(part)
            names = list(part["benchmark"].unique())
            shown = np.sort(wide[names].to_numpy(dtype=float).ravel())
            first = part.drop_duplicates(["setting", "tuning", "benchmark"])
            assert len(first) == len(part), part["table"].iloc[0]
            assert np.array_equal(shown[~np.isnan(shown)], np.sort(part["score"].to_numpy()))


def test_a_run_that_was_asked_to_stop_says_so_until_it_does(workspace):
    path = jobs.create(workspace, "landscape", {"crowd": "c"})
    assert jobs_view.state_words(jobs.read(path).state, path) == "waiting to start"
    jobs.cancel(path)
    assert jobs_view.state_words(jobs.read(path).state, path) == jobs_view.CANCELLING
    assert jobs_view.status_line(jobs.read(path)).startswith(jobs_view.CANCELLING)
    assert jobs_view.state_words("cancelled", path) == "cancelled"
