"""The review page: a list read row by row by keys, filtered, marked, and taken along."""

from collections.abc import Iterator

import pandas as pd
import pytest

from crowdselect import pipeline
from crowdselect.dashboard.filtering import NAME
from crowdselect.dashboard.state import DRAFT
from crowdselect.store import Crowd
from crowdselect.values import Recipe
from tests.browser import browser_page
from tests.dashboard import small
from tests.dashboard.driving import choose, shown, visit


@pytest.fixture
def crowd(world) -> Iterator[Crowd]:
    """The crowd that the browser tests share; its notes are put back."""
    opened = pipeline.open_crowd(world, small.NAME)
    before = opened.notes.path.read_bytes() if opened.notes.path.exists() else b""
    yield opened
    opened.notes.path.write_bytes(before)


def current(page) -> str:
    return page.locator("[data-grid] tr[aria-selected=true]").get_attribute("data-id")


def press(watched, key: str, text: str) -> None:
    """Press a key in the table, and wait until the page says ``text``."""
    watched.page.locator("[data-grid] table").focus()
    watched.page.keyboard.press(key)
    shown(watched.page, text)
    watched.idle()


@pytest.mark.browser
@pytest.mark.xdist_group("dashboard-browser")
def test_the_selected_are_read_and_marked_by_keys(server, world, crowd):
    with browser_page(width=1400, height=1000) as watched:
        page = visit(watched, server, "select", budget=20, clusters=3)
        page.get_by_role("button", name="List the selected").click()
        page.wait_for_url("**/review**")
        shown(page, "all 20 instructions listed; 0 of 20 reviewed")
        ids = [row.get_attribute("data-id") for row in page.locator("[data-grid] tbody tr").all()]
        assert len(ids) == 20
        press(watched, "ArrowDown", "2 of 20 ·")
        press(watched, "End", "20 of 20 ·")
        press(watched, "Home", "1 of 20 ·")
        assert current(page) == ids[0]
        press(watched, "m", "1 of 20 reviewed")
        assert current(page) == ids[1]  # on to the next one
        press(watched, "p", "Unpin")
        page.keyboard.press("t")
        page.keyboard.type("odd")
        page.keyboard.press("Enter")
        shown(page, "instruction tagged")
        watched.idle()
        press(watched, "ArrowDown", "3 of 20 ·")
        press(watched, "b", "instruction banned")
        page.locator(f"[data-grid] tr[data-id={ids[2]}]").wait_for(state="detached")
        watched.idle()
        assert crowd.notes.state().pins == (ids[1],)
        assert crowd.notes.state().bans == (ids[2],)
        assert crowd.notes.state().tags == {ids[1]: ("odd",)}
        assert crowd.notes.state().reviewed == (ids[0],)

        page.goto(f"{page.url}&review.{NAME}unmarked=%5B%22reviewed%22%5D&review.whole=true")
        shown(page, "19 of 20 instructions listed; 1 of 20 reviewed")
        watched.idle()
        page.get_by_role("button", name="Export").click()
        with page.expect_download() as download:
            page.get_by_role("button", name="Download 19 rows").click()
        table = pd.read_csv(download.value.path())
        assert len(table) == 19
        assert ids[0] not in set(table["id"])
        page.keyboard.press("Escape")
        choose(page, "List", "Everything")
        shown(page, f"119 of {small.N} instructions listed")
        page.locator("[data-grid] td").get_by_text(small.SCRIPT).wait_for()
        assert page.evaluate("() => window.__hacked") is None
        assert watched.external == []


def test_what_two_selections_do_not_share_is_listed(ready, open_page):
    crowd = pipeline.open_crowd(ready, small.NAME)
    session, saved = pipeline.Session(crowd), []
    for strategy in ("crowdselect", "random"):
        recipe = pipeline_recipe(strategy)
        saved.append(pipeline.save_selection(ready, pipeline.select(session, recipe), strategy))
    own, other = (set(pipeline.load_selection(ready, s.id).ids) for s in saved)
    at = open_page(ready, "review", **{"review.of": saved[0].id, "review.against": saved[1].id})
    assert not at.exception
    apart = len(own ^ other)
    assert apart
    assert at.get("progress")[0].proto.text == (
        f"all {apart} instructions listed; 0 of {apart} reviewed"
    )
    at.multiselect(key="r.listed.filters.selections").set_value([saved[0].id]).run()
    assert f"{len(own - other)} of {apart}" in at.get("progress")[0].proto.text
    assert "in crowdselect" in [b.label for b in at.button]
    next(b for b in at.button if b.label == "Mark as reviewed" and "bulk" in b.key).click().run()
    assert len(crowd.notes.state().reviewed) == len(own - other)
    next(b for b in at.button if b.label == "Select only such rows").click().run()
    assert at.session_state[DRAFT].filters.selections == (saved[0].id,)
    assert at.get("progress")[0].proto.text == (
        f"all {apart} instructions listed; {len(own - other)} of {apart} reviewed"
    )


def pipeline_recipe(strategy: str) -> Recipe:
    return Recipe(crowd=small.NAME, encoder=small.ENCODER, strategy=strategy, budget=15, clusters=3)


def test_the_answer_is_swapped_in_the_pane(ready, open_page):
    crowd = pipeline.open_crowd(ready, small.NAME)
    at = open_page(ready, "review", clusters=0, budget=10)
    assert not at.exception
    drafted = pipeline.list_draft(pipeline.Session(crowd), Recipe.model_validate(
        at.session_state[DRAFT].model_dump()))  # fmt: skip
    identity, model = str(crowd.ids[drafted.rows[0]]), drafted.models[0]
    assert f"Trained on: {model}" in " ".join(m.value for m in at.markdown).replace("\\", "")
    other = next(m.name for m in crowd.models if m.name not in (model, small.EVIL_MODEL))
    at.selectbox(key=f"answer of {identity}").set_value(other).run()
    next(b for b in at.button if b.label == "Train on this model's answer").click().run()
    assert not at.exception
    assert f"Trained on: {other}" in " ".join(m.value for m in at.markdown).replace("\\", "")
