"""Weighted shares of clusters: what they add up to, and that equal weights change nothing."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from crowdselect.selection.quota import Shares, water_level, weighted_level

CASE = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 3), st.sampled_from([0.0, 0.25, 0.5, 1, 2, 3])),
    min_size=1,
    max_size=6,
)


@given(CASE, st.integers(0, 120))
def test_shares_fit_the_budget_and_follow_the_weights(clusters, more):
    capacity, lower, weights = (np.array(each) for each in zip(*clusters, strict=True))
    lower = np.minimum(lower, capacity)
    budget = int(lower.sum()) + more
    level = weighted_level(capacity, budget, lower, weights.astype(float))
    able = np.where(weights > 0, capacity, lower)
    assert ((lower <= level.quotas) & (level.quotas <= able)).all()
    assert level.quotas.sum() + level.spare == min(budget, able.sum())
    assert level.spare <= level.open.sum()
    assert (level.quotas[level.open] < able[level.open]).all()
    # No cluster stands more than one unit below another's share, unless it is full.
    for i in np.flatnonzero(level.quotas < able):
        for j in np.flatnonzero(level.quotas > lower):
            assert (level.quotas[i] + 1) / weights[i] >= level.quotas[j] / weights[j] - 1e-6


@given(CASE, st.integers(0, 120))
def test_equal_weights_are_equal_shares(clusters, more):
    capacity, lower, _ = (np.array(each) for each in zip(*clusters, strict=True))
    lower = np.minimum(lower, capacity)
    budget = int(lower.sum()) + more
    plain = water_level(capacity, budget, lower)
    same = weighted_level(capacity, budget, lower, np.full(len(capacity), 0.7))
    reached = plain.quotas + (plain.open if plain.spare == plain.open.sum() else 0)
    assert (same.quotas == plain.quotas).all() or (same.quotas == reached).all()
    assert same.quotas.sum() + same.spare == plain.quotas.sum() + plain.spare


def test_shares_by_label():
    weights, caps = Shares({2: 0.5}, {-1: 3}).of(np.array([0, 2, -1]))
    assert weights.tolist() == [1.0, 0.5, 1.0]
    assert caps.tolist() == [np.iinfo(np.int64).max, np.iinfo(np.int64).max, 3]
