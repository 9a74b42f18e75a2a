"""The map by word vectors comes first; what was done on it is kept when the better one is there."""

import numpy as np
import pytest

from crowdselect import pipeline
from crowdselect.dashboard.map import first_look
from crowdselect.pipeline.cache import load_or_make
from crowdselect.pipeline.landscape import _plane_path
from tests.browser import browser_page
from tests.dashboard import small
from tests.dashboard.driving import TROUBLE, lasso, shown, visit


def test_a_cluster_that_stays_the_same_keeps_its_colour() -> None:
    before = np.repeat([0, 1, 2], [50, 40, 30])
    after = np.repeat([2, 0, 1, 3], [50, 40, 15, 15])
    assert first_look.matched(before, after, 4)[2] == 0
    assert first_look.matched(before, after, 4)[0] == 1
    hues = first_look.matched(before, after, 4)
    assert len(set(hues)) == 4
    assert sorted((hues[1], hues[3]))[0] in (2, 3)


def test_a_cluster_that_was_not_there_gets_a_colour_that_was_not_seen() -> None:
    before = np.repeat([0, 1], 60)
    after = np.tile([0, 1, 2], 40)
    assert first_look.matched(before, after, 3) == (2, 3, 4)


def test_rows_without_a_cluster_decide_no_colour() -> None:
    before = np.array([-1, -1, 0, 0, 1, 1])
    after = np.array([0, 0, 1, 1, 0, -1])
    assert first_look.matched(before, after, 2)[1] == 0


@pytest.fixture(scope="module")
def chromium():
    with browser_page(width=1280, height=1000) as watched:
        yield watched


@pytest.fixture
def unmapped(world, tmp_path):
    """A crowd of which only the first look is there; any plane does (UMAP compiles for long)."""
    crowd = pipeline.ingest(world, "table", small.write_files(tmp_path, seed=3), name="unmapped")
    xy = pipeline.vectors(crowd, "static")[:, :2]
    path = _plane_path(crowd, "static", 42, quick=True)
    load_or_make(path, lambda: {"xy": np.ascontiguousarray(xy, np.float32)})
    pipeline.fast_clusters(crowd, "static")
    return crowd


def colour_of_card(page, word: str) -> str:
    """Of the cluster whose name holds ``word``."""
    card = page.locator(".cs-cards [data-label]").filter(has=page.locator("b", has_text=word))
    return card.first.locator("i").evaluate("i => i.style.background")


@pytest.mark.browser
@pytest.mark.xdist_group("dashboard-browser")
def test_the_better_map_takes_the_place_of_the_first_look(chromium, server, unmapped) -> None:
    page = visit(chromium, server, "map", crowd=unmapped.name, clusters=3)
    shown(page, "A first look, by word vectors alone")
    lasso(page, right=0.5)
    shown(page, "in the lasso, of all 120 instructions")
    chosen = page.get_by_text("in the lasso, of all").inner_text()
    assert page.get_by_role("button", name="Use as filter").count() == 0
    before = colour_of_card(page, "function")

    small.embed(unmapped, small.ENCODER)  # as the job does
    page.get_by_role("button", name="Compute embeddings and map").click()
    page.get_by_text("A first look, by word vectors alone").wait_for(state="detached")
    chromium.idle()
    assert page.locator("[data-flights='1']").count() == 1
    shown(page, chosen)
    assert colour_of_card(page, "function") == before

    page.get_by_role("button", name="Clear what was chosen on the first look").click()
    page.get_by_text(chosen).wait_for(state="detached")
    assert page.locator(TROUBLE).count() == 0
