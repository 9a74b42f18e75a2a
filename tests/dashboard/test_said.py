"""What a page says of itself: what came in, what is short, what was saved, what failed."""

from tests.dashboard.test_pages import texts_of
from tests.dashboard.test_workflows import click, draft_of, saved_pair


def test_a_link_says_what_a_new_session_would_decide_otherwise(ready, open_page):
    """The defaults of a recipe are not those of a new session."""
    at = open_page(ready, "select", budget=1000, clustering="exact", clusters=3)
    assert draft_of(at).clustering == "exact"
    at.run()
    assert at.query_params["budget"] == "1000"
    assert at.query_params["clustering"] == "exact"


def test_a_shortfall_is_said_where_it_happens(ready, open_page):
    at = open_page(ready, "select", budget=110, clusters=3)
    assert not [w.value for w in at.warning if "The budget is" in w.value]
    at = open_page(ready, "select", budget=110, clusters=3, **{"filters.contains": "python"})
    said = " ".join(w.value for w in at.warning)
    kept = int(at.metric[0].value)
    assert 0 < kept < 110
    assert f"The budget is 110, but only {kept} can be chosen" in said


def test_after_an_ingest_the_page_says_what_came_in_and_the_budget_follows(
    ready, open_page, tmp_path
):
    at = open_page(ready, "crowd", budget=24)
    at.segmented_control[0].set_value("Add a crowd").run()
    at.selectbox(key="ingest source").set_value("table").run()
    few = [f"{i},model-{m},how do I do number {i},{i % 7}" for i in range(30) for m in "ab"]
    lines = "\n".join(["id,model,instruction,mine", *few])
    at.file_uploader[0].upload("few.csv", lines.encode())
    at.text_input(key="ingest name").set_value("few")
    click(at, "Ingest")
    assert not at.exception
    assert not at.error
    assert draft_of(at).crowd == "few"
    assert draft_of(at).budget == 6
    assert "few is here" in texts_of(at)
    assert "30 instructions, 2 models, 1 judge." in texts_of(at)
    click(at, "Close")
    assert "few is here" not in texts_of(at)


def test_what_was_saved_is_what_the_figures_compare_with(ready, open_page):
    saved_pair(ready)
    at = open_page(ready, "select", budget=20, clusters=3, **{"w.stability": 1})
    assert next(m.value for m in at.metric if m.label == "vs. last saved") != "100 %"
    next(t for t in at.text_input if t.label == "Name").set_value("third")
    click(at, "Save selection")
    assert [t.value for t in at.toast] == ["Saved 20 instructions as third."]
    assert next(m.value for m in at.metric if m.label == "vs. last saved") == "100 %"


def test_a_mistake_of_ours_is_a_sentence_and_is_written_down(
    ready, open_page, monkeypatch, caplog, ours
):
    from crowdselect.dashboard.explore import search

    def broken(*_):
        raise ZeroDivisionError("of a test")

    monkeypatch.setattr(search, "find", broken)
    at = open_page(ready, "explore")
    assert not at.exception
    assert "ZeroDivisionError" in at.error[0].value
    assert "of a test" not in at.error[0].value
    assert "of a test" in caplog.text
    ours.clear()
