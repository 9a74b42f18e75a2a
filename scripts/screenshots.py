"""Take the screenshots of docs/screenshots/: every page, both themes, wide and narrow.

python scripts/screenshots.py [--workspace DIR --crowd NAME] [--only PAGE ...] [--out DIR]

Without a workspace it makes one in a temporary folder: the demo crowd with its study (three
selections, three fine-tunes, four benchmark runs; some minutes) where data/demo is there, else a
small synthetic crowd. Only such data may be committed.
"""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlencode

from PIL import Image

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from crowdselect import jobs, pipeline  # noqa: E402
from crowdselect.dashboard.pages import PAGES, address  # noqa: E402
from crowdselect.demo import StudyPlan, study  # noqa: E402
from crowdselect.errors import NotFoundError  # noqa: E402
from crowdselect.landscape import default_encoder  # noqa: E402
from crowdselect.settings import Workspace, demo_data, open_workspace  # noqa: E402
from crowdselect.values import Recipe  # noqa: E402
from tests.browser import browser_page, serve  # noqa: E402

COLOURFUL = {page.path for page in PAGES if page.colourful}
SHOWN_SELECTION = "paper-weights"
WIDTHS = (1280, 390)
MOST_HEIGHT = 1700
COLOURS = 256


def prepare(folder: Path) -> tuple[Workspace, str, str]:
    """A workspace with a crowd, its landscape and two saved selections; crowd and encoder."""
    workspace = open_workspace(folder / "workspace")
    try:
        demo_data()
    except NotFoundError:
        return workspace, _synthetic(workspace, folder), "lsa"
    study(workspace, StudyPlan())
    return workspace, "demo", default_encoder()


def _synthetic(workspace: Workspace, folder: Path) -> str:
    from dashboard_crowd import write_files

    files = write_files(folder / "files", 2_000)
    crowd = pipeline.ingest(workspace, "table", files, name="synthetic")
    pipeline.landscape(crowd, "lsa", 10, True, "fast")
    recipe = Recipe(crowd=crowd.name, encoder="lsa", clustering="fast", budget=400)
    pipeline.save_selection(workspace, pipeline.select(crowd, recipe), SHOWN_SELECTION)
    return crowd.name


def links(workspace: Workspace, crowd: str, encoder: str) -> dict[str, str]:
    """Page -> path and query of the link to it."""
    shown = [s for s in pipeline.list_selections(workspace, crowd) if s.name == SHOWN_SELECTION]
    found = {}
    for name, picture in ((page.path, page.picture) for page in PAGES):
        given = {"crowd": crowd, "encoder": encoder, **picture}
        if name == "finetune":
            runs = [view.id for view in jobs.all_runs(workspace, "finetune")]
            given["finetune.runs"] = json.dumps(runs[:3])
        if name == "report" and shown:
            given["report.of"] = shown[0].id
        found[name] = f"{address(name)}?{urlencode(given)}"
    return found


def take(url: str, out: Path, addresses: dict[str, str], theme: str, width: int) -> None:
    """One picture per page."""
    with browser_page(width=width, height=900, dark=theme == "dark") as watched:
        page = watched.page
        page.set_default_timeout(120_000)
        for name, address in addresses.items():
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(f"{url}/{address}")
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
            shrink(target, None if name in COLOURFUL else COLOURS)
            print(target.name, f"{target.stat().st_size / 1024:.0f} kB")


def shrink(path: Path, colours: int | None) -> None:
    """Reduce to a palette of so many colours, where they suffice: files shrink to a third."""
    with Image.open(path) as image:
        flat = image.convert("RGB")
    if colours is not None:
        flat = flat.quantize(colours, dither=Image.Dither.NONE)
    flat.save(path, optimize=True)


def main() -> None:
    """Parse the arguments, start a server, and take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path, help="an existing workspace")
    parser.add_argument("--crowd", default="demo")
    parser.add_argument("--encoder", default=default_encoder())
    parser.add_argument("--only", nargs="+", choices=[p.path for p in PAGES], help="these pages")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "screenshots")
    arguments = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="crowdselect-screenshots-"))
    try:
        if arguments.workspace:
            workspace, crowd = open_workspace(arguments.workspace), arguments.crowd
            encoder = arguments.encoder
        else:
            workspace, crowd, encoder = prepare(scratch)
        wanted = arguments.only or [page.path for page in PAGES]
        addresses = {p: a for p, a in links(workspace, crowd, encoder).items() if p in wanted}
        arguments.out.mkdir(parents=True, exist_ok=True)
        with serve(ROOT / "app.py", {"CROWDSELECT_WORKSPACE": str(workspace.root)}) as server:
            for theme in ("light", "dark"):
                for width in WIDTHS:
                    take(server.url, arguments.out, addresses, theme, width)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
