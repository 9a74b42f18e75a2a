"""Similar and typical rows against the plain computation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdselect.errors import InputError
from crowdselect.landscape import nearest, typical_rows
from crowdselect.landscape.encoder import unit_rows


def some_rows(n: int = 200, d: int = 6) -> np.ndarray:
    return unit_rows(np.random.default_rng(3).normal(size=(n, d)))


@given(st.integers(0, 199), st.integers(0, 250))
def test_nearest_is_the_sorted_cosine(row: int, n: int) -> None:
    vectors = some_rows()
    rows, similarity = nearest(vectors, row, n)
    expected = vectors.astype(float) @ vectors[row].astype(float)
    others = np.delete(np.arange(200), row)
    np.testing.assert_array_equal(np.sort(rows), np.sort(rows[np.unique(rows).argsort()]))
    assert row not in rows
    assert len(rows) == min(n, 199)
    np.testing.assert_allclose(similarity, np.sort(expected[others])[::-1][:n], atol=1e-6)
    np.testing.assert_allclose(similarity, expected[rows], atol=1e-6)


def test_a_vector_may_ask_and_ties_come_in_row_order() -> None:
    vectors = np.array([[1, 0], [0, 1], [1, 0], [np.nan, np.nan], [1, 0]], np.float32)
    rows, similarity = nearest(vectors, np.array([5.0, 0.0]), 10)
    assert rows.tolist() == [0, 2, 4, 1]
    assert similarity.tolist() == [1, 1, 1, 0]
    assert nearest(vectors, 2, 2)[0].tolist() == [0, 4]


@pytest.mark.parametrize("query", [3, np.array([1.0, 2.0, 3.0])])
def test_nothing_to_compare_with_is_explained(query) -> None:
    vectors = np.array([[1, 0], [0, 1], [1, 0], [np.nan, np.nan]], np.float32)
    with pytest.raises(InputError, match="vector of"):
        nearest(vectors, query)


def test_typical_rows_are_closest_to_the_mean() -> None:
    vectors = some_rows()
    vectors[7] = np.nan
    labels = np.arange(200) % 4
    labels[7] = -1
    labels[:4] = [0, 1, 2, 3]
    found = typical_rows(vectors, labels, 3)
    assert len(found) == 4
    for label, rows in enumerate(found):
        members = np.flatnonzero(labels == label)
        mean = vectors[members].astype(float).mean(axis=0)
        distance = np.linalg.norm(vectors[members] - mean, axis=1)
        np.testing.assert_array_equal(rows, members[np.argsort(distance)[:3]])


def test_typical_rows_of_small_clusters_are_all_their_rows() -> None:
    vectors = some_rows(3)
    found = typical_rows(vectors, np.array([1, 0, 1]), 5)
    assert [sorted(rows.tolist()) for rows in found] == [[1], [0, 2]]
    assert typical_rows(vectors, np.array([-1, -1, -1])) == ()
