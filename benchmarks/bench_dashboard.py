"""Time what a visitor waits for, in headless Chromium, on a synthetic crowd.

python benchmarks/bench_dashboard.py [--rows 100000] [--steps 15] [--workspace DIR]
                                     [--parts sliders lasso rows sessions loads]

Prints the median and the worst wall time, the median of the server's CPU time and its memory after:
a weight slider released until all figures are redrawn; the cluster slider until the map shows the
colours of a count that nobody asked for before (right after a start, and later), and of one seen
before; a lasso of about five per cent of the points until the table stands; an instruction with
its nineteen answers opened, and the next one; a weight slider while a second visitor moves to a
count never seen; a load of every page from its address once server and browser are warm.

Chromium draws WebGL by software where there is no graphics unit, and shares the machine's cores
with the server: on a busy machine read the CPU times. The crowd is synthetic (see
dashboard_crowd.py); give --workspace to keep it between runs.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import psutil  # noqa: E402
from dashboard_crowd import ENCODER, NAME, build  # noqa: E402

from crowdselect.dashboard.pages import PAGES, address  # noqa: E402
from crowdselect.settings import open_workspace  # noqa: E402
from tests.browser import Watched, browser_page, serve  # noqa: E402

MEASURED = [page.path for page in PAGES if page.per_crowd]
PATIENCE_MS = 300_000
COLOURED = {"map.colour": "cluster"}
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


@dataclass(frozen=True)
class Spent:
    """What one movement took."""

    wall: float
    """Seconds until the page stood."""
    cpu: float
    """Seconds of CPU time of the server, whatever else it was doing meanwhile included."""
    megabytes: float
    """Resident memory of the server afterwards."""


@dataclass(frozen=True)
class Bench:
    """A running server, measured from outside."""

    url: str
    process: psutil.Process

    def timed(self, work: Callable[[], None]) -> Spent:
        """What ``work`` took."""
        cpu, started = self._cpu(), time.perf_counter()
        work()
        wall = time.perf_counter() - started
        return Spent(wall, self._cpu() - cpu, self.process.memory_info().rss / 1e6)

    def _cpu(self) -> float:
        times = self.process.cpu_times()
        return float(times.user + times.system)


def visit(watched: Watched, url: str, page: str, **params: object) -> None:
    """Open a page by its link and wait until it stands."""
    query = urlencode({"crowd": NAME, "encoder": ENCODER, "clustering": "fast", **params})
    watched.page.set_default_timeout(PATIENCE_MS)
    watched.page.goto(f"{url}/{address(page)}?{query}")
    watched.page.get_by_text("instructions ·").first.wait_for()
    watched.page.wait_for_timeout(150)
    stands(watched)


def press(watched: Watched, label: str, probe: str, key: str) -> None:
    """Press a key on a slider and wait until the page stands again."""
    before = watched.page.evaluate(probe)
    watched.page.get_by_role("slider", name=label).press(key)
    changed(watched, probe, before)


def steps_of_slider(
    bench: Bench, watched: Watched, label: str, probe: str, keys: list[str]
) -> list[Spent]:
    """What each of the key presses on a slider took."""
    found = []
    for key in keys:
        found.append(bench.timed(lambda key=key: press(watched, label, probe, key)))
        watched.page.wait_for_timeout(200)
    return found


def lassos(bench: Bench, watched: Watched, steps: int) -> tuple[list[Spent], int]:
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

        found.append(bench.timed(release))
        page.wait_for_timeout(300)
    text = str(page.evaluate(words))
    digits = "".join(c for c in text.split(" in ")[0].split(" of ")[0] if c.isdigit())
    return found, int(digits or 0)


BUTTON_PX = 52
"""From a table's left edge to the button of a row."""


def opened(bench: Bench, watched: Watched, steps: int) -> list[Spent]:
    """Seconds from a click on the button of a table's row until its instruction stands.

    The first is the first of a page's life: the browser has to compile plotly for it.
    """
    page = watched.page
    found = []
    visit(watched, bench.url, "explore")
    for i in range(steps + 1):
        if i:
            page.get_by_test_id("stTopNavLink").filter(has_text="Explore").click()
            page.get_by_test_id("stDataFrame").first.wait_for()
            stands(watched)
        page.wait_for_timeout(500)
        table = page.get_by_test_id("stDataFrame").first.bounding_box()

        def click(
            y: float = table["y"] + 50 + 31 * (i % 5), x: float = table["x"] + BUTTON_PX
        ) -> None:
            page.mouse.click(x, y)
            page.get_by_text("Compare two answers").wait_for()
            stands(watched)

        found.append(bench.timed(click))
    return found


def following(bench: Bench, watched: Watched, steps: int) -> list[Spent]:
    """Seconds from an instruction to the next one."""
    page = watched.page
    found = []
    for _ in range(steps):
        before = page.evaluate(TEXTS)

        def go(before: str = before) -> None:
            page.get_by_role("button", name="Next").click()
            changed(watched, TEXTS, before)

        found.append(bench.timed(go))
        page.wait_for_timeout(200)
    return found


def line(title: str, spent: list[Spent], aim: str) -> None:
    """Print one line of the table."""
    walls, cpus = [s.wall * 1000 for s in spent], [s.cpu * 1000 for s in spent]
    print(
        f"| {title} | {statistics.median(walls):,.0f} | {max(walls):,.0f} | "
        f"{statistics.median(cpus):,.0f} | {len(spent)} | {aim} | {spent[-1].megabytes:,.0f} |",
        flush=True,
    )


def sliders(bench: Bench, steps: int) -> None:
    """The weight slider and the cluster slider."""
    back_and_forth = (["ArrowLeft"] * 5 + ["ArrowRight"] * 5) * steps
    with browser_page(width=1280, height=950) as watched:
        visit(watched, bench.url, "select", budget=1000)
        keys = back_and_forth[:steps]
        found = steps_of_slider(bench, watched, "difficulty", LINK, keys)
        line("weight slider to all figures", found, "250")
        for k in (10, 30):
            visit(watched, bench.url, "map", **COLOURED, clusters=k)
            new = steps_of_slider(bench, watched, "Clusters", PLOT, ["ArrowRight"] * (steps // 2))
            line(f"cluster slider, never seen: {k + 1} to {k + len(new)}", new, "300")
            seen = steps_of_slider(bench, watched, "Clusters", PLOT, ["ArrowLeft"] * len(new))
            line("cluster slider, seen before", seen, "250")


def first_after_a_start(workspace: Path, starts: int) -> None:
    """The first movement of the cluster slider, as soon as the map of a fresh server stands."""
    found = []
    for i in range(starts):
        forget_clusters(workspace)
        with served(workspace) as bench, browser_page(width=1280, height=950) as watched:
            visit(watched, bench.url, "map", **COLOURED, clusters=14 + 6 * i)
            found += steps_of_slider(bench, watched, "Clusters", PLOT, ["ArrowRight"])
    line("cluster slider, never seen, the first after a start", found, "")


def sessions(bench: Bench, steps: int) -> None:
    """One visitor moves a weight while another moves to a number of clusters never seen."""
    with browser_page(width=1280, height=950) as one, browser_page(width=1280) as two:
        visit(one, bench.url, "select", budget=1000)
        visit(two, bench.url, "map", **COLOURED, clusters=20)
        clusters = two.page.get_by_role("slider", name="Clusters")
        found = []
        for i in range(steps // 2):
            before = two.page.evaluate(PLOT)
            clusters.press("ArrowRight")
            key = "ArrowLeft" if i % 2 == 0 else "ArrowRight"
            found += steps_of_slider(bench, one, "difficulty", LINK, [key])
            changed(two, PLOT, before)
        line("weight slider, while a second visitor moves the clusters", found, "250")


def rows_opened(bench: Bench, steps: int) -> None:
    """An instruction opened, and the next one."""
    with browser_page(width=1280, height=950) as watched:
        first, *rest = opened(bench, watched, steps)
        line("an instruction opened by its row's button", rest, "250")
        line("the same, the first after the page's load", [first], "")
        line("the next instruction", following(bench, watched, steps), "250")


def lassoed(bench: Bench, steps: int) -> None:
    """A lasso on the map."""
    with browser_page(width=1280, height=950) as watched:
        visit(watched, bench.url, "map", **COLOURED)
        found, inside = lassos(bench, watched, max(4, steps // 2))
        line(f"lasso of {inside:,} points to the table", found, "250")


def loads(bench: Bench, steps: int) -> None:
    """Every page from its address, the server warm, the browser's programs fetched."""
    for page in MEASURED:
        with browser_page(width=1280, height=950) as watched:
            visit(watched, bench.url, page)
            seconds = []
            for _ in range(max(3, steps // 3)):
                watched.page.goto("about:blank")
                work = lambda page=page, w=watched: visit(w, bench.url, page)  # noqa: E731
                seconds.append(bench.timed(work))
        line(f"load of {page}, warm", seconds, "2,000")


PARTS: dict[str, Callable[[Bench, int], None]] = {
    "sliders": sliders,
    "lasso": lassoed,
    "rows": rows_opened,
    "sessions": sessions,
    "loads": loads,
}


def forget_clusters(workspace: Path) -> None:
    """Throw away the clusters that were kept: every number of them was never seen."""
    shutil.rmtree(workspace / "crowds" / NAME / "cache" / "clusters", ignore_errors=True)


@contextmanager
def served(workspace: Path) -> Iterator[Bench]:
    """A fresh server on the workspace."""
    environment = {"CROWDSELECT_WORKSPACE": str(workspace), "OMP_NUM_THREADS": "1"}
    with serve(ROOT / "app.py", environment) as server:
        yield Bench(server.url, psutil.Process(server.process.pid))


def warm(bench: Bench) -> None:
    """Open every page once."""
    with browser_page(width=1280, height=950) as watched:
        for page in MEASURED:
            spent = bench.timed(lambda page=page: visit(watched, bench.url, page))
            words = f"cold {page}: {spent.wall:.1f} s, CPU {spent.cpu:.1f} s"
            print(f"{words}, {spent.megabytes:,.0f} MB", file=sys.stderr)


def main() -> None:
    """Parse the arguments, build the crowd where it is missing, serve it, measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--steps", type=int, default=15)
    parser.add_argument("--workspace", type=Path, help="keep the synthetic crowd here")
    parser.add_argument("--parts", nargs="+", choices=[*PARTS, "start"], default=[*PARTS, "start"])
    arguments = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="crowdselect-bench-"))
    try:
        workspace = open_workspace(arguments.workspace or scratch / "workspace")
        if NAME not in workspace.crowd_names():
            build(workspace, scratch / "files", arguments.rows)
        forget_clusters(workspace.root)
        head = "| what | median, ms | worst, ms | server CPU, ms | n | aim, ms | server MB |"
        print(f"\n{arguments.rows:,} x 19, load average {os.getloadavg()[0]:.1f}\n\n{head}")
        print("|---|---|---|---|---|---|---|", flush=True)
        if "start" in arguments.parts:
            first_after_a_start(workspace.root, 3)
        with served(workspace.root) as bench:
            warm(bench)
            for part in (p for p in PARTS if p in arguments.parts):
                PARTS[part](bench, arguments.steps)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
