"""Time what a visitor waits for, in headless Chromium, on a synthetic crowd.

python benchmarks/bench_dashboard.py [--rows 100000] [--steps 15] [--workspace DIR]

Prints the median and the worst of: a weight slider released until all figures are redrawn; the
cluster slider until the map shows the new colours; a lasso of about five per cent of the points
until the table stands; an instruction with its nineteen answers opened, and the next one; a load of
every page from its address once server and browser are warm. Chromium draws WebGL by software where
there is no graphics unit. The crowd is synthetic (see dashboard_crowd.py); give --workspace to
keep it between runs.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from dashboard_crowd import ENCODER, NAME, build  # noqa: E402

from crowdselect.dashboard.pages import PAGES, address  # noqa: E402
from crowdselect.settings import open_workspace  # noqa: E402
from tests.browser import Watched, browser_page, serve  # noqa: E402

MEASURED = [page.path for page in PAGES if page.per_crowd]
PATIENCE_MS = 300_000
STANDS = """() => {
  const app = document.querySelector('[data-testid="stApp"]')
  if (!app || app.getAttribute('data-test-script-state') !== 'notRunning') return false
  if (document.querySelector('[data-stale="true"]')) return false
  if (document.querySelector('[data-testid="stSkeleton"]')) return false
  return [...document.querySelectorAll('[data-testid="stPlotlyChart"]')]
    .every((chart) => chart.querySelector('.main-svg'))
}"""
LINK = "() => location.search"
TEXTS = """() => [...document.querySelectorAll('[data-testid="stText"]')]
  .map((e) => e.innerText).join('|')"""
LASSO_WORDS = """() => [...document.querySelectorAll('[data-testid="stText"]')]
  .map((e) => e.innerText).find((t) => t.includes('in the lasso')) ?? ''"""
PLOT = """() => {
  for (const e of document.querySelectorAll('*')) {
    const plot = e.shadowRoot?.querySelector('.scatter') ?? null
    if (plot?.dataset.version) return plot.dataset.version
  }
  return document.querySelector('.scatter')?.dataset.version ?? ''
}"""


def stands(watched: Watched) -> None:
    """Wait until no script runs, nothing is stale and every chart is drawn."""
    watched.page.wait_for_function(STANDS, timeout=PATIENCE_MS, polling=10)


def changed(watched: Watched, probe: str, before: str) -> None:
    """Wait until ``probe`` gives something else than ``before``, and the page stands."""
    watched.page.wait_for_function(
        f"(before) => ({probe})() !== before", arg=before, timeout=PATIENCE_MS, polling=10
    )
    stands(watched)


def timed(work: Callable[[], None]) -> float:
    """Seconds of ``work``."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def visit(watched: Watched, url: str, page: str, **params: object) -> None:
    """Open a page by its link and wait until it stands."""
    query = urlencode({"crowd": NAME, "encoder": ENCODER, "clustering": "fast", **params})
    watched.page.set_default_timeout(PATIENCE_MS)
    watched.page.goto(f"{url}/{address(page)}?{query}")
    watched.page.get_by_text("instructions ·").first.wait_for()
    watched.page.wait_for_timeout(150)
    stands(watched)


def steps_of_slider(
    watched: Watched, label: str, probe: str, steps: int, keys: tuple[str, str]
) -> list[float]:
    """Seconds per key press on a slider until the page stands again, back and forth."""
    slider = watched.page.get_by_role("slider", name=label)
    found = []
    for i in range(steps):
        before = watched.page.evaluate(probe)
        key = keys[0] if (i // 5) % 2 == 0 else keys[1]

        def press(key: str = key, before: str = before) -> None:
            slider.press(key)
            changed(watched, probe, before)

        found.append(timed(press))
        watched.page.wait_for_timeout(200)
    return found


def lassos(watched: Watched, steps: int) -> tuple[list[float], int]:
    """Seconds from letting go of a lasso until its table stands; rows in the last one."""
    page = watched.page
    page.get_by_role("button", name="Lasso").first.click()
    box = page.locator(".surface").first.bounding_box()
    words = LASSO_WORDS
    found = []
    for i in range(steps):
        x0, y0 = box["x"] + box["width"] * 0.43, box["y"] + box["height"] * 0.35
        x1, y1 = x0 + box["width"] * (0.14 + 0.005 * (i % 4)), y0 + box["height"] * 0.22
        page.mouse.move(x0, y0)
        page.mouse.down()
        for x, y in ((x1, y0), (x1, y1), (x0, y1), (x0, y0 + 3)):
            page.mouse.move(x, y, steps=6)
        before = page.evaluate(words)

        def release(before: str = before) -> None:
            page.mouse.up()
            changed(watched, words, before)

        found.append(timed(release))
        page.wait_for_timeout(300)
    text = str(page.evaluate(words))
    digits = "".join(c for c in text.split(" in ")[0].split(" of ")[0] if c.isdigit())
    return found, int(digits or 0)


def opened(watched: Watched, url: str, steps: int, across: int) -> list[float]:
    """Seconds from a click ``across`` pixels into a table's row until its instruction stands.

    The first is the first of a page's life: the browser has to compile plotly for it.
    """
    page = watched.page
    found = []
    visit(watched, url, "explore")
    for i in range(steps + 1):
        if i:
            page.get_by_test_id("stTopNavLink").filter(has_text="Explore").click()
            page.get_by_test_id("stDataFrame").first.wait_for()
            stands(watched)
        page.wait_for_timeout(500)
        table = page.get_by_test_id("stDataFrame").first.bounding_box()

        def click(
            y: float = table["y"] + 50 + 31 * (i % 5), x: float = table["x"] + across
        ) -> None:
            page.mouse.click(x, y)
            page.get_by_text("Compare two answers").wait_for()
            stands(watched)

        found.append(timed(click))
    return found


def following(watched: Watched, steps: int) -> list[float]:
    """Seconds from an instruction to the next one."""
    page = watched.page
    found = []
    for _ in range(steps):
        before = page.evaluate(TEXTS)

        def go(before: str = before) -> None:
            page.get_by_role("button", name="Next").click()
            changed(watched, TEXTS, before)

        found.append(timed(go))
        page.wait_for_timeout(200)
    return found


def line(title: str, seconds: list[float], aim: str) -> None:
    """Print one line of the table."""
    median = statistics.median(seconds) * 1000
    print(f"| {title} | {median:,.0f} | {max(seconds) * 1000:,.0f} | {len(seconds)} | {aim} |")


def run(url: str, steps: int, rows: int) -> None:
    """Warm every page, then measure."""
    with browser_page(width=1280, height=950) as watched:
        for page in MEASURED:
            seconds = timed(lambda page=page: visit(watched, url, page))
            print(f"cold {page}: {seconds:.1f} s", file=sys.stderr)
    print(f"\n{rows:,} x 19, load average {os.getloadavg()[0]:.1f}\n")
    print("| what | median, ms | worst, ms | n | aim, ms |\n|---|---|---|---|---|")
    with browser_page(width=1280, height=950) as watched:
        visit(watched, url, "select", budget=1000)
        keys = ("ArrowLeft", "ArrowRight")
        found = steps_of_slider(watched, "difficulty", LINK, steps, keys)
        line("weight slider to all figures", found, "300")
        visit(watched, url, "map", **{"map.colour": "cluster"})
        found = steps_of_slider(watched, "Clusters", PLOT, steps, ("ArrowRight", "ArrowLeft"))
        line("cluster slider to the map's colours and cards", found, "300")
        found, inside = lassos(watched, max(4, steps // 2))
        line(f"lasso of {inside:,} points to the table", found, "500")
        for what, across in (("its row's button", 52), ("a cell of its row", 200)):
            first, *rest = opened(watched, url, steps, across)
            line(f"an instruction opened by {what}", rest, "300")
            line(f"the same, the first after the page's load, by {what}", [first], "")
        line("the next instruction", following(watched, steps), "300")
    for page in MEASURED:
        with browser_page(width=1280, height=950) as watched:
            visit(watched, url, page)  # the browser fetches the programs once
            seconds = []
            for _ in range(max(3, steps // 3)):
                watched.page.goto("about:blank")
                seconds.append(timed(lambda page=page, w=watched: visit(w, url, page)))
        line(f"load of {page}, warm", seconds, "2,000")


def main() -> None:
    """Parse the arguments, build the crowd where it is missing, serve it, measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--steps", type=int, default=15)
    parser.add_argument("--workspace", type=Path, help="keep the synthetic crowd here")
    arguments = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="crowdselect-bench-"))
    try:
        workspace = open_workspace(arguments.workspace or scratch / "workspace")
        if NAME not in workspace.crowd_names():
            build(workspace, scratch / "files", arguments.rows)
        environment = {"CROWDSELECT_WORKSPACE": str(workspace.root), "OMP_NUM_THREADS": "1"}
        with serve(ROOT / "app.py", environment) as server:
            run(server.url, arguments.steps, arguments.rows)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
