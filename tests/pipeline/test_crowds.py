"""Crowds come and go whole."""

import signal
import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from crowdselect import pipeline
from crowdselect.errors import CancelledError, InputError, NotFoundError
from crowdselect.landscape import ENCODERS
from crowdselect.locks import LOCK
from crowdselect.pipeline.cache import Memo
from crowdselect.settings import Workspace, open_workspace
from tests.crowds import left_behind
from tests.pipeline import tiny


def test_names_and_removal(workspace: Workspace, tmp_path: Path) -> None:
    pipeline.ingest(workspace, "table", [tiny.write_tidy(tmp_path)])
    assert pipeline.crowd_names(workspace) == ["tidy"]
    pipeline.remove_crowd(workspace, "tidy")
    assert pipeline.crowd_names(workspace) == []
    assert left_behind(workspace) == []
    with pytest.raises(NotFoundError):
        pipeline.remove_crowd(workspace, "tidy")


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [("tabel", {}, "no source"), ("table", {"layuot": "wide"}, "no option 'layuot'")],
)
def test_mistakes(workspace: Workspace, tmp_path: Path, source, options, message) -> None:
    with pytest.raises((InputError, NotFoundError), match=message):
        pipeline.ingest(workspace, source, [tiny.write_tidy(tmp_path)], options=options)
    assert left_behind(workspace) == []


def test_a_cancelled_ingest_leaves_nothing(workspace: Workspace, tmp_path: Path) -> None:
    def stop(done: int, total: int | None, label: str = "") -> None:
        raise CancelledError

    with pytest.raises(CancelledError):
        pipeline.ingest(workspace, "table", [tiny.write_tidy(tmp_path)], progress=stop)
    files = [p for p in workspace.root.rglob("*") if p.is_file()]
    assert [p for p in files if not p.name.startswith(LOCK)] == []


def test_kill_9_while_removing(tmp_path: Path) -> None:
    """The crowd is gone at once; what is left of it goes at the next start."""
    workspace = open_workspace(tmp_path / "w")
    pipeline.ingest(workspace, "table", [tiny.write_tidy(tmp_path)], name="gone")
    code = (
        "import os, shutil, signal, sys\n"
        "from crowdselect import pipeline, settings\n"
        "shutil.rmtree = lambda path: os.kill(os.getpid(), signal.SIGKILL)\n"
        "pipeline.remove_crowd(settings.Workspace(settings.Path(sys.argv[1])), 'gone')\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(workspace.root)], timeout=120)
    assert done.returncode == -signal.SIGKILL
    assert pipeline.crowd_names(workspace) == []
    assert len(left_behind(workspace)) == 1
    open_workspace(workspace.root)
    assert left_behind(workspace) == []


@dataclass(frozen=True)
class Counting:
    """An encoder that remembers the texts it is given: two numbers per text."""

    name: ClassVar[str] = "counting"
    title: ClassVar[str] = "Counting"
    whole_corpus: ClassVar[bool] = False
    seen: ClassVar[list[str]] = []

    def identity(self) -> dict[str, str]:
        return {"name": self.name}

    def __call__(self, texts):
        self.seen.extend(texts)
        angles = np.array([sum(map(ord, text)) % 360 for text in texts])
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setitem(ENCODERS._plugins, "counting", Counting)
    Counting.seen.clear()
    return Counting.seen


def test_unchanged_texts_are_not_embedded_twice(workspace, tmp_path, counting) -> None:
    """Neither for other clusters, nor after a re-ingest, nor in another crowd."""
    data = tiny.frame(9)
    crowd = pipeline.ingest(workspace, "table", [tiny.write_tidy(tmp_path, data)], name="a")
    first = pipeline.landscape(crowd, "counting", 2)
    assert len(counting) == 9
    second = pipeline.landscape(crowd, "counting", 4)
    np.testing.assert_array_equal(first.plane.xy, second.plane.xy)
    assert (first.clustering.k, second.clustering.k) == (2, 4)
    grown = tiny.frame(12)
    again = pipeline.ingest(workspace, "table", [tiny.write_tidy(tmp_path, grown)], name="b")
    pipeline.vectors(again, "counting")
    assert len(counting) == 9 + len(set(again.instruction_texts()) - set(crowd.instruction_texts()))
    pipeline.ingest(workspace, "table", [tiny.write_tidy(tmp_path, data)], name="a", replace=True)
    pipeline.landscape(pipeline.open_crowd(workspace, "a"), "counting", 2)
    assert len(counting) <= 12


def test_new_rewards_move_neither_vectors_nor_map(workspace, tmp_path, counting) -> None:
    file = tiny.write_tidy(tmp_path, tiny.frame(9))
    crowd = pipeline.ingest(workspace, "table", [file], name="a")
    pipeline.landscape(crowd, "counting", 2)
    rewards = tiny.frame(9).pivot(index="id", columns="model", values="strict").reset_index()
    crowd.add_judge("third", rewards)
    again = pipeline.open_crowd(workspace, "a")
    assert again.judges[-1] == "third"
    assert pipeline.has_landscape(again, "counting")
    before = sorted(p for p in again.cache.rglob("*") if p.is_file())
    pipeline.landscape(again, "counting", 2)
    assert sorted(p for p in again.cache.rglob("*") if p.is_file()) == before
    assert len(counting) == 9


@pytest.mark.parametrize("method", ["exact", "fast"])
def test_too_few_texts_for_the_clusters_are_told_again_from_the_cache(
    workspace, tmp_path, counting, method
) -> None:
    crowd = pipeline.ingest(workspace, "table", [tiny.write_tidy(tmp_path, tiny.frame(4))])
    for _ in range(2):
        found = pipeline.clustering(crowd, "counting", 9, method)
        assert found.k <= 4
        assert "9 clusters were asked for" in found.warning
    assert pipeline.clustering(crowd, "counting", 2, method).warning == ""


def test_a_landscape_with_a_map_prepares_the_slider_of_its_clusters(workspace, tmp_path) -> None:
    crowd = pipeline.ingest(workspace, "table", [tiny.write_tidy(tmp_path, tiny.frame(9))])
    pipeline.landscape(crowd, "lsa", 2, plane=False)
    assert list(crowd.cache.glob("fast/*.npz")) == []
    pipeline.landscape(crowd, "lsa", 2)
    (kept,) = crowd.cache.glob("fast/*.npz")
    before = kept.stat().st_mtime_ns
    pipeline.landscape(crowd, "lsa", 3)
    assert kept.stat().st_mtime_ns == before


def test_a_damaged_preparation_of_clusters_is_made_again(crowd, monkeypatch) -> None:
    before = pipeline.fast_clusters(crowd, "lsa").labels(4)
    (kept,) = (crowd.cache / "fast").glob("*.npz")
    kept.write_bytes(b"not an archive")
    module = import_module("crowdselect.pipeline.landscape")
    monkeypatch.setattr(module, "_FAST", Memo(1))  # as in the next process
    np.testing.assert_array_equal(pipeline.fast_clusters(crowd, "lsa").labels(4), before)
    assert kept.read_bytes()[:2] == b"PK"
