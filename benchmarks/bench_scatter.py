"""The large scatter against plotly's scattergl, in the same browser, one after the other.

``python benchmarks/bench_scatter.py [--points 100000 1000000] [--steps 5]`` prints, for each,
the first load, one slider step until the graphics unit has drawn it, the bytes of a step, and
from the end of a lasso until Python has its rows. Needs Playwright and Chromium; without a
graphics card Chromium draws by software, which the large numbers of points feel most.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.browser import Watched, browser_page, serve  # noqa: E402

PATIENCE_MS = 120_000
# True once the plot shows the state `want` (weight, as text) and the GPU has finished it.
DRAWN = {
    "webgl": """before => {
      for (const element of document.querySelectorAll('*')) {
        const plot = element.shadowRoot?.querySelector('.scatter')
        if (!plot?.dataset.version || plot.dataset.version === before) continue
        const gl = plot.querySelector('canvas').getContext('webgl2')
        gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4))
        return plot.dataset.version
      }
      return false
    }""",
    "plotly": """before => {
      const plot = document.querySelector('.js-plotly-plot')
      const canvas = plot?.querySelector('canvas.gl-canvas-context')
      if (!canvas || !plot.calcdata || plot._fullLayout?.meta === before) return false
      const gl = canvas.getContext('webgl') ?? canvas.getContext('webgl2')
      gl?.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4))
      return plot._fullLayout.meta
    }""",
}
SURFACE = {"webgl": ".surface", "plotly": ".nsewdrag"}


def drawn(watched: Watched, kind: str, before: str | None) -> str:
    """Wait until something newer than ``before`` is on screen; return its name."""
    handle = watched.page.wait_for_function(DRAWN[kind], arg=before, polling=5, timeout=PATIENCE_MS)
    return str(handle.json_value())


def settle(watched: Watched) -> None:
    watched.idle(PATIENCE_MS)
    watched.page.wait_for_timeout(300)


def slider(watched: Watched, kind: str, shown: str, steps: int) -> tuple[list[float], list[int]]:
    """Seconds and received bytes of each step."""
    seconds, sizes = [], []
    control = watched.page.get_by_role("slider")
    for _ in range(steps):
        settle(watched)
        watched.received.clear()
        started = time.perf_counter()
        control.press("ArrowRight")
        shown = drawn(watched, kind, shown)
        seconds.append(time.perf_counter() - started)
        settle(watched)
        sizes.append(sum(watched.received))
    return seconds, sizes


def lasso(watched: Watched, kind: str) -> float:
    """Seconds from letting go until Python has printed how many rows are inside."""
    page = watched.page
    if kind == "webgl":
        page.get_by_role("button", name="Lasso", exact=True).click()
    area = page.locator(SURFACE[kind]).first.bounding_box()
    corners = [(0.4, 0.4), (0.6, 0.4), (0.6, 0.6), (0.4, 0.6), (0.4, 0.42)]
    places = [(area["x"] + x * area["width"], area["y"] + y * area["height"]) for x, y in corners]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=5)
    started = time.perf_counter()
    page.mouse.up()
    page.get_by_text(re.compile(r"lasso \d+")).wait_for(timeout=PATIENCE_MS)
    return time.perf_counter() - started


def measure(url: str, kind: str, steps: int) -> dict[str, float | None]:
    """All figures of one kind, in a fresh browser; None: no answer within two minutes."""
    from playwright.sync_api import TimeoutError as TooSlow

    result: dict[str, float | None] = dict.fromkeys(("load", "step", "kB", "lasso"))
    with browser_page() as watched:
        try:
            started = time.perf_counter()
            watched.page.goto(f"{url}/?with={kind}")
            shown = drawn(watched, kind, None)
            result["load"] = time.perf_counter() - started
            seconds, sizes = slider(watched, kind, shown, steps)
            result["step"] = statistics.median(seconds)
            result["kB"] = statistics.median(sizes) / 1000
            result["lasso"] = lasso(watched, kind)
        except TooSlow:
            pass
    return result


ROWS = (
    ("load", "first load, s"),
    ("step", "slider to drawn, s (median)"),
    ("kB", "received per step, kB"),
    ("lasso", "lasso to rows in Python, s"),
)


def text(value: Any, form: str) -> str:
    return "no answer in 120 s" if value is None else form.format(value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--points", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--steps", type=int, default=5)
    options = parser.parse_args()
    for n in options.points:
        with serve(ROOT / "benchmarks/apps/scatter_app.py", {"SCATTER_N": str(n)}) as server:
            measure(server.url, "webgl", 1)  # warm: imports and the points are cached
            ours = measure(server.url, "webgl", options.steps)
            theirs = measure(server.url, "plotly", options.steps if n <= 200_000 else 2)
        print(f"\n{n:,} points, 1 % selected{'':>10}{'ours':>12}{'scattergl':>20}{'ratio':>9}")
        for name, title in ROWS:
            a, b = ours[name], theirs[name]
            ratio = "" if a is None or b is None else f"{b / a:.0f}x"
            print(f"  {title:<34}{text(a, '{:.2f}'):>12}{text(b, '{:.2f}'):>20}{ratio:>9}")


if __name__ == "__main__":
    main()
