"""axe-core finds nothing on the pages, light and dark; a narrow window's menu lets go of them."""

from pathlib import Path

import pytest

from crowdselect.dashboard.pages import PAGES
from tests.browser import browser_page
from tests.dashboard.driving import visit

axe = pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is missing")
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("dashboard-browser")]

STREAMLITS_OWN = {
    ("empty-table-header", "stDataFrame"): "the column of ticks has no title of its own; its cells "
    "say what they are, and Streamlit offers no option for the header",
    ("presentation-role-conflict", "stFileUploaderDropzone"): "the frame around the button that "
    "opens files is both labelled and hidden from readers; the button inside has its own name",
}
"""What axe-core finds in Streamlit's elements and no option mends: rule and element, and why."""
SHOWN = [
    *((page.path, {}) for page in PAGES),
    ("crowd", {"crowd.tab": "Add a crowd"}),
    ("select", {"select.part": "Command line"}),
]
FOUND = """async ({own, rules}) => {
  const found = await axe.run(document, {resultTypes: ['violations'], runOnly: rules})
  return found.violations.flatMap((rule) => rule.nodes
    .filter((node) => !own.some(([id, part]) => id === rule.id
      && document.querySelector(node.target[0])?.closest(`[data-testid=${part}]`)))
    .map((node) => `${rule.impact} ${rule.id}: ${node.html} ${node.failureSummary}`))
}"""
ALL = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
DARK = "() => getComputedStyle(document.querySelector('[data-testid=stApp]')).colorScheme === '{}'"


def test_axe_finds_nothing_on_any_page_light_and_dark(server, world):
    script = Path(axe.__file__).with_name("axe.min.js").read_text(encoding="utf-8")
    failed = []
    with browser_page(width=1280, height=1000) as watched:
        for name, extra in SHOWN:
            page = visit(watched, server, name, **extra)
            page.evaluate(script)
            # Colours fade from one theme to the other: judged is what they come to.
            page.add_style_tag(content="* {transition: none !important}")
            for theme, rules in (("light", ALL), ("dark", ["color-contrast"])):
                page.emulate_media(color_scheme=theme)
                page.wait_for_function(DARK.format(theme))
                watched.idle()
                found = page.evaluate(FOUND, {"own": list(STREAMLITS_OWN), "rules": rules})
                failed += [f"{name} {extra} {theme}: {one}" for one in found]
            page.emulate_media(color_scheme="light")
    assert not failed, "\n".join(failed)


def test_the_menu_of_a_narrow_window_closes_after_a_tap(server):
    with browser_page(width=390, height=844) as watched:
        page = visit(watched, server, "explore")
        menu = page.get_by_test_id("stSidebar")
        page.get_by_test_id("stExpandSidebarButton").click()
        # A page that still comes in closes its menu once more: a person taps again.
        page.wait_for_timeout(500)
        if menu.get_attribute("data-collapsed") != "false":
            page.get_by_test_id("stExpandSidebarButton").click()
        menu.get_by_text("Report").click()
        page.wait_for_url("**/report*")
        page.wait_for_selector("[data-testid=stSidebar][data-collapsed=true]", state="attached")
        page.get_by_test_id("stExpandSidebarButton").click()
        assert menu.get_attribute("data-collapsed") == "false"


def test_a_legend_is_whole_in_a_narrow_window(server):
    with browser_page(width=390, height=844) as watched:
        page = visit(watched, server, "map", clusters=10, **{"map.colour": "cluster"})
        page.locator(".legend-item").nth(9).wait_for()
        hidden = "e => e.scrollHeight - e.clientHeight"
        assert page.locator(".legend-items").evaluate(hidden) <= 0
