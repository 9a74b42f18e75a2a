"""The scatter in a real Chromium: drawing, lasso, zoom, hover, keyboard, touch, losses."""

import io
import json
import re
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.browser import Server, Watched, browser_page, serve

APP = Path(__file__).parent / "apps" / "scatter_app.py"
N = 20_000
ENV = {"SCATTER_N": str(N)}
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("scatter")]


@pytest.fixture(scope="module")
def server():
    with serve(APP, ENV) as running:
        yield running


@pytest.fixture(scope="module")
def browser(server):
    with browser_page() as watched:
        yield watched


@pytest.fixture
def plot(server: Server, browser: Watched):
    """The page, freshly opened with nothing remembered; clean when the test is done."""
    browser.requests.clear()
    browser.errors.clear()
    yield Plot(browser, server).open()
    browser.page.evaluate("sessionStorage.clear()")
    browser.assert_clean()


class Plot:
    """What a person sees and does."""

    def __init__(self, watched: Watched, server: Server):
        self.watched = watched
        self.page = watched.page
        self.server = server
        self.root = self.page.locator(".scatter")
        self.surface = self.page.locator(".surface")
        self.card = self.page.locator(".card")

    def open(self) -> "Plot":
        self.watched.open(self.server.url)
        self.page.locator(".scatter[data-version]").wait_for()
        self.watched.idle()
        return self

    @property
    def zoom(self) -> float:
        return float(self.root.get_attribute("data-zoom"))

    @property
    def version(self) -> str:
        return self.root.get_attribute("data-version")

    @contextmanager
    def redrawn(self):
        """Wait until the plot shows what Python sent after the block."""
        before = self.version
        yield
        self.page.wait_for_function(
            """before => [...document.querySelectorAll('*')].some(e =>
                 e.shadowRoot?.querySelector('.scatter')?.dataset.version !== before
                 && e.shadowRoot?.querySelector('.scatter'))""",
            arg=before,
        )

    def pixels(self) -> np.ndarray:
        png = self.surface.screenshot()
        return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)

    def box(self) -> dict:
        return self.surface.bounding_box()

    def drag(self, corners) -> None:
        """Drag along ``corners``, given as shares of the plot's width and height."""
        area = self.box()
        places = [
            (area["x"] + x * area["width"], area["y"] + y * area["height"]) for x, y in corners
        ]
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*place)
        self.page.mouse.up()

    def tool(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def says(self, text: str) -> None:
        self.page.get_by_text(re.compile(text)).wait_for()

    def rows_in_lasso(self) -> int:
        self.says(r"lasso: \d+ rows")
        self.watched.idle()
        text = self.page.get_by_text(re.compile(r"lasso: \d+ rows")).inner_text()
        return int(re.search(r"lasso: (\d+) rows", text).group(1))

    def label(self, name: str) -> tuple[float, float]:
        area = self.page.locator(".labels span", has_text=re.compile(f"^{name}$")).bounding_box()
        return area["x"] + area["width"] / 2, area["y"] + area["height"] / 2


AROUND = [
    (0.5 + 0.49 * np.sign(c) * abs(c) ** 0.3, 0.5 + 0.49 * np.sign(s) * abs(s) ** 0.3)
    for c, s in ((np.cos(a), np.sin(a)) for a in np.linspace(0, 6.2, 80))
]
"""A rounded rectangle along the plot's border."""


def test_points_are_drawn_and_the_selected_ones_stand_out(plot):
    pixels = plot.pixels()
    background = pixels[-5, -5]
    drawn = np.abs(pixels - background).sum(axis=2) > 20
    assert 0.03 < drawn.mean() < 0.6
    plot.page.get_by_text("20,000 instructions, 200 selected").wait_for()
    dark = pixels.max(axis=2) < 130
    assert 200 < dark.sum() < 8000, "200 selected points with a dark rim"


def test_a_slider_keeps_the_zoom_and_sends_little(plot):
    plot.surface.focus()
    plot.page.keyboard.press("+")
    plot.page.keyboard.press("ArrowRight")
    plot.page.wait_for_timeout(300)
    zoom = plot.zoom
    assert zoom == pytest.approx(1.4)
    before = plot.pixels()
    plot.watched.received.clear()
    with plot.redrawn():
        plot.page.get_by_role("slider").press("ArrowRight")
    plot.says("weight: 0.51")
    plot.watched.idle()
    assert plot.zoom == zoom
    assert sum(plot.watched.received) < 12_000, "one bit per point, not 20,000 points"
    same = (np.abs(plot.pixels() - before).sum(axis=2) < 12).mean()
    assert same > 0.97, "only selected points moved"


def test_another_colouring_keeps_the_zoom_and_shows_a_colour_bar(plot):
    plot.surface.focus()
    plot.page.keyboard.press("+")
    plot.page.wait_for_timeout(300)
    before = plot.pixels()
    with plot.redrawn():
        plot.page.get_by_text("number", exact=True).click()
    plot.page.locator(".bar").wait_for()
    assert plot.zoom == pytest.approx(1.4)
    plot.page.get_by_text("without a value").wait_for()
    assert (np.abs(plot.pixels() - before).sum(axis=2) > 30).mean() > 0.02


def test_axes_have_ticks_and_titles_that_follow_the_zoom(plot):
    with plot.redrawn():
        plot.page.get_by_text("axes", exact=True).click()
    plot.page.get_by_text("separability", exact=True).wait_for()
    ticks = plot.page.locator(".axis-x .tick").all_inner_texts()
    assert len(ticks) > 3
    plot.surface.focus()
    for _ in range(8):
        plot.page.keyboard.press("+")
    plot.page.wait_for_timeout(300)
    assert plot.page.locator(".axis-x .tick").all_inner_texts() != ticks


def test_a_lasso_around_everything_selects_every_row_with_few_vertices(plot):
    plot.tool("Lasso")
    plot.drag(AROUND)
    rows = plot.rows_in_lasso()
    assert rows == N
    text = plot.page.get_by_text(re.compile("vertices")).inner_text()
    assert 10 < int(re.search(r"(\d+) vertices", text).group(1)) <= 200
    plot.surface.focus()
    plot.page.keyboard.press("Escape")
    plot.says("lasso: no lasso")


def test_a_box_selects_what_lies_in_it_and_a_hidden_category_does_not(plot):
    x, y = plot.label("cluster 6")
    area = plot.box()
    cx, cy = (x - area["x"]) / area["width"], (y - area["y"]) / area["height"]
    plot.tool("Box")
    plot.drag([(cx - 0.06, cy - 0.1), (cx + 0.06, cy + 0.1)])
    first = plot.rows_in_lasso()
    assert 500 < first <= 655, "cluster 6 lies alone and has 655 points"
    plot.page.locator(".legend-item", has_text="cluster 6").click()
    plot.says("lasso: 0 rows")
    plot.page.get_by_role("button", name="Show all").click()
    plot.says(f"lasso: {first} rows")


def test_the_lasso_and_the_view_outlive_another_page(plot):
    plot.surface.focus()
    plot.page.keyboard.press("-")
    plot.tool("Lasso")
    plot.drag(AROUND)
    rows = plot.rows_in_lasso()
    plot.page.get_by_role("link", name="Other").click()
    plot.says("another page")
    plot.page.get_by_role("link", name="Home").click()
    plot.page.locator(".scatter[data-version]").wait_for()
    assert plot.rows_in_lasso() == rows
    assert plot.zoom == pytest.approx(1 / 1.4, abs=0.01)
    assert plot.page.locator(".lasso").get_attribute("d").startswith("M")
    lasso = plot.page.get_by_role("button", name="Lasso", exact=True)
    assert lasso.get_attribute("aria-pressed") == "true"


def test_shift_and_drag_is_a_lasso_and_drag_alone_pans(plot):
    plot.page.keyboard.down("Shift")
    plot.drag(AROUND)
    plot.page.keyboard.up("Shift")
    assert plot.rows_in_lasso() == N
    label = plot.label("cluster 6")
    plot.drag([(0.5, 0.6), (0.55, 0.55), (0.6, 0.5)])
    plot.page.wait_for_timeout(300)
    moved = plot.label("cluster 6")
    assert moved[0] - label[0] == pytest.approx(0.1 * plot.box()["width"], abs=3)
    assert plot.rows_in_lasso() == N


def test_hover_text_is_shown_as_text(plot):
    plot.page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    plot.page.mouse.move(*plot.label("cluster 6"))
    plot.card.wait_for(state="visible")
    text = plot.card.inner_text()
    assert "<script>alert(1)</script>" in text
    assert "![x](http://127.0.0.1:9/x.png)" in text
    assert "<i>7</i>" in text
    assert plot.card.locator("script, img, i, a").count() == 0
    assert not any(":9/" in url for url in plot.watched.requests)
    plot.page.mouse.move(5, 5)
    plot.card.wait_for(state="hidden")


def test_a_click_picks_the_point_under_it_and_empty_space_none(plot):
    area = plot.box()
    plot.page.mouse.click(area["x"] + area["width"] - 8, area["y"] + area["height"] - 8)
    plot.page.mouse.move(*plot.label("cluster 6"))
    plot.card.wait_for(state="visible")
    row = re.search(r"row (\d+)", plot.card.inner_text()).group(1)
    plot.page.mouse.click(*plot.label("cluster 6"))
    plot.says(f"picked: {row}")


def test_the_keyboard_reaches_everything(plot):
    plot.surface.focus()
    ring = "e => getComputedStyle(e.parentElement).boxShadow"
    plot.page.keyboard.press("ArrowLeft")
    assert plot.surface.evaluate(ring) != "none"
    assert "Arrow keys move" in plot.surface.get_attribute("aria-label")
    assert "20,000 instructions" in plot.surface.get_attribute("aria-label")
    start = plot.label("cluster 6")
    plot.page.keyboard.press("ArrowLeft")
    plot.page.wait_for_timeout(200)
    assert plot.label("cluster 6")[0] > start[0] + 20
    plot.page.keyboard.press("+")
    plot.page.keyboard.press("+")
    plot.page.wait_for_timeout(200)
    assert plot.zoom == pytest.approx(1.96)
    plot.page.keyboard.press("0")
    plot.page.wait_for_timeout(200)
    assert plot.zoom == 1
    plot.page.keyboard.press("b")
    box = plot.page.get_by_role("button", name="Box", exact=True)
    assert box.get_attribute("aria-pressed") == "true"
    plot.page.keyboard.press("Tab")
    focused = """() => {
      let element = document.activeElement
      while (element.shadowRoot) element = element.shadowRoot.activeElement
      return element.title
    }"""
    assert "drag" in plot.page.evaluate(focused), "after the plot come its tools"


def test_the_legend_counts_and_switches_categories(plot):
    items = plot.page.locator(".legend-item")
    assert items.count() == 30
    assert items.nth(0).inner_text().split("\n")[0] == "<b>cluster 0</b>"
    counts = [text.split("\n")[1].split(" / ") for text in items.all_inner_texts()]
    assert sum(int(total) for _, total in counts) == N
    assert sum(int(chosen) for chosen, _ in counts) == 200
    before = plot.pixels()
    items.nth(6).click()
    plot.page.wait_for_timeout(200)
    assert items.nth(6).get_attribute("aria-pressed") == "false"
    assert (np.abs(plot.pixels() - before).sum(axis=2) > 30).mean() > 0.002
    items.nth(6).dblclick()
    plot.page.wait_for_timeout(200)
    pressed = [items.nth(i).get_attribute("aria-pressed") for i in range(30)]
    assert [i for i, on in enumerate(pressed) if on == "true"] == [6]


def test_labels_do_not_touch_and_more_appear_with_zoom(plot):
    def shown():
        boxes = plot.page.locator(".labels span").evaluate_all(
            "spans => spans.filter(s => s.style.visibility === 'visible')"
            ".map(s => s.getBoundingClientRect().toJSON())"
        )
        for i, a in enumerate(boxes):
            for b in boxes[i + 1 :]:
                apart = (
                    a["right"] <= b["left"]
                    or b["right"] <= a["left"]
                    or a["bottom"] <= b["top"]
                    or b["bottom"] <= a["top"]
                )
                assert apart
        return len(boxes)

    first = shown()
    plot.surface.focus()
    plot.page.keyboard.press("+")
    plot.page.wait_for_timeout(200)
    assert shown() >= first > 10


def test_a_lost_graphics_context_comes_back(plot):
    before = plot.pixels()
    lose = """canvas => new Promise(done => {
      const lost = canvas.getContext('webgl2').getExtension('WEBGL_lose_context')
      canvas.addEventListener('webglcontextrestored', () => setTimeout(done, 300))
      lost.loseContext()
      setTimeout(() => lost.restoreContext(), 100)
    })"""
    plot.page.locator("canvas").evaluate(lose)
    assert plot.page.locator(".message").is_hidden()
    assert (np.abs(plot.pixels() - before).sum(axis=2) < 12).mean() > 0.99


def test_the_routes_hand_out_nothing_else(server, plot):
    def status(path):
        try:
            with urllib.request.urlopen(server.url + path) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            return error.code, {}, b""

    mine = [url for url in plot.watched.requests if "crowdselect-scatter/data" in url]
    assert len(mine) == 3, "points, codes, scene: once each"
    code, headers, body = status(mine[0].removeprefix(server.url))
    assert code == 200
    assert len(body) == 8 * N
    assert "immutable" in headers["cache-control"]
    assert headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in headers
    for path in ("data/" + "0" * 32, "data/..%2f..%2fetc%2fpasswd", "text/x/1", "program/x.js"):
        assert status("/crowdselect-scatter/" + path)[0] in {400, 404}
    plot.page.mouse.move(*plot.label("cluster 6"))
    plot.card.wait_for(state="visible")
    text = next(url for url in plot.watched.requests if "scatter/text" in url)
    code, headers, body = status(text.removeprefix(server.url))
    assert headers["cache-control"] == "no-store"
    assert json.loads(body)["facts"][1] == ["difficulty", "0.25"]


def test_without_webgl_the_page_says_so_and_shows_a_density_picture(server):
    with browser_page(flags=("--disable-3d-apis",)) as watched:
        watched.open(server.url)
        watched.page.get_by_text("This browser offers no WebGL2").wait_for()
        watched.page.get_by_text("webgl: False").wait_for()
        watched.page.locator(".js-plotly-plot").wait_for()
        area = watched.page.locator(".nsewdrag").first.bounding_box()
        places = [
            (area["x"] + x * area["width"], area["y"] + y * area["height"])
            for x, y in [(0.01, 0.01), (0.99, 0.01), (0.99, 0.99), (0.01, 0.99), (0.01, 0.02)]
        ]
        watched.page.mouse.move(*places[0])
        watched.page.mouse.down()
        for place in places[1:]:
            watched.page.mouse.move(*place, steps=5)
        watched.page.mouse.up()
        watched.page.get_by_text(re.compile(r"lasso: 1\d{4} rows|lasso: 20000 rows")).wait_for()
        assert watched.external == []


def test_a_phone_draws_sharp_points_without_horizontal_scroll(server):
    with browser_page(width=390, height=844, device_scale_factor=2, has_touch=True) as watched:
        plot = Plot(watched, server).open()
        page = watched.page
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        widths = page.locator("canvas").evaluate("c => [c.width, c.clientWidth]")
        assert widths[0] == pytest.approx(2 * widths[1], abs=2)
        plot.surface.scroll_into_view_if_needed()
        page.touchscreen.tap(*plot.label("cluster 6"))
        plot.says(r"picked: \d+")
        pinch(plot, 0.1, 0.2)
        page.wait_for_timeout(300)
        assert plot.zoom == pytest.approx(2, rel=0.05)
        plot.tool("Show everything")
        plot.tool("Lasso")
        touch(plot, [[corner] for corner in AROUND])
        assert plot.rows_in_lasso() == N
        watched.assert_clean()


def touch(plot: Plot, moments) -> None:
    """Fingers on the plot: at each moment a list of places, as shares of width and height."""
    session = plot.page.context.new_cdp_session(plot.page)
    area = plot.box()
    kinds = ["touchStart"] + ["touchMove"] * (len(moments) - 1)
    for kind, places in zip(kinds, moments, strict=True):
        points = [
            {"x": area["x"] + x * area["width"], "y": area["y"] + y * area["height"], "id": i}
            for i, (x, y) in enumerate(places)
        ]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def pinch(plot: Plot, start: float, end: float) -> None:
    """Two fingers around the middle, moving apart from ``start`` to ``end``."""
    spread = np.linspace(start, end, 6)
    touch(plot, [[(0.5 - d, 0.5), (0.5 + d, 0.5)] for d in spread])


def test_the_plot_follows_the_theme(server):
    with browser_page() as watched:
        plot = Plot(watched, server).open()
        assert plot.pixels()[-5, -5].min() > 240
        plot.page.emulate_media(color_scheme="dark")
        plot.page.wait_for_timeout(800)
        pixels = plot.pixels()
        background = pixels[-5, -5]
        assert background.max() < 60
        drawn = np.abs(pixels - background).sum(axis=2) > 20
        assert drawn.mean() > 0.03
        assert pixels[drawn].mean() < 140, "muted towards the dark page, not the white one"
        watched.assert_clean()


def test_it_works_below_a_base_path(server):
    with serve(APP, ENV, base="crowd/select") as below, browser_page() as watched:
        Plot(watched, below).open()
        mine = [url for url in watched.requests if "crowdselect-scatter" in url]
        assert len(mine) == 4
        assert all("/crowd/select/crowdselect-scatter/" in url for url in mine)
        watched.assert_clean()


def test_two_visitors_do_not_see_each_others_lasso(server, plot):
    with browser_page() as watched:
        other = Plot(watched, server).open()
        plot.tool("Lasso")
        plot.drag(AROUND)
        assert plot.rows_in_lasso() == N
        with other.redrawn():
            other.page.get_by_role("slider").press("ArrowRight")
        other.says("lasso: no lasso")
        watched.assert_clean()
