"""What the browser tests of the pages do again and again."""

from __future__ import annotations

import urllib.parse
from typing import Any

from crowdselect.dashboard import pages
from tests.browser import Server, Watched
from tests.dashboard import small

TIMEOUT_MS = 90_000
"""Generous: a busy machine draws software WebGL slowly."""
TROUBLE = "[data-testid=stException], [data-testid=stErrorElement]"
"""What Streamlit shows for an error that nobody caught."""


def address(server: Server, page: str = "", **params: object) -> str:
    query = urllib.parse.urlencode({"encoder": small.ENCODER, **params})
    return f"{server.url}/{pages.address(page)}?{query}"


def visit(watched: Watched, server: Server, page: str, **params: object):
    """Open a page by its link and wait until it stands."""
    watched.page.set_default_timeout(TIMEOUT_MS)
    watched.page.goto(address(server, page, **params))
    watched.page.get_by_text("instructions ·").first.wait_for()
    watched.idle()
    return watched.page


def shown(page: Any, text: str) -> None:
    page.get_by_text(text).first.wait_for(timeout=TIMEOUT_MS)


def holds(page: Any, label: str, value: int) -> None:
    """Wait until the number field shows ``value``."""
    field = page.get_by_role("spinbutton", name=label).element_handle()
    page.wait_for_function("([field, value]) => field.value === value", arg=[field, str(value)])


def press(page: Any, slider: str, key: str, *, at: float) -> None:
    """Press a key on the slider, once it stands where a person would see it: ``at``."""
    standing(page, slider, at)
    page.get_by_role("slider", name=slider).press(key)


def standing(page: Any, slider: str, at: float) -> None:
    """Wait until the slider stands ``at`` this value."""
    thumb = page.get_by_role("slider", name=slider).element_handle()
    stands = "([thumb, at]) => Number(thumb.value) === at"
    page.wait_for_function(stands, arg=[thumb, at], timeout=TIMEOUT_MS)


def metric(page: Any, label: str) -> str:
    return page.get_by_test_id("stMetric").filter(has_text=label).first.inner_text()


def lasso(page, left=0.05, top=0.12, right=0.95, bottom=0.95) -> None:
    """Draw a box-shaped lasso over a share of the plot."""
    surface = page.locator("[data-scatter] .surface").first
    surface.scroll_into_view_if_needed()
    # Before its points are drawn a plot takes no tool.
    page.locator(".scatter[data-version]").first.wait_for(timeout=TIMEOUT_MS)
    page.get_by_role("button", name="Lasso").first.click()
    box = surface.bounding_box()
    xs = [box["x"] + box["width"] * s for s in (left, right)]
    ys = [box["y"] + box["height"] * s for s in (top, bottom)]
    page.mouse.move(xs[0], ys[0])
    page.mouse.down()
    for x, y in ((xs[1], ys[0]), (xs[1], ys[1]), (xs[0], ys[1]), (xs[0], ys[0])):
        page.mouse.move(x, y, steps=5)
    page.mouse.up()


def choose(page: Any, label: str, option: str) -> None:
    """Pick from a select box."""
    page.get_by_role("combobox", name=label).first.click()
    page.get_by_role("option", name=option, exact=True).click()


def address_says(watched: Watched, text: str) -> None:
    """Wait until the address holds ``text`` and everything is drawn; nothing may have failed."""
    watched.page.wait_for_function("text => location.search.includes(text)", arg=text)
    watched.idle()
    assert watched.page.locator(TROUBLE).count() == 0, watched.page.locator(TROUBLE).inner_text()
