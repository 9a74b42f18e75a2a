"""A crowd that does not fit into memory gives the bytes that it gives in memory."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdselect import equal_texts, pipeline
from crowdselect.files import forget
from crowdselect.metrics import METRICS, base
from crowdselect.pipeline import cache as caching
from crowdselect.store import crowd as stored
from crowdselect.store import rewards as rewarding
from crowdselect.store import texts as telling
from crowdselect.store.rewards import digest_of, mapped_rewards, read_rewards, write_rewards

landscape = import_module("crowdselect.pipeline.landscape")  # the name is a function's, too


@pytest.fixture
def pieces(monkeypatch):
    """Everything in pieces of seven rows, and no reward matrix in memory."""
    monkeypatch.setattr(base, "_BLOCK", 7)
    monkeypatch.setattr(rewarding, "_READ", 7)
    monkeypatch.setattr(telling, "_BATCH", 7)
    monkeypatch.setattr(stored, "LARGE", 0)


def everything(ready, recipe):
    crowd = pipeline.open_crowd(ready, "tiny")
    names = [name for name in METRICS.names() if name not in ("learnable", "just_above")]
    scores = pipeline.metrics(crowd, names)
    chosen = pipeline.select(crowd, recipe)
    columns = {k: v.tobytes() for k, v in scores.columns.items()}
    lengths = crowd.texts.response_lengths("words").tobytes()
    return crowd, (columns, lengths, crowd.ids.tolist(), chosen.ids.tolist(), chosen.report)


@pytest.mark.parametrize("fields", [{}, {"judge": "all", "answer": "top5_random"}])
def test_pieces_of_seven_rows_are_equal_to_the_whole(ready, recipe, monkeypatch, request, fields):
    recipe = recipe(**fields)
    _, whole = everything(ready, recipe)
    for path in (ready.crowds / "tiny" / "cache" / "metrics").iterdir():
        path.unlink()
    request.getfixturevalue("pieces")
    crowd, pieced = everything(ready, recipe)
    assert isinstance(crowd.rewards().values, np.memmap)
    assert pieced == whole


@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_of_a_large_file_stay_on_the_disk(tmp_path, monkeypatch, order):
    path = tmp_path / "kept.npz"
    want = np.asarray(np.random.default_rng(0).normal(size=(31, 7)), np.float32, order=order)
    np.savez(path, first=np.arange(3), vectors=want)
    assert caching.mapped(path, "vectors") is None, "it is small"
    monkeypatch.setattr(caching, "LARGE", 0)
    found = caching.mapped(path, "vectors")
    assert isinstance(found.base, np.memmap)
    assert found.tobytes() == want.tobytes()
    assert caching.mapped(path, "other") is None
    path.write_bytes(path.read_bytes()[:-60])
    assert caching.mapped(path, "vectors") is None
    np.savez_compressed(path, vectors=want)
    assert caching.mapped(path, "vectors") is None


def test_a_mapped_array_that_is_forgotten_is_read_again(tmp_path):
    def resident() -> int:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("RssFile"))

    want = np.arange(2_000_000, dtype=np.float64).reshape(-1, 4)
    np.save(tmp_path / "kept.npy", want)
    found = np.lib.format.open_memmap(tmp_path / "kept.npy", mode="r")
    assert found.sum() == want.sum()
    before = resident()
    forget(found)
    assert before - resident() > 10_000, "16 MB were in memory"
    np.testing.assert_array_equal(found, want)
    forget(want)


def test_clusters_of_mapped_vectors_are_those_of_vectors_in_memory(ready, monkeypatch):
    crowd = pipeline.open_crowd(ready, "tiny")
    monkeypatch.setattr(landscape, "_VECTORS", caching.Memo(1))
    monkeypatch.setattr(landscape, "_FAST", caching.Memo(1))
    in_memory = pipeline.vectors(crowd, "lsa")
    labels = pipeline.fast_clusters(crowd, "lsa").labels(3)
    monkeypatch.setattr(caching, "LARGE", 0)
    monkeypatch.setattr(landscape, "_VECTORS", caching.Memo(1))
    monkeypatch.setattr(landscape, "_FAST", caching.Memo(1))
    found = pipeline.vectors(crowd, "lsa")
    assert isinstance(found.base, np.memmap)
    assert found.tobytes() == in_memory.tobytes()
    assert pipeline.fast_clusters(crowd, "lsa").labels(3).tolist() == labels.tolist()


def test_a_damaged_or_forbidden_copy_is_no_loss(ready, pieces, monkeypatch):
    crowd = pipeline.open_crowd(ready, "tiny")
    want = np.array(crowd.rewards().values)
    (kept,) = (crowd.cache / "rewards").iterdir()
    kept.write_bytes(b"damaged")
    again = pipeline.open_crowd(ready, "tiny").rewards().values
    np.testing.assert_array_equal(again, want)
    kept.unlink()
    monkeypatch.setenv("CROWDSELECT_READ_ONLY", "1")
    np.testing.assert_array_equal(pipeline.open_crowd(ready, "tiny").rewards().values, want)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 40).flatmap(
        lambda n: st.lists(
            st.lists(st.floats(allow_infinity=False, width=32), min_size=3, max_size=3),
            min_size=n, max_size=n,
        )
    )
)  # fmt: skip
def test_rewards_come_back_from_pieces(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("rewards")
    values = np.array(rows, dtype=np.float64).reshape(len(rows), 3)
    models = ["a", "b", "c"]
    written, read = rewarding._WRITTEN, rewarding._READ
    want = digest_of(models, values)
    rewarding._WRITTEN, rewarding._READ = 11, 7
    try:
        file = write_rewards(folder, "j", models, values, position=0, origin="ingest")
        assert file.digest == want
        asked = ["c", "new", "a"]
        for found in (
            read_rewards(file.path, asked),
            mapped_rewards(file.path, asked, folder / "map.npy"),
        ):
            np.testing.assert_array_equal(found[:, [2, 0]], values[:, [0, 2]])
            assert np.isnan(found[:, 1]).all()
    finally:
        rewarding._WRITTEN, rewarding._READ = written, read


@given(st.lists(st.sampled_from(["a", "A ", " a", "b", "c  d", "C d", ""]), max_size=30))
def test_groups_of_equal_texts_are_numbered_by_their_first(texts):
    found = equal_texts.exact_duplicates(texts).tolist()
    firsts: dict[str, int] = {}
    codes = [firsts.setdefault(equal_texts.normal_text(t), len(firsts)) for t in texts]
    assert found == [code if codes.count(code) > 1 else -1 for code in codes]
