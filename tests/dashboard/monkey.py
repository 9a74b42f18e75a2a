"""Every control of every page in random order: nothing a visitor can click may fail.

    python -m tests.dashboard.monkey --steps 500 --seed 7      (make monkey)

At each step it uses one control of the page that is shown, those that it used least before the
others, so that pairs of controls follow each other in every order; now and then it goes to another
page. What it did is the seed's: the same seed on the same code does the same, as far as the page
stands equally fast. An error that is ours and said in a sentence is no failure; what Streamlit
shows for an error that nobody caught is, and so is a traceback in the server's log.
"""

from __future__ import annotations

import argparse
import random
import re
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crowdselect.dashboard.pages import PAGES
from tests.browser import Server, Watched, browser_page, serve
from tests.dashboard import small
from tests.dashboard.driving import TROUBLE, visit

APP = Path(__file__).parents[2] / "app.py"
FIND = """() => {
  const kinds = {
    link: '[data-testid="stTopNavLink"]',
    slider: '[data-testid="stMain"] [role="slider"]',
    choice: 'input[role="combobox"]',
    number: 'input[type="number"]',
    text: '[data-testid="stTextInput"] input, textarea[aria-label]',
    tick: '[data-testid="stCheckbox"] label',
    table: '[data-testid="stDataFrame"]',
    plot: '[data-scatter] .surface',
    tab: '[role="tab"]',
    button: '[data-testid="stMain"] button, [data-testid="stPopoverBody"] button',
  }
  const seen = []
  for (const [kind, css] of Object.entries(kinds)) {
    [...document.querySelectorAll(css)].forEach((found, place) => {
      const box = found.getBoundingClientRect()
      if (!box.width || !box.height || found.disabled) return
      const words = found.getAttribute('aria-label') || found.innerText || found.title || ''
      seen.push({kind, css, place, words: words.trim().slice(0, 60)})
    })
  }
  return seen
}"""
LEFT_ALONE = re.compile(
    r"^(Start|Compute|Load the demo|Remove it|Confirm all|Index the|Resume|Cancel|Download|Upload)"
)
"""What takes minutes, ends what others stand on, or opens a dialogue of the system."""
WORDS = ("", "python", "<b>x</b>", "q010", "0", "-1", '"', "a" * 80)
NUMBERS = ("", "0", "1", "7", "999999")
PATIENCE_MS = 2_500


@dataclass
class Monkey:
    """One visit: what was done so far, and how often each control was used."""

    watched: Watched
    server: Server
    chance: random.Random
    trail: list[str] = field(default_factory=list)
    used: Counter[str] = field(default_factory=Counter)
    before: int = 0
    """Characters of the server's log that others wrote."""

    def __post_init__(self) -> None:
        """Remember what the log held."""
        self.before = len(self.server.text())

    def step(self) -> None:
        """Use one control, and look whether the page still stands."""
        seen = [c for c in self.page.evaluate(FIND) if not LEFT_ALONE.match(c["words"])]
        links = [c for c in seen if c["kind"] == "link"]
        controls = [c for c in seen if c["kind"] != "link"]
        if links and (not controls or self.chance.random() < 0.15):
            controls = links
        least = min(self.used[self._name(c)] for c in controls)
        control = self.chance.choice([c for c in controls if self.used[self._name(c)] == least])
        self.used[self._name(control)] += 1
        self.trail.append(self._name(control))
        self._use(control)
        self._look()

    @property
    def page(self) -> Any:
        """The browser's page."""
        return self.watched.page

    def _name(self, control: dict[str, Any]) -> str:
        where = self.page.url.split("?")[0].rsplit("/", 1)[-1]
        return f"{where}: {control['kind']} {control['words'] or control['place']!r}"

    def _use(self, control: dict[str, Any]) -> None:
        from playwright.sync_api import Error

        found = self.page.locator(control["css"]).nth(control["place"])
        try:
            ACTIONS[control["kind"]](self, found)
        except Error:
            # It went, or something lies over it: a visitor would look for another one too.
            self.page.keyboard.press("Escape")

    def _look(self) -> None:
        self.page.wait_for_timeout(60)
        self.watched.idle()
        trouble = self.page.locator(TROUBLE)
        log = self.server.text()[self.before :]
        if trouble.count() or "Traceback" in log:
            shown = trouble.first.inner_text() if trouble.count() else log[-1500:]
            raise AssertionError(f"after {' | '.join(self.trail[-6:])}:\n{shown}")


def _slide(monkey: Monkey, found: Any) -> None:
    found.press(monkey.chance.choice(("ArrowLeft", "ArrowRight", "Home", "End")))


def _choose(monkey: Monkey, found: Any) -> None:
    found.click(timeout=PATIENCE_MS)
    offered = monkey.page.locator("[role=option]")
    offered.first.wait_for(timeout=PATIENCE_MS)
    offered.nth(monkey.chance.randrange(offered.count())).click(timeout=PATIENCE_MS)


def _write(texts: tuple[str, ...]) -> Callable[[Monkey, Any], None]:
    def write(monkey: Monkey, found: Any) -> None:
        found.fill(monkey.chance.choice(texts), timeout=PATIENCE_MS)
        found.press("Tab")

    return write


def _click(monkey: Monkey, found: Any) -> None:
    found.click(timeout=PATIENCE_MS)


def _touch(monkey: Monkey, found: Any) -> None:
    box = found.bounding_box()
    found.click(
        position={
            "x": box["width"] * (0.02 + 0.9 * monkey.chance.random()),
            "y": box["height"] * (0.1 + 0.8 * monkey.chance.random()),
        },
        timeout=PATIENCE_MS,
    )


ACTIONS: dict[str, Callable[[Monkey, Any], None]] = {
    "link": _click,
    "slider": _slide,
    "choice": _choose,
    "number": _write(NUMBERS),
    "text": _write(WORDS),
    "tick": _click,
    "table": _touch,
    "plot": _touch,
    "tab": _click,
    "button": _click,
}


def walk(watched: Watched, server: Server, steps: int, seed: int) -> Monkey:
    """Take ``steps`` steps from the first page on; AssertionError says after what it failed."""
    monkey = Monkey(watched, server, random.Random(seed))
    visit(watched, server, PAGES[0].path, clusters=3, budget=20)
    watched.page.set_default_timeout(PATIENCE_MS)
    for _ in range(steps):
        monkey.step()
    return monkey


def main() -> None:
    """Walk on a server and a crowd of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="crowdselect-monkey-") as folder:
        root = small.build(Path(folder) / "workspace", Path(folder) / "files").root
        with serve(APP, {"CROWDSELECT_WORKSPACE": str(root)}) as server, browser_page() as watched:
            monkey = walk(watched, server, given.steps, given.seed)
    pages = Counter(name.split(":")[0] for name in monkey.trail)
    print(f"{given.steps} steps, {len(monkey.used)} controls, seed {given.seed}: nothing failed")
    print(", ".join(f"{page or PAGES[0].path} {count}" for page, count in pages.most_common()))


if __name__ == "__main__":
    main()
