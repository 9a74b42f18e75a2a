"""One control, then another: nothing that resets a part of the state breaks the next click.

AppTest runs the whole page each time and cannot see this kind: a control inside a fragment runs
the fragment only, while widgets outside of it keep what they say.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from crowdselect.pipeline import open_crowd
from crowdselect.store import Author
from tests.browser import browser_page
from tests.dashboard import monkey, small
from tests.dashboard.driving import TROUBLE, address_says, choose, lasso, press, shown, visit

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("dashboard-browser")]


@pytest.fixture(scope="module")
def chromium():
    with browser_page(width=1280, height=1000) as watched:
        yield watched


def test_a_preset_then_a_slider_then_save(chromium, server):
    page = visit(chromium, server, "select", budget=20, clusters=3)
    choose(page, "Preset", "Hard, and the crowd agrees on it")
    address_says(chromium, "w.separability=-1")
    press(page, "difficulty", "ArrowRight", at=1)
    address_says(chromium, "w.difficulty=1.1")
    choose(page, "Preset", "Hard, and the crowd agrees on it")
    address_says(chromium, "w.difficulty=1&")
    page.get_by_label("Name", exact=True).fill("from-a-preset")
    page.get_by_role("button", name="Save selection").click()
    shown(page, "as from-a-preset")
    address_says(chromium, "w.separability=-1")


def test_a_slider_whose_program_comes_late_shows_what_was_set(chromium, server):
    """It would stand at its lowest value, and the next click would write that into the recipe."""
    held: list[Any] = []
    chromium.page.route("**/Slider.*.js", lambda route: held.append(route))
    page = visit(chromium, server, "select", budget=20, clusters=3)
    choose(page, "Preset", "Hard, and the crowd agrees on it")
    address_says(chromium, "w.separability=-1")
    assert held
    for request in held:
        request.continue_()
    page.unroute("**/Slider.*.js")
    press(page, "difficulty", "ArrowRight", at=1)
    address_says(chromium, "w.difficulty=1.1")
    address_says(chromium, "w.separability=-1")


def test_an_opened_recipe_can_be_changed_at_once(chromium, server):
    page = visit(chromium, server, "select", budget=15, clusters=3, judge="judge_b")
    page.get_by_label("Name", exact=True).fill("to-open")
    page.get_by_role("button", name="Save selection").click()
    shown(page, "as to-open")
    page = visit(chromium, server, "select", **{"select.part": "Saved and compare"})
    box = page.get_by_test_id("stDataFrame").first.bounding_box()
    page.mouse.click(box["x"] + 15, box["y"] + 50)
    page.get_by_role("button", name="Open its recipe").click()
    address_says(chromium, "judge=judge_b")
    # The judge stands outside of what a click on this page draws anew.
    page.get_by_role("combobox", name="Judge").and_(page.locator("[value='judge_b']")).wait_for()
    press(page, "difficulty", "ArrowRight", at=1)
    address_says(chromium, "w.difficulty=1.1")


def test_a_range_filter_then_sort(chromium, server):
    page = visit(chromium, server, "explore")
    page.get_by_role("button", name="Filters").click()
    page.get_by_role("tab", name="Numbers").click()
    page.get_by_role("spinbutton", name="from").fill("-5")
    page.get_by_role("spinbutton", name="from").press("Tab")
    page.get_by_role("button", name="Add", exact=True).click()
    address_says(chromium, "filters.ranges=")
    page.keyboard.press("Escape")
    choose(page, "Sort by", "order of the file")
    address_says(chromium, "filters.ranges=")
    choose(page, "Sort by", "separability, low")
    address_says(chromium, "explore.sort=")


def test_a_chip_goes_then_colour_and_then_another_page(chromium, server):
    page = visit(chromium, server, "map", clusters=3, **{"filters.contains": "python"})
    page.get_by_role("button", name="contains “python”").click()
    page.wait_for_function("() => !location.search.includes('filters.contains')")
    choose(page, "Colour", "best model")
    address_says(chromium, "map.colour=best")
    page.get_by_role("link", name="Explore").first.click()
    page.wait_for_url(re.compile("/explore"))
    shown(page, "Sort by")
    address_says(chromium, "encoder=lsa")


def test_a_lasso_becomes_a_filter_then_the_cluster_slider(chromium, server):
    page = visit(chromium, server, "map", clusters=3)
    page.locator("[data-scatter] canvas").first.wait_for()
    lasso(page)
    shown(page, "in the lasso")
    page.get_by_role("button", name="Use as filter").click()
    address_says(chromium, "filters.lasso=")
    press(page, "Clusters", "ArrowRight", at=3)
    address_says(chromium, "clusters=4")
    shown(page, "inside a lasso")


def test_an_emptied_number_clears_its_filter(chromium, server):
    page = visit(
        chromium, server, "explore", **{"filters.min_chars": 5, "filters.near_duplicates": 0.9}
    )
    page.get_by_role("button", name="Filters").click()
    for label, param in (("Characters, at least", "min_chars"), ("near-duplicates", "near_")):
        field = page.get_by_role("spinbutton", name=re.compile(label))
        field.fill("")
        field.press("Tab")
        page.wait_for_function("name => !location.search.includes(name)", arg=param)
        chromium.idle()
    assert page.locator(TROUBLE).count() == 0


@pytest.mark.parametrize("seed", [1, 2])
def test_thirty_controls_in_random_order(chromium, server, seed):
    """``make monkey`` takes 500 steps."""
    walked = monkey.walk(chromium, server, steps=30, seed=seed)
    assert len(walked.used) > 20


def test_back_and_forward_walk_what_was_shown(chromium, server):
    page = visit(chromium, server, "explore", **{"explore.sort": "order of the file"})
    box = page.get_by_test_id("stDataFrame").first.bounding_box()
    page.mouse.click(box["x"] + 52, box["y"] + 50 + 31 * 4)
    address_says(chromium, "instruction.id=q004")
    page.get_by_role("button", name="Next").click()
    shown(page, "6 of 120")
    address_says(chromium, "instruction.id=q005")
    page.go_back(wait_until="commit")
    shown(page, "5 of 120")
    address_says(chromium, "instruction.id=q004")
    page.go_back(wait_until="commit")
    shown(page, "Sort by")
    address_says(chromium, "explore.sort=order")
    page.go_forward(wait_until="commit")
    shown(page, "5 of 120")


def test_keys_walk_a_table_a_note_is_signed_and_undo_takes_back_ones_own(chromium, server, world):
    page = visit(chromium, server, "explore", **{"explore.sort": "order of the file"})
    page.get_by_test_id("stDataFrame").first.locator("canvas").first.focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    page.get_by_role("button", name=re.compile("Open q00[123]")).wait_for()
    assert "/explore" in page.url
    shown(page, "Open q002")
    page.keyboard.press("o")
    address_says(chromium, "instruction.id=q002")
    page.get_by_role("button", name="Your name").click()
    page.get_by_role("textbox", name="Your name").fill("Ann")
    page.keyboard.press("Enter")
    page.wait_for_function("document.cookie.includes('%20Ann')")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Pin").first.click()
    page.get_by_role("button", name="Unpin").wait_for()
    notes = open_crowd(world, small.NAME).notes
    assert notes.history()[-1]["author"] == "Ann"
    notes.append("comment", "q002", "by somebody else", Author("Bob"))
    page.reload()
    page.get_by_role("button", name="Undo").click()
    shown(page, "Taken back: pinned q002")
    assert [note["author"] for note in notes.history()[-1:]] == ["Bob"]
    notes.undo()


def test_one_step_of_the_navigation_is_one_step_of_back(chromium, server):
    page = visit(chromium, server, "explore")
    for title, path in (("Select", "/select"), ("Report", "/report")):
        page.get_by_test_id("stTopNavLink").filter(has_text=title).first.click()
        page.wait_for_url(f"**{path}?*crowd=small*")
        chromium.idle()
    for path in ("/select", "/explore"):
        page.go_back(wait_until="commit")
        page.wait_for_url(f"**{path}?*crowd=small*")
        chromium.idle()


def test_an_error_behind_a_button_is_said_in_a_sentence_with_a_way_back(chromium, server, world):
    page = visit(chromium, server, "instruction", **{"instruction.id": "q007"})
    path, aside = (world.crowd(small.NAME) / name for name in ("notes.jsonl", "notes.aside"))
    path.touch()
    path.rename(aside)
    path.mkdir()  # nothing can be appended to a folder
    try:
        page.get_by_role("button", name="Ban").first.click()
        shown(page, "it is our mistake")
        assert page.locator("[data-testid=stException]").count() == 0
    finally:
        path.rmdir()
        aside.rename(path)
    page.get_by_role("button", name="Show the page again").click()
    page.get_by_role("button", name="Ban").first.wait_for()
    assert "q007" not in open_crowd(world, small.NAME).notes.state().bans


def test_neither_advertisement_nor_links_to_other_services(chromium, server):
    """Streamlit would offer to ask others about an error, and advertise in the first view."""
    settings = tomllib.loads((Path(__file__).parents[2] / ".streamlit" / "config.toml").read_text())
    assert settings["client"]["showErrorLinks"] is False
    assert settings["logger"]["hideWelcomeMessage"] is True
    page = visit(chromium, server, "")
    assert page.get_by_text("Help agents").count() == 0


def test_a_family_and_a_size_that_are_typed_are_saved(chromium, server, world):
    page = visit(chromium, server, "", **{"crowd.tab": "Models"})
    box = page.get_by_test_id("stDataFrame").first.bounding_box()
    for across, text in ((0.45, "gamma"), (0.62, "13")):
        page.mouse.dblclick(box["x"] + box["width"] * across, box["y"] + 50 + 31 * 4)
        editor = page.locator(".gdg-input")
        editor.fill(text)
        editor.press("Enter")
        editor.wait_for(state="detached")
        page.wait_for_timeout(400)  # the table tells of an edit 150 ms after it
        chromium.idle()
    save = page.get_by_role("button", name="Save", exact=True)
    save.click()
    # What is saved needs no saving: unlike a toast, that stays.
    save.and_(page.locator(":disabled")).wait_for()
    models = pd.read_csv(world.crowd(small.NAME) / "models.csv").set_index("model")
    assert list(models.loc[small.EVIL_MODEL, ["family", "size_b"]]) == ["gamma", 13]
