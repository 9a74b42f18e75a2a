"""Comparing subsets and leaving one out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from crowdselect.selection import jaccard, overlap_matrix, robustness, shift

sets = st.sets(st.integers(0, 20))


@given(sets, sets)
def test_jaccard(a, b):
    assert jaccard(a, b) == jaccard(list(b), list(a))
    assert jaccard(a, a) == 1.0
    assert 0.0 <= jaccard(a, b) <= 1.0
    if a | b:
        assert jaccard(a, b) == len(a & b) / len(a | b)


def test_overlap_matrix():
    found = overlap_matrix([["a", "b"], ["b", "c"], []])
    np.testing.assert_allclose(found, [[1, 1 / 3, 0], [1 / 3, 1, 0], [0, 0, 1]])


def test_shift_of_a_subset():
    values = np.append(np.arange(100.0), np.nan)
    rows = np.append(np.arange(80, 100), 100)
    found = shift("length", values, rows)
    assert found.pool_mean == 49.5
    assert found.subset_mean == 89.5
    assert found.standardised == pytest.approx(40 / np.arange(100.0).std())
    assert found.ks == pytest.approx(ks_2samp(np.arange(80, 100), np.arange(100)).statistic)
    assert found.pool_share.sum() == pytest.approx(1)
    assert found.subset_share.sum() == pytest.approx(1)
    assert len(found.edges) == len(found.pool_share) + 1


def test_shift_without_difference_or_without_values():
    assert shift("x", np.ones(5), np.array([0])).standardised == 0.0
    assert np.isnan(shift("x", np.full(5, np.nan), np.array([0])).ks)
    assert np.isnan(shift("x", np.ones(5), np.zeros(0, dtype=int)).subset_mean)


def test_robustness_names_the_most_influential_first():
    base = np.array([1, 2, 3, 4])
    variants = [("model", "m", np.array([1, 2, 3, 4])), ("family", "f", np.array([1, 2, 9, 8]))]
    found = robustness(base, variants)
    assert [(v.name, v.kept) for v in found] == [("f", 2), ("m", 4)]
    assert found[0].jaccard == pytest.approx(2 / 6)
    assert found[1].jaccard == 1.0
