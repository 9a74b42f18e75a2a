"""Draw a study's forest plot as a picture for the documentation.

    python -m scripts.study_picture demo --out docs/screenshots/study-forest.png

Needs Chromium, as the screenshots do. The numbers are those of ``crowdselect study show``.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import pandas as pd

from crowdselect.charts.forest import forest
from crowdselect.charts.style import LIGHT
from crowdselect.dashboard.study.view import differences_frame
from crowdselect.pipeline.study import find_study, read_study
from crowdselect.settings import open_workspace
from tests.browser import browser_page

WIDTH = 900


def main() -> None:
    """Draw the differences to the study's first baseline."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study")
    parser.add_argument("--workspace", default=None)
    parser.add_argument("--split", default="test")
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args()
    found = read_study(find_study(open_workspace(chosen.workspace), chosen.study), chosen.split)
    baseline = found.plan.baselines[0]
    told = f"{found.unit}: difference to {baseline}, {found.split} questions"
    draw(differences_frame(found.against(baseline)), told, chosen.out)


def draw(frame: pd.DataFrame, label: str, out: Path) -> None:
    """Write the forest plot of ``frame`` (see charts/forest.py) as a PNG on a white ground."""
    fig = forest(frame, label, LIGHT)
    fig.update_layout(paper_bgcolor=LIGHT.surface, plot_bgcolor=LIGHT.surface)
    height = int(fig.layout.height) + 16
    with (
        tempfile.TemporaryDirectory() as folder,
        browser_page(width=WIDTH + 16, height=height, device_scale_factor=2) as watched,
    ):
        page_file = Path(folder) / "forest.html"
        fig.write_html(page_file, config={"staticPlot": True}, default_width=f"{WIDTH}px")
        watched.page.goto(page_file.as_uri())
        watched.page.wait_for_selector(".main-svg")
        watched.page.screenshot(path=out)


if __name__ == "__main__":
    main()
