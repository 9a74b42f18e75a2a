"""Facility location and k-center by hand, and the parts in which neighbours are searched."""

import numpy as np
import pytest

from crowdselect.errors import CancelledError
from crowdselect.landscape.encoder import unit_rows
from crowdselect.selection import (
    STRATEGIES,
    choose_answers,
    coverage,
    near_duplicates,
    normalise_sklearn,
)
from crowdselect.selection.coverage import facility_location, k_center, medoid, similarity
from tests.crowds import growing, rewards
from tests.selection.pools import random_pool

LINE = np.array([[0.0], [1.0], [3.0], [10.0], [11.0]], dtype=np.float32)


class Reports(list):
    def __call__(self, done, total, label=""):
        self.append((done, total, label))


def test_similarity_of_few_rows_is_the_largest_distance_less_the_distance() -> None:
    found = similarity(LINE, 2).toarray()
    np.testing.assert_allclose(found, 11.0 - np.abs(LINE - LINE.T))
    assert similarity(np.full((2, 1), 0.25, dtype=np.float32), 1).toarray().tolist() == [[0, 0]] * 2


def test_similarity_of_many_rows_holds_the_nearest_of_each_part(monkeypatch) -> None:
    monkeypatch.setattr(coverage, "DENSE_BELOW", 4)
    reports = Reports()
    parts = np.array([0, 0, 0, 1, 1])
    found = similarity(LINE, 2, parts, reports).toarray()
    expected = np.zeros((5, 5))
    for row, near in enumerate([(0, 1), (0, 1), (1, 2), (3, 4), (3, 4)]):
        for other in near:
            expected[row, other] = 22.0 - abs(float(LINE[row, 0] - LINE[other, 0]))
    np.testing.assert_allclose(found, expected)
    assert reports == [(3, 5, "nearest neighbours"), (5, 5, "nearest neighbours")]
    together = similarity(LINE, 3).toarray()
    assert np.count_nonzero(together[3]) == 3
    assert together[3, 2] == pytest.approx(22.0 - 7.0)


def test_large_parts_are_cut_into_pieces(monkeypatch) -> None:
    monkeypatch.setattr(coverage, "DENSE_BELOW", 4)
    monkeypatch.setattr(coverage, "PART", 2)
    found = similarity(LINE, 5).toarray()
    assert {tuple(np.flatnonzero(row)) for row in found} == {(0, 1), (2, 3), (4,)}
    monkeypatch.setattr(coverage, "PART", 20_000)
    monkeypatch.setattr(coverage, "_CELLS", 5)
    reports = Reports()
    np.testing.assert_allclose(similarity(LINE, 5, None, reports).toarray()[0, 4], 22.0 - 11.0)
    assert [done for done, *_ in reports] == [1, 2, 3, 4, 5]


def test_facility_location_by_hand() -> None:
    reports = Reports()
    order, gains = facility_location(similarity(LINE, 5), 3, progress=reports)
    # Sums of similarity: 30, 33, 35, 28, 25; then what is left to gain, 0 before 1 at equal gains.
    assert order.tolist() == [2, 3, 0]
    assert gains.tolist() == [35.0, 14.0, 4.0]
    assert reports == [(i, 3, "facility location") for i in (1, 2, 3)]
    first, gains = facility_location(similarity(LINE, 5), 2, first=1)
    assert first.tolist() == [0, 3]
    assert gains.tolist() == [30.0, 20.0]
    assert facility_location(similarity(LINE, 5), 1, first=3)[0].tolist() == [0]


def test_k_center_by_hand() -> None:
    reports = Reports()
    order, distances = k_center(LINE, 4, np.array([1]), reports)
    assert order.tolist() == [1, 4, 2, 0]
    assert distances.tolist() == [np.inf, 10.0, 2.0, 1.0]
    assert reports == [(i, 4, "k-center") for i in (1, 2, 3, 4)]
    order, distances = k_center(LINE, 3, np.array([0, 1]))
    assert (order.tolist(), distances.tolist()) == ([0, 1, 4], [np.inf, 1.0, 10.0])


def test_k_center_stops_at_copies_unless_they_are_asked_for() -> None:
    copies = np.repeat(LINE[:2], 2, axis=0)
    assert k_center(copies, 4, np.array([0]))[0].tolist() == [0, 2]
    order, distances = k_center(copies, 3, np.array([0, 1]))
    assert order.tolist() == [0, 1, 2]
    assert distances.tolist() == [np.inf, 0.0, 1.0]
    near = np.array([[0.0], [1.2e-3], [0.9e-3]], dtype=np.float32)
    assert k_center(near, 3, np.array([0]))[0].tolist() == [0, 1]


def test_the_medoid_is_closest_to_the_mean() -> None:
    assert medoid(LINE) == 2
    assert medoid(LINE - 100.0) == 2
    assert medoid(np.zeros((3, 2), dtype=np.float32)) == 0


@pytest.mark.parametrize("name", ["facility_location", "k_center"])
def test_what_takes_seconds_reports_and_can_be_cancelled(name: str) -> None:
    reports = Reports()
    STRATEGIES[name]()(random_pool(60, progress=reports))
    assert reports[-1][:2] == (12, 12)

    def stop(done, total, label=""):
        raise CancelledError

    with pytest.raises(CancelledError):
        STRATEGIES[name]()(random_pool(60, progress=stop))


def test_facility_location_shortlists_by_score() -> None:
    pool = random_pool(60, budget=4)
    strategy = STRATEGIES["facility_location"](best_share=0.2)
    assert strategy.columns(pool.weights) == ("difficulty", "separability", "stability")
    assert STRATEGIES["facility_location"]().columns(pool.weights) == ()
    ranked = STRATEGIES["crowdselect"]()(random_pool(60, budget=60, clusters=None)).rows
    best = set(ranked[: int(len(ranked) * 0.2)].tolist())
    assert set(strategy(pool).rows.tolist()) <= best
    pinned = random_pool(60, budget=4, pins=ranked[-2:])
    found = strategy(pinned).rows.tolist()
    assert set(ranked[-2:].tolist()) <= set(found)
    assert len(set(found) & set(ranked[: int((len(ranked) - 2) * 0.2)].tolist())) == 2


def test_near_duplicates_by_hand() -> None:
    angles = np.array([0.0, 0.1, 0.5, 0.55, 1.2])
    vectors = unit_rows(np.stack([np.cos(angles), np.sin(angles)], axis=1))
    apart = float(np.cos(0.2))
    assert near_duplicates(vectors, apart).tolist() == [-1, 0, -1, 2, -1]
    order = np.array([3, 2, 1, 0, 4])
    assert near_duplicates(vectors, apart, order).tolist() == [-1, 0, -1, 2, -1]
    assert near_duplicates(vectors, apart, limit=2).tolist() == [-1, 0, -1, -2, -2]
    assert near_duplicates(vectors, apart, protected=2).tolist() == [-1, -1, -1, 2, -1]
    assert near_duplicates(vectors, apart, protected=4).tolist() == [-1, -1, -1, -1, -1]
    found = near_duplicates(vectors, apart, limit=1, protected=2)
    assert found.tolist() == [-1, -1, -2, -2, -2]
    assert found.dtype == np.int64
    assert near_duplicates(vectors[:0], apart).tolist() == []


def test_the_published_chain_has_at_most_1000_quantiles() -> None:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler, QuantileTransformer, StandardScaler

    values = np.random.default_rng(2).exponential(size=1500)
    for n in (40, 1500):
        quantiles = QuantileTransformer(n_quantiles=min(n, 1000), subsample=None)
        chain = make_pipeline(StandardScaler(), MinMaxScaler(), quantiles)
        expected = chain.fit_transform(values[:n, None])[:, 0]
        np.testing.assert_array_equal(normalise_sklearn(values[:n]), expected)
    gaps = np.array([1.0, np.nan, 3.0])
    np.testing.assert_array_equal(normalise_sklearn(gaps), [0.0, np.nan, 1.0])
    assert np.isnan(normalise_sklearn(np.full(2, np.nan))).all()


def test_equal_rewards_keep_the_order_of_the_models_however_many() -> None:
    values = np.zeros((3, 40))
    values[1, 30:] = 1.0
    hashes = np.zeros(3, dtype=np.uint64)
    matrix = rewards(values, growing(40))
    rows = np.arange(3)
    assert choose_answers(matrix, rows, "best", hashes, 1).tolist() == [0, 30, 0]
    assert choose_answers(matrix, rows, "worst", hashes, 1).tolist() == [0, 0, 0]
    assert choose_answers(matrix, rows, "top5_random", hashes, 1).max() < 35
