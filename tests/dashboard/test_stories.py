"""The main stories in a real Chromium, on one server with a small crowd."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from crowdselect import pipeline
from crowdselect.cli import main
from crowdselect.dashboard.pages import PAGES
from crowdselect.pipeline import open_crowd
from crowdselect.settings import open_workspace
from tests.browser import browser_page
from tests.dashboard import small
from tests.dashboard.driving import (
    address,
    address_says,
    choose,
    holds,
    lasso,
    metric,
    press,
    shown,
    standing,
    visit,
)

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("dashboard-browser")]


@pytest.fixture(scope="module")
def chromium():
    with browser_page(width=1280, height=1000) as watched:
        yield watched


def test_ingest_a_file(chromium, server, tmp_path):
    files = small.write_files(tmp_path, seed=1)
    page = visit(chromium, server, "", **{"crowd.tab": "Add a crowd"})
    page.get_by_role("combobox", name="Format").click()
    page.get_by_role("option", name=re.compile("^Tables")).click()
    form = page.get_by_test_id("stForm")
    form.get_by_test_id("stFileUploaderDropzoneInput").set_input_files([str(f) for f in files])
    page.get_by_label("Name", exact=True).fill("uploaded")  # while the files are on their way
    page.get_by_role("button", name="Ingest", exact=True).click()
    page.wait_for_function("() => location.search.includes('crowd=uploaded')", timeout=90_000)
    shown(page, "120 instructions · 5 models · 2 judges")


def test_a_weight_moves_the_selection_and_the_link_gives_it_back(chromium, server):
    page = visit(chromium, server, "select", budget=20)
    before = metric(page, "Come in")
    # One movement: of several quick ones only the last is compared, and it may change no row.
    press(page, "difficulty", "Home", at=1)
    address_says(chromium, "w.difficulty=-")
    assert metric(page, "Come in") != before
    shown(page, "come in")
    link = page.url
    page.goto("about:blank")
    page.goto(link)
    shown(page, "Who comes in")
    chromium.idle()
    standing(page, "difficulty", -3)
    holds(page, "Budget", 20)


def test_state_survives_going_between_pages(chromium, server):
    page = visit(chromium, server, "select", **{"w.difficulty": 2, "filters.contains": "python"})
    shown(page, "contains “python”")
    address_says(chromium, "w.difficulty=2")
    page.get_by_role("link", name="Map").first.click()
    page.wait_for_url(re.compile("/map"))
    page.locator("[data-scatter] canvas").first.wait_for()
    shown(page, "contains “python”")
    address_says(chromium, "w.difficulty=2")
    page.get_by_role("link", name="Select").first.click()
    page.wait_for_url(re.compile("/select"))
    shown(page, "Who comes in")
    address_says(chromium, "w.difficulty=2")
    standing(page, "difficulty", 2)


def test_the_cluster_slider_answers_and_keeps_the_zoom(chromium, server):
    page = visit(chromium, server, "map", clusters=3)
    page.locator("[data-scatter] canvas").first.wait_for()
    shown(page, "k = 3")
    press(page, "Clusters", "ArrowRight", at=3)
    shown(page, "k = 4")
    address_says(chromium, "clusters=4")


def test_a_lasso_on_the_map_fills_the_table_and_opens_an_instruction(chromium, server):
    page = visit(chromium, server, "map", clusters=3)
    page.locator("[data-scatter] canvas").first.wait_for()
    lasso(page)
    shown(page, "in the lasso")
    chromium.idle()
    table = page.get_by_test_id("stDataFrame").first
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    page.mouse.click(box["x"] + 160, box["y"] + 50)
    page.get_by_role("button", name=re.compile("Open q")).click()
    page.wait_for_url(re.compile("/instruction"))
    shown(page, "Compare two answers")
    assert page.get_by_text("alpha-7b").count()


def test_a_row_of_the_table_opens_its_instruction(chromium, server):
    page = visit(chromium, server, "explore", **{"explore.sort": "order of the file"})
    box = page.get_by_test_id("stDataFrame").first.bounding_box()
    page.mouse.click(box["x"] + 52, box["y"] + 50 + 31 * 4)
    page.wait_for_url(re.compile("instruction.id=q004"))
    shown(page, f"5 of {small.N}")


def test_a_cluster_is_opened_renamed_left_out_and_taken_back(chromium, server):
    page = visit(chromium, server, "map", clusters=3, budget=20)
    page.locator(".cs-cards [data-label]").nth(1).press("Enter")
    shown(page, "of the cluster, of all 120")
    page.get_by_role("button", name="Change this cluster").click()
    page.get_by_role("textbox", name="Name").fill("Revolutions <b>")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Rename", exact=True).click()
    shown(page, "1 change by hand")
    page.locator(".cs-cards [data-label]").filter(has_text="Revolutions <b>").wait_for()
    page.get_by_role("button", name="Leave it out").click()
    page.locator(".cs-cards [data-label]").filter(has_text="left out").wait_for()
    shown(page, "nothing is taken from it")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Take back the last").click()
    shown(page, "1 change by hand")
    address_says(chromium, "cluster_edits=")
    page.get_by_role("searchbox", name="Search").fill("soup")
    page.keyboard.press("Enter")
    shown(page, "for “soup”")
    choose(page, "Colour", "judges agree")
    address_says(chromium, "map.colour=judges")


def test_what_a_person_writes_is_what_gets_trained_on(chromium, server, world):
    page = visit(
        chromium, server, "instruction", **{"instruction.id": "q020", "instruction.look": "source"}
    )
    shown(page, "trained on (best)")
    page.get_by_role("button", name="Train on another answer").click()
    page.get_by_role("textbox", name="or your own words").fill("<b>Sort</b> it:\n\n    sorted(xs)")
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Train on this text").click()
    shown(page, "trained on, written by hand")
    shown(page, "<b>Sort</b> it:")
    given = open_crowd(world, small.NAME).notes.state().answers["q020"]
    assert given.text == "<b>Sort</b> it:\n\n    sorted(xs)"
    page.get_by_role("button", name="Undo").click()
    shown(page, "trained on (best)")
    assert open_crowd(world, small.NAME).notes.state().answers == {}


def test_an_instruction_with_hostile_text_is_text(chromium, server):
    page = visit(chromium, server, "instruction", **{"instruction.id": "q000"})
    shown(page, small.SCRIPT)
    for identity, text in (("q001", small.IMAGE), ("q002", small.LATEX)):
        page.get_by_role("button", name="Next").click()
        shown(page, text)
        address_says(chromium, identity)
    assert page.evaluate("() => window.__hacked") is None
    assert page.locator("img[src*='192.0.2.1']").count() == 0
    assert page.locator(".katex").count() == 0


def test_a_hostile_link_is_text(chromium, server):
    for name, page_name in (("budget", "select"), ("clusters", "map"), ("crowd", "explore")):
        page = visit(chromium, server, page_name, **{name: small.IMAGE})
        page.get_by_test_id("stToast").first.wait_for()
        assert page.locator("img[src*='192.0.2.1']").count() == 0
    page = visit(chromium, server, "map", encoder=small.IMAGE)
    chromium.idle()
    assert page.locator("img[src*='192.0.2.1']").count() == 0


def test_notes_are_kept_and_undone(chromium, server, world):
    page = visit(chromium, server, "instruction", **{"instruction.id": "q010"})
    page.get_by_role("button", name="Pin").click()
    page.get_by_role("button", name="Unpin").wait_for()
    notes = world.crowd(small.NAME) / "notes.jsonl"
    assert json.loads(notes.read_text().splitlines()[-1])["kind"] == "pin"
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Unpin").wait_for(state="detached")
    chromium.idle()
    assert json.loads(notes.read_text().splitlines()[-1])["kind"] == "undo"


def save(chromium, server, name: str, **params: object):
    page = visit(chromium, server, "select", **params)
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Save selection").click()
    shown(page, f"as {name}")
    chromium.idle()
    return page


def test_save_compare_and_export_the_same_bytes_as_the_command_line(chromium, server, world):
    save(chromium, server, "first", budget=20, clusters=3)
    page = save(chromium, server, "second", budget=30, clusters=3, **{"w.difficulty": 1})
    page = visit(chromium, server, "select", **{"select.part": "Saved and compare"})
    table = page.get_by_test_id("stDataFrame").first
    box = table.bounding_box()
    for row in (0, 1):
        page.mouse.click(box["x"] + 15, box["y"] + 31 * row + 50)
        address_says(chromium, "select.saved=")
    shown(page, "Shared by whom")
    chromium.idle()
    page = visit(chromium, server, "select", **{"select.part": "Export"})
    newest = pipeline.list_selections(world)[0].name
    box = page.get_by_test_id("stDataFrame").first.bounding_box()
    page.mouse.click(box["x"] + 15, box["y"] + 50)
    page.get_by_role("button", name="Write export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name=re.compile(r"Download .*\.jsonl")).click()
    from_page = Path(download.value.path()).read_bytes()
    out = world.root / "from-cli"
    assert main(["export", newest, "--format", "messages", "--out", str(out),
                 "--workspace", str(world.root)]) == 0  # fmt: skip
    data = next(out.glob("*.jsonl"))
    assert data.read_bytes() == from_page


def test_the_page_chooses_the_same_ids_as_the_command_line(chromium, server, world):
    page = visit(
        chromium, server, "select", budget=15, clusters=3, **{"select.part": "Command line"}
    )
    with page.expect_download() as download:
        page.get_by_role("button", name="Download recipe.toml").click()
    recipe = Path(download.value.path())
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from crowdselect.cli import main; sys.exit(main())",
         "select", small.NAME, "--recipe", str(recipe), "--json", "--no-save",
         "--workspace", str(world.root)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    chosen = json.loads(done.stdout)
    shown(page, chosen["recipe_id"])


def test_two_visitors_do_not_see_each_others_state(chromium, server):
    page = visit(chromium, server, "select", budget=25)
    with browser_page(width=900, height=800) as other:
        second = visit(other, server, "select", budget=40)
        holds(second, "Budget", 40)
    press(page, "stability", "ArrowLeft", at=2)
    address_says(chromium, "w.stability=1.9")
    holds(page, "Budget", 25)


def test_the_report_is_one_file_that_opens_without_a_network(chromium, server, tmp_path):
    page = visit(chromium, server, "report", budget=20, clusters=3, **{"report.of": "draft"})
    shown(page, "Examples")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as one HTML file").click()
    file = tmp_path / "report.html"
    download.value.save_as(file)
    with browser_page() as other:
        other.page.goto(file.as_uri())
        other.page.get_by_text("What was chosen").wait_for()
        other.page.locator(".main-svg").first.wait_for()
        # On paper the first page is a page: A4 less its margins, at 96 dots per inch.
        other.page.set_viewport_size({"width": 680, "height": 1000})
        other.page.emulate_media(media="print")
        assert other.page.locator(".lead").bounding_box()["height"] <= 267 / 25.4 * 96
        assert [u for u in other.requests if not u.startswith(("file:", "data:", "blob:"))] == []
        assert other.errors == []


def test_small_screens_do_not_scroll_sideways(server):
    with browser_page(width=390, height=844) as watched:
        published = {"benchmark.tab": "Published"}
        for page in PAGES:
            watched.page.goto(address(server, page.path, **published))
            watched.page.get_by_test_id("stMain").wait_for()
            watched.idle(60_000)
            wide = watched.page.evaluate(
                "() => document.querySelector('[data-testid=stMain]').scrollWidth"
            )
            assert wide <= 390, page.path


def test_nothing_left_this_machine(chromium):
    """The last test of this file: every address that the stories above asked for."""
    assert chromium.external == []
    # Streamlit probes for a base path under deep links; nothing else may fail.
    assert [e for e in chromium.errors if "404" not in e] == []


def test_a_workspace_survives_the_servers_death(world):
    reopened = open_workspace(world.root)
    assert small.NAME in reopened.crowd_names()
