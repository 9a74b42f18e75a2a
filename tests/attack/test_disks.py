"""Disks that refuse: read-only, and a crowd without its cache."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from crowdselect import pipeline
from crowdselect.settings import open_workspace
from crowdselect.values import Recipe
from tests.pipeline import tiny

BROWSING = """
import json, sys
from crowdselect import pipeline
from crowdselect.errors import of_the_disk
from crowdselect.settings import open_workspace
from crowdselect.values import Recipe

workspace = open_workspace(sys.argv[1])
crowd = pipeline.open_crowd(workspace, "tiny")
recipe = Recipe(crowd="tiny", encoder="lsa", clusters=2, budget=4)

chosen = pipeline.select(crowd, recipe)
place = pipeline.landscape(crowd, encoder="lsa", clusters=2)
fast = pipeline.fast_clusters(crowd, "lsa")
told = []
for attempt in (
    lambda: pipeline.save_selection(workspace, chosen),
    lambda: crowd.notes.append("pin", str(crowd.ids[0])),
):
    try:
        attempt()
        told.append("")
    except OSError as error:
        told.append(of_the_disk(error).problem)
print(json.dumps([list(chosen.ids), len(place.clustering.labels), told, sorted(
    v.id for v in __import__("crowdselect").jobs.all_runs(workspace))]))
"""


def _mounted_read_only(folder: Path) -> list[str]:
    if subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True).returncode:
        pytest.skip("this system lets nobody mount a file system of their own")
    mount = f'mount --bind "{folder}" "{folder}" && mount -o remount,bind,ro "{folder}"'
    return ["unshare", "-rm", "sh", "-c", f'{mount} && exec "$@"', "sh"]


@pytest.mark.parametrize("cache", [True, False])
def test_browsing_and_selecting_need_no_disk_to_write_to(tmp_path: Path, cache: bool) -> None:
    root = tmp_path / "workspace"
    workspace = open_workspace(root)
    pipeline.ingest(workspace, "table", [tiny.write_tidy(tmp_path)], name="tiny")
    recipe = Recipe(crowd="tiny", encoder="lsa", clusters=2, budget=4)
    expected = pipeline.select(pipeline.open_crowd(workspace, "tiny"), recipe).ids.tolist()
    if not cache:
        shutil.rmtree(root / "crowds" / "tiny" / "cache")
        shutil.rmtree(root / "cache", ignore_errors=True)
    out = subprocess.run(
        [*_mounted_read_only(root), sys.executable, "-c", BROWSING, str(root)],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert out.returncode == 0, out.stderr
    ids, labels, told, runs = json.loads(out.stdout.splitlines()[-1])
    assert ids == expected
    assert labels == tiny.N
    assert all("read-only" in each for each in told)
    assert runs == []
