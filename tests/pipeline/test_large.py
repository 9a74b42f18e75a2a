"""A crowd that does not fit into memory gives the bytes that it gives in memory."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdselect import equal_texts, pipeline
from crowdselect.metrics import METRICS, base
from crowdselect.store import crowd as stored
from crowdselect.store import rewards as rewarding
from crowdselect.store import texts as telling
from crowdselect.store.rewards import digest_of, mapped_rewards, read_rewards, write_rewards


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
