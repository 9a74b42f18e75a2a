"""K-means: scikit-learn's result, ordered; and the fast way next to it."""

import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from crowdselect.errors import CancelledError, InputError
from crowdselect.landscape import FastClusters, cluster
from crowdselect.landscape.cluster import arrange
from crowdselect.landscape.fast import MICRO


def blobs(n: int, d: int = 16, centres: int = 12, noise: float = 0.5, seed: int = 0):
    """Unit rows around unequal, overlapping centres."""
    random = np.random.default_rng(seed)
    middle = random.normal(size=(centres, d))
    share = random.dirichlet(np.full(centres, 2.0))
    rows = middle[random.choice(centres, n, p=share)] + noise * random.normal(size=(n, d))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def inertia_of(vectors: np.ndarray, labels: np.ndarray) -> float:
    parts = [vectors[labels == label].astype(float) for label in range(labels.max() + 1)]
    return sum(((part - part.mean(axis=0)) ** 2).sum() for part in parts)


@pytest.mark.parametrize("k", [1, 2, 7, 10])
def test_exact_is_scikit_learns_n_init_20(k: int) -> None:
    vectors = blobs(400)
    reference = KMeans(k, n_init=20, random_state=42).fit(vectors)
    found = cluster(vectors, k)
    assert adjusted_rand_score(reference.labels_, found.labels) == 1.0
    assert found.inertia == pytest.approx(reference.inertia_, rel=1e-5)
    assert found.k == k
    assert found.warning is None


def test_the_seed_decides() -> None:
    vectors = blobs(300, noise=2.0)
    first, again, other = cluster(vectors, 9), cluster(vectors, 9), cluster(vectors, 9, seed=1)
    assert first.labels.tobytes() == again.labels.tobytes()
    assert first.centroids.tobytes() == again.centroids.tobytes()
    assert first.labels.tobytes() != other.labels.tobytes()


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40),
    st.integers(1, 8),
    st.data(),
)
def test_labels_are_ordered_and_honest(points, k: int, data) -> None:
    vectors = np.array(points, np.float32)
    lacks = data.draw(st.lists(st.booleans(), min_size=len(points), max_size=len(points)))
    vectors[np.array(lacks)] = np.nan
    distinct = len({p for p, gone in zip(points, lacks, strict=True) if not gone})
    found = cluster(vectors, k)
    np.testing.assert_array_equal(found.labels == -1, lacks)
    assert found.k == min(k, distinct)
    assert (found.warning is not None) == (distinct < k)
    sizes = np.bincount(found.labels[found.labels >= 0], minlength=found.k)
    first = [np.flatnonzero(found.labels == label)[0] for label in range(found.k)]
    keys = [(-size, row) for size, row in zip(sizes, first, strict=True)]
    assert keys == sorted(keys)
    assert all(sizes > 0)
    assert found.inertia == pytest.approx(inertia_of(vectors, found.labels), abs=1e-4)
    for label in range(found.k):
        mean = vectors[found.labels == label].mean(axis=0)
        np.testing.assert_allclose(found.centroids[label], mean, atol=1e-6)


METHODS = {"exact": cluster, "fast": lambda vectors, k: FastClusters(vectors).clusters(k)}


@pytest.mark.parametrize("method", METHODS)
def test_no_vectors_no_clusters(method) -> None:
    for vectors in (np.empty((0, 5)), np.full((3, 5), np.nan), np.empty((3, 0))):
        found = METHODS[method](vectors.astype(np.float32), 4)
        assert (found.labels == -1).all()
        assert (len(found.labels), found.k, found.inertia) == (len(vectors), 0, 0.0)
        none = f"There are no clusters: none of the {len(vectors)} texts has a vector."
        assert found.warning == none


@pytest.mark.parametrize("method", METHODS)
def test_too_few_texts_are_told_from_texts_without_a_vector(method) -> None:
    vectors = np.array([[1, 0], [0, 1], [1, 0], [np.nan, np.nan]], np.float32)
    asked = "3 clusters were asked for, but only 2 texts differ"
    assert METHODS[method](vectors, 3).warning == f"{asked}; 1 have no vector."
    assert METHODS[method](vectors[:3], 3).warning == f"{asked}."
    assert METHODS[method](vectors, 2).warning is None


@pytest.mark.parametrize("method", METHODS)
def test_bad_questions_are_explained(method) -> None:
    with pytest.raises(InputError, match="number of clusters is 0"):
        METHODS[method](blobs(20), 0)
    with pytest.raises(InputError, match="shape"):
        METHODS[method](np.zeros(5, np.float32), 2)


@pytest.mark.parametrize("method", ["exact", "fast", "fast, prepared"])
def test_with_an_order_the_order_of_the_rows_decides_nothing(method, tmp_path) -> None:
    vectors = blobs(5000 if method == "fast, prepared" else 300, noise=2.0)
    vectors[7] = np.nan
    names = np.random.default_rng(5).permutation(len(vectors))
    by_name = np.argsort(names)
    shuffle = np.random.default_rng(6).permutation(len(vectors))

    def labels(rows, order):
        if method == "exact":
            return cluster(rows, 9, order=order).labels
        fast = FastClusters(rows, order=order)
        fast.save(tmp_path / "fast.npz")
        loaded = FastClusters.load(tmp_path / "fast.npz", rows, order)
        assert loaded.labels(9).tobytes() == fast.labels(9).tobytes()
        return fast.labels(9)

    here = labels(vectors, by_name)
    there = labels(vectors[shuffle], np.argsort(names[shuffle]))
    np.testing.assert_array_equal(here[shuffle], there)
    assert (labels(vectors, None) != here).any()
    assert (np.diff(np.bincount(here[here >= 0])) <= 0).all()


def test_exact_reports_every_start_and_can_be_cancelled() -> None:
    seen = []
    cluster(blobs(50), 3, progress=lambda done, total, label="": seen.append((done, total)))
    assert seen == [(i, 20) for i in range(21)]

    def stop(done: int, total: int | None, label: str = "") -> None:
        if done == 2:
            raise CancelledError

    with pytest.raises(CancelledError):
        cluster(blobs(50), 3, progress=stop)


def test_an_empty_cluster_is_dropped_and_told() -> None:
    vectors = np.array([[0], [4], [4], [1]], np.float32)
    found = arrange(vectors, np.arange(4), 4, np.array([3, 1, 1, 3]), 4, None)
    assert found.labels.tolist() == [0, 1, 1, 0]
    assert found.centroids.tolist() == [[0.5], [4.0]]
    assert found.inertia == pytest.approx(0.5)
    assert found.warning == "4 clusters were asked for, but 2 of them came out empty."


@pytest.fixture(scope="module")
def many():
    vectors = blobs(6000, d=32, centres=40)
    return vectors, FastClusters(vectors)


@pytest.mark.parametrize("k", [2, 5, 10, 20, 40])
def test_fast_is_within_one_per_cent_of_n_init_20(many, k: int) -> None:
    vectors, fast = many
    reference = KMeans(k, n_init=20, random_state=0).fit(vectors)
    found = fast.clusters(k)
    assert found.k == k
    assert found.inertia == pytest.approx(inertia_of(vectors, found.labels), rel=1e-5)
    assert found.inertia <= 1.01 * reference.inertia_


def test_fast_is_deterministic_and_survives_the_disk(many, tmp_path: Path) -> None:
    vectors, fast = many
    fast.save(tmp_path / "fast.npz")
    loaded = FastClusters.load(tmp_path / "fast.npz", vectors)
    remade = FastClusters(vectors)
    for k in (3, 25):
        assert fast.labels(k).tobytes() == loaded.labels(k).tobytes()
        assert fast.labels(k).tobytes() == remade.labels(k).tobytes()


def test_a_preparation_of_other_vectors_is_refused(many, tmp_path: Path) -> None:
    vectors, fast = many
    fast.save(tmp_path / "fast.npz")
    with pytest.raises(InputError, match="other vectors"):
        FastClusters.load(tmp_path / "fast.npz", vectors[1:])
    (tmp_path / "fast.npz").write_bytes(b"PK nothing")
    with pytest.raises(InputError, match=r"fast\.npz"):
        FastClusters.load(tmp_path / "fast.npz", vectors)


def test_fast_remembers_the_last_64(many) -> None:
    vectors, _ = many
    fast = FastClusters(vectors[:20])
    thread = fast.precompute_in_background([2, 3])
    thread.join()
    kept = fast.clusters(2)
    assert fast.clusters(2) is kept
    fast.precompute(range(3, 66))
    assert fast.clusters(2) is kept
    fast.precompute(range(66, 130))
    again = fast.clusters(2)
    assert again is not kept
    assert again.labels.tobytes() == kept.labels.tobytes()


def test_a_slide_does_not_wait_for_what_is_computed_ahead(many, monkeypatch) -> None:
    vectors, _ = many
    fast = FastClusters(vectors[:20])
    begun, go_on = threading.Event(), threading.Event()
    compute = fast._compute

    def slowly(k: int):
        if k == 2:
            begun.set()
            assert go_on.wait(60)
        return compute(k)

    monkeypatch.setattr(fast, "_compute", slowly)
    ahead = fast.precompute_in_background([2])
    assert begun.wait(60)
    assert fast.clusters(3).k == 3
    go_on.set()
    ahead.join()
    assert fast.clusters(2).k == 2


def test_fast_leaves_rows_without_vector_out(many) -> None:
    vectors, _ = many
    holes = vectors.copy()
    holes[::10] = np.nan
    found = FastClusters(holes).clusters(6)
    np.testing.assert_array_equal(np.flatnonzero(found.labels == -1), np.arange(0, 6000, 10))
    assert found.inertia == pytest.approx(inertia_of(holes, found.labels), rel=1e-5)


def test_fast_copes_with_mostly_equal_rows() -> None:
    vectors = np.repeat(blobs(30), 200, axis=0)
    fast = FastClusters(vectors)
    assert fast.clusters(10).k == 10
    many = fast.clusters(50)
    assert many.k == 30
    assert "only 30" in (many.warning or "")
    assert many.inertia == pytest.approx(0, abs=1e-2)
    same = FastClusters(np.repeat(vectors[:1], 5000, axis=0)).clusters(3)
    assert (same.k, set(same.labels)) == (1, {0})


def test_fast_has_an_upper_limit(many) -> None:
    _, fast = many
    with pytest.raises(InputError, match="exact method"):
        fast.clusters(MICRO + 1)
