"""A hostile crowd in a real browser, at a read-only server: every part of every page, every button.

No script of the data runs, nothing outside is asked for, and the workspace keeps its bytes.
"""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from crowdselect import jobs, pipeline
from crowdselect.dashboard.pages import PAGES
from crowdselect.settings import Workspace, open_workspace
from crowdselect.store import Author, ScoreInfo, write_tags
from crowdselect.values import Recipe
from tests import crowds
from tests.attack.test_read_only import everything
from tests.browser import Server, Watched, browser_page, serve
from tests.dashboard import small
from tests.dashboard.driving import TIMEOUT_MS, TROUBLE, address

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("dashboard-browser")]

APP = Path(__file__).parents[2] / "app.py"
ELSEWHERE = "http://192.0.2.1"
EVIL = (
    f"<img src={ELSEWHERE}/i.png onerror=window.__hacked=1>",
    "<script>window.__hacked=1</script>",
    f"![x]({ELSEWHERE}/pixel.png)",
    f"[click]({ELSEWHERE}/a) <a href='javascript:window.__hacked=1'>b</a>",
    f"<svg onload=window.__hacked=1><iframe src={ELSEWHERE}/f></iframe>",
    f"<style>@import url({ELSEWHERE}/s.css)</style> $$\\href{{javascript:alert(1)}}{{x}}$$",
    f"\x1b[2J\u202e `x` **b** :material/delete: :red[x] | --- | <base href={ELSEWHERE}/>",
    f"{{{{7*7}}}} ${{7*7}} <%= 7*7 %> '\"--></title><img src={ELSEWHERE}/t.png>",
)
N = 40
NAME = "evil"
CHANGES = re.compile(
    r"^(Save|Pin|Ban|Unpin|Unban|Tag|Add|Comment|Undo|Start|Load the demo|Ingest|Cancel|Resume|"
    r"Remove|Rename|Export|Compute|Confirm|Index|Import|Preview|Upload|Make|Score|Judge|Run)"
)


def evil(i: int) -> str:
    return EVIL[i % len(EVIL)]


def build(root: Path) -> Workspace:
    rng = np.random.default_rng(0)
    models = [(evil(j)[:60] + str(j), evil(j + 1)[:40], 1.0 + j) for j in range(3)]
    rows = [
        {
            "id": f"{evil(i)}-{i}", "instruction": f"{evil(i)} word{i % 3} {evil(i + 1)} case {i}",
            "model": model, "response": f"{evil(i + j)} says {i}",
            "judge <b onclick=x>": round(float(rng.normal()), 3),
            "strict": round(float(rng.normal()), 3),
        }
        for i in range(N) for j, (model, _, _) in enumerate(models)
    ]  # fmt: skip
    files = root / "files"
    files.mkdir()
    paths = [crowds.write_parquet(files / "rows.parquet", rows), crowds.write_models(files, models)]
    workspace = open_workspace(root / "w")
    crowd = pipeline.ingest(workspace, "table", paths, name=NAME)
    ids = [str(i) for i in crowd.ids]
    reasons = [evil(i) for i in range(N)]
    frame = pd.DataFrame({"id": ids, "mine": rng.normal(size=N), "mine__reason": reasons})
    crowd.write_scores("mine", frame, ScoreInfo(name="mine", source=evil(0)))
    write_tags(crowd.path, "instag", {i: (evil(k),) for k, i in enumerate(ids)})
    author = Author(evil(3), "visit")
    crowd.notes.append("pin", ids[0], author=author)
    for kind in ("tag", "comment", "answer"):
        for k in range(4):
            crowd.notes.append(kind, ids[k], evil(k), author=author)  # type: ignore[arg-type]
    crowd = pipeline.open_crowd(workspace, NAME)
    small.embed(crowd, small.ENCODER)
    for seed in (1, 2):
        recipe = Recipe(crowd=NAME, encoder=small.ENCODER, clusters=3, clustering="fast",
                        budget=9 + seed, weights={"difficulty": 1.0})  # fmt: skip
        pipeline.save_selection(
            workspace, pipeline.select(crowd, recipe), f"one{seed}", evil(seed), [evil(2)]
        )
    waiting = jobs.create(workspace, "score", {"source": NAME, "scorer": evil(0)}, run_id="waits")
    assert jobs.read(waiting).state == "waiting"
    jobs.create(workspace, "finetune", {"model": evil(1)}, run_id="odd")
    return workspace


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return build(tmp_path_factory.mktemp("evil"))


@pytest.fixture(scope="module")
def server(workspace: Workspace) -> Iterator[Server]:
    environment = {
        "CROWDSELECT_WORKSPACE": str(workspace.root),
        "CROWDSELECT_READ_ONLY": "1",
        "OMP_NUM_THREADS": "1",
    }
    with serve(APP, environment) as running:
        yield running


def stands(watched: Watched, where: str) -> None:
    """Wait until the page stands; nothing of the data may have run."""
    watched.page.wait_for_timeout(60)
    watched.idle(TIMEOUT_MS)
    trouble = watched.page.locator(TROUBLE)
    assert trouble.count() == 0, (where, trouble.first.inner_text())
    assert watched.page.evaluate("() => window.__hacked") is None, where
    assert watched.external == [], where
    assert watched.page.locator("[src*='192.0.2.1'], iframe[src*='192']").count() == 0, where
    assert watched.page.locator("a[href^='javascript']").count() == 0, where
    assert watched.page.locator("[data-testid=stFileUploaderDropzone]").count() == 0, where


def use(watched: Watched, where: str) -> list[str]:
    """Press what would change something, as far as it is there; return what was pressed."""
    from playwright.sync_api import TimeoutError as Gone

    pressed: list[str] = []
    buttons = watched.page.locator("[data-testid=stMain] button:not([disabled])")
    for words in [b.strip() for b in buttons.all_inner_texts()]:
        if not CHANGES.match(words) or words in pressed:
            continue
        button = watched.page.get_by_role("button", name=words, exact=True).first
        with suppress(Gone):  # it went while another was pressed
            if button.count() and button.is_visible():
                button.click(timeout=5_000)
                pressed.append(words)
                stands(watched, f"{where}, {words}")
    return pressed


def test_every_part_of_every_page(workspace: Workspace, server: Server, tmp_path: Path) -> None:
    before = everything(workspace.root)
    identity = str(pipeline.open_crowd(workspace, NAME).ids[0])
    walked: dict[str, list[str]] = {}
    with browser_page(width=1280, height=1400) as watched:
        watched.page.set_default_timeout(TIMEOUT_MS)
        watched.page.on("dialog", lambda dialog: watched.errors.append(dialog.message))
        for page in PAGES:
            link: dict[str, Any] = {"crowd": NAME, "clusters": 3}
            if page.path == "instruction":
                link["instruction.id"] = identity
            watched.page.goto(address(server, page.path, **link))
            watched.page.get_by_text("instructions ·").first.wait_for()
            stands(watched, page.path)
            parts = watched.page.locator("[data-testid=stMain] [data-testid=stButtonGroup] button")
            if page.path == "crowd":  # its parts may be drawn after the page's head
                parts.filter(has_text="Add a crowd").first.wait_for()
            names = [t.strip() for t in parts.all_inner_texts()]
            walked[page.path] = names
            for name in names[:12] or [""]:
                where = f"{page.path}, {name}"
                part = parts.filter(has_text=name).first
                if name and part.count() and part.is_visible():
                    part.click()
                    stands(watched, where)
                use(watched, where)
            if page.path == "report":
                with watched.page.expect_download() as download:
                    watched.page.get_by_role("button", name="Download as one HTML file").click()
                download.value.save_as(tmp_path / "report.html")
        watched.page.goto((tmp_path / "report.html").as_uri())
        watched.page.wait_for_timeout(300)
        assert watched.page.evaluate("() => window.__hacked") is None
        outside = [url for url in watched.external if not url.startswith("file:")]
        assert outside == []
        # Streamlit looks for its own services below a page's address first.
        assert [said for said in watched.errors if "404" not in said] == []
    assert jobs.read(workspace.run("waits")).state == "waiting", "no cancel button works"
    assert everything(workspace.root) == before, json.dumps(walked)
    assert len(walked) == len(PAGES)
    assert "Add a crowd" in walked["crowd"]
