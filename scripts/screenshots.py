"""Take the screenshots of docs/screenshots/: every page, both themes, wide and narrow.

python scripts/screenshots.py [--workspace DIR --crowd NAME] [--out docs/screenshots]

Without a workspace it makes one in a temporary folder: the demo crowd where data/demo is there,
else a small synthetic crowd. Only such data may be committed.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlencode

from PIL import Image

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from crowdselect import pipeline  # noqa: E402
from crowdselect.errors import NotFoundError  # noqa: E402
from crowdselect.landscape import default_encoder  # noqa: E402
from crowdselect.settings import Workspace, demo_data, open_workspace  # noqa: E402
from crowdselect.values import Recipe  # noqa: E402
from tests.browser import browser_page, serve  # noqa: E402

PAGES = ("crowd", "explore", "instruction", "map", "select", "finetune", "benchmark", "report")
WIDTHS = (1280, 390)
MOST_HEIGHT = 1700
COLOURS = 128


def prepare(folder: Path) -> tuple[Workspace, str, str]:
    """A workspace with a crowd, its landscape and two saved selections; crowd and encoder."""
    workspace = open_workspace(folder / "workspace")
    try:
        demo_data()
        crowd = pipeline.ingest(workspace, "demo", [], name="demo")
        encoder = default_encoder()
    except NotFoundError:
        from dashboard_crowd import write_files

        files = write_files(folder / "files", 2_000)
        crowd = pipeline.ingest(workspace, "table", files, name="synthetic")
        encoder = "lsa"
    pipeline.landscape(crowd, encoder, 10, True, "fast")
    budget = min(1000, crowd.n // 5)
    for name, weights in (("paper", {}), ("hardest", {"weights": {"difficulty": 1.0}})):
        recipe = Recipe.parse(
            {"crowd": crowd.name, "encoder": encoder, "clustering": "fast", "budget": budget,
             **weights},
            "screenshots",
        )  # fmt: skip
        pipeline.save_selection(workspace, pipeline.select(crowd, recipe), name)
    return workspace, crowd.name, encoder


def take(url: str, out: Path, crowd: str, encoder: str, theme: str, width: int) -> None:
    """One picture per page."""
    with browser_page(width=width, height=900, dark=theme == "dark") as watched:
        page = watched.page
        page.set_default_timeout(120_000)
        for name in PAGES:
            path = "" if name == "crowd" else name
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(f"{url}/{path}?{urlencode({'crowd': crowd, 'encoder': encoder})}")
            page.get_by_test_id("stMain").wait_for()
            watched.idle(180_000)
            page.wait_for_timeout(2_500)
            tall = page.evaluate(
                "() => document.querySelector('[data-testid=stMain]').scrollHeight"
            )
            height = min(max(900, int(tall) + 70), MOST_HEIGHT)
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(1_200)
            target = out / f"{name}-{theme}-{width}.png"
            page.screenshot(path=str(target))
            shrink(target)
            print(target.name, f"{target.stat().st_size / 1024:.0f} kB")


def shrink(path: Path) -> None:
    """Reduce to a palette: pages have few colours, and files shrink to a quarter."""
    with Image.open(path) as image:
        flat = image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    flat.save(path, optimize=True)


def main() -> None:
    """Parse the arguments, start a server, and take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path, help="an existing workspace")
    parser.add_argument("--crowd", default="demo")
    parser.add_argument("--encoder", default=default_encoder())
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "screenshots")
    arguments = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="crowdselect-screenshots-"))
    try:
        if arguments.workspace:
            workspace, crowd = open_workspace(arguments.workspace), arguments.crowd
            encoder = arguments.encoder
        else:
            workspace, crowd, encoder = prepare(scratch)
        arguments.out.mkdir(parents=True, exist_ok=True)
        with serve(ROOT / "app.py", {"CROWDSELECT_WORKSPACE": str(workspace.root)}) as server:
            for theme in ("light", "dark"):
                for width in WIDTHS:
                    take(server.url, arguments.out, crowd, encoder, theme, width)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
