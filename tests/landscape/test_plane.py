"""The map: neighbours stay together, the same input gives the same bytes."""

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from crowdselect.errors import CancelledError
from crowdselect.landscape import plane, project
from tests.landscape.test_cluster import blobs


@pytest.fixture(scope="module")
def placed():
    vectors = blobs(400, centres=6, noise=0.3)
    seen: list[tuple[int, int | None, str]] = []
    return vectors, project(vectors, progress=lambda *report: seen.append(report)), seen


def test_neighbours_stay_together(placed) -> None:
    vectors, xy, _ = placed
    assert xy.shape == (400, 2)
    assert xy.dtype == np.float32
    assert trustworthiness(vectors, xy, n_neighbors=15) > 0.9


def test_the_same_seed_gives_the_same_bytes(placed) -> None:
    vectors, xy, _ = placed
    assert project(vectors).tobytes() == xy.tobytes()
    assert project(vectors, seed=1).tobytes() != xy.tobytes()


def test_progress_counts_the_epochs(placed) -> None:
    _, _, seen = placed
    labels = list(dict.fromkeys(label for _, _, label in seen))
    assert labels == [
        "map: principal components", "map: nearest neighbours", "map: placing the texts",
    ]  # fmt: skip
    assert seen[-1][:2] == (500, 500)


def test_a_map_can_be_cancelled(capsys) -> None:
    def stop(done: int, total: int | None, label: str = "") -> None:
        if total:
            raise CancelledError

    with pytest.raises(CancelledError):
        project(blobs(60), progress=stop)
    assert capsys.readouterr() == ("", "")


def test_equal_rows_share_a_place_and_rows_without_vector_have_none() -> None:
    vectors = np.repeat(blobs(40), 3, axis=0)
    vectors[5] = np.nan
    xy = project(vectors)
    np.testing.assert_array_equal(np.isnan(xy).any(axis=1), np.arange(120) == 5)
    groups = np.delete(xy, [3, 4, 5], axis=0).reshape(-1, 3, 2)
    assert (groups == groups[:, :1]).all()
    assert len(np.unique(groups[:, 0], axis=0)) == 39


@pytest.mark.parametrize("distinct", range(10))
def test_few_rows_are_placed_without_umap(distinct: int) -> None:
    vectors = np.repeat(blobs(distinct), 4, axis=0)
    xy = project(vectors)
    assert xy.shape == (4 * distinct, 2)
    assert np.isfinite(xy).all()
    assert len(np.unique(xy, axis=0)) == distinct


def test_one_dimension_is_enough() -> None:
    line = np.arange(5, dtype=np.float32)[:, None]
    assert (project(line)[:, 1] == 0).all()


def test_with_an_order_the_order_of_the_rows_moves_no_place() -> None:
    vectors = blobs(60)
    vectors[9] = np.nan
    names = np.random.default_rng(1).permutation(60)
    shuffle = np.random.default_rng(2).permutation(60)
    here = project(vectors, order=np.argsort(names))
    there = project(vectors[shuffle], order=np.argsort(names[shuffle]))
    np.testing.assert_array_equal(here[shuffle], there)
    assert not np.array_equal(here, project(vectors), equal_nan=True)


def test_a_preview_of_many_rows_keeps_neighbourhoods() -> None:
    vectors = blobs(4200, d=64, centres=20)
    xy = project(vectors, quick=True)
    assert trustworthiness(vectors[::4], xy[::4], n_neighbors=15) > 0.85


def test_many_rows_take_half_of_the_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plane, "_MANY", 60)
    seen: list[tuple[int, int | None]] = []
    project(blobs(60), progress=lambda done, total, label="": seen.append((done, total)))
    assert seen[-1] == (100, 100)
