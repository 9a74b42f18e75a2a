"""Water-filling: equal shares, small clusters exhausted, nothing lost."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdselect.errors import InputError
from crowdselect.selection import resolve_budget
from crowdselect.selection.quota import best_open, water_level

sizes = st.lists(st.integers(0, 30), min_size=1, max_size=12).map(np.array)


def water_fill(capacity, budget, next_scores=None, lower=None):
    """The quotas as ``take`` makes them: the level, and the odd units."""
    level = water_level(capacity, budget, lower)
    quotas = level.quotas.copy()
    scores = np.zeros(len(quotas)) if next_scores is None else np.asarray(next_scores)
    quotas[best_open(level, scores)] += 1
    return quotas


@given(sizes, st.integers(0, 200))
def test_gives_exactly_the_budget_or_everything(capacity, budget):
    quotas = water_fill(capacity, budget)
    assert quotas.sum() == min(budget, capacity.sum())
    assert (quotas <= capacity).all()
    assert (quotas >= 0).all()


@given(sizes, st.integers(0, 200))
def test_clusters_that_are_not_exhausted_differ_by_at_most_one(capacity, budget):
    quotas = water_fill(capacity, budget)
    open_ = quotas[quotas < capacity]
    if len(open_):
        assert np.ptp(open_) <= 1
        assert (quotas <= open_.min() + 1).all()


@given(sizes, st.integers(0, 200))
def test_more_budget_takes_nothing_back(capacity, budget):
    assert (water_fill(capacity, budget + 1) >= water_fill(capacity, budget)).all()


@given(sizes, st.integers(0, 200), st.data())
def test_what_is_taken_already_counts(capacity, budget, data):
    lower = np.array([data.draw(st.integers(0, int(c))) for c in capacity])
    budget += int(lower.sum())
    quotas = water_fill(capacity, budget, lower=lower)
    assert quotas.sum() == min(budget, capacity.sum())
    assert ((quotas >= lower) & (quotas <= capacity)).all()


def test_odd_units_go_to_the_best_next_score():
    capacity = np.array([5, 5, 5])
    quotas = water_fill(capacity, 8, [0.1, 0.9, 0.5])
    assert quotas.tolist() == [2, 3, 3]
    assert water_fill(capacity, 7).tolist() == [3, 2, 2]


@pytest.mark.parametrize("budget", [-1, 0.0, 1.0, 1.5, -0.5, float("nan"), "10"])
def test_unusable_budgets(budget):
    with pytest.raises(InputError, match="budget"):
        resolve_budget(budget, 10)


def test_shares():
    assert resolve_budget(0.29, 100) == 29
    assert resolve_budget(0.001, 10) == 1
    assert resolve_budget(0, 10) == 0
