"""Mid-ranks against scipy, and against the published scikit-learn chain."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import rankdata

from crowdselect.ranks import normalise
from crowdselect.selection import normalise_sklearn

VALUES = st.one_of(
    st.integers(-4, 4).map(float), st.just(float("nan")), st.floats(-1e9, 1e9, allow_nan=False)
)
columns = hnp.arrays(np.float64, st.integers(0, 60), elements=VALUES)


@given(columns)
def test_places_are_scipys_average_ranks(values):
    ranks = rankdata(values, method="average", nan_policy="omit")
    n = int(np.count_nonzero(~np.isnan(values)))
    expected = (ranks - 1) / (n - 1) if n > 1 else np.where(np.isnan(values), np.nan, 0.5)
    np.testing.assert_array_equal(normalise(values), expected)


@given(columns)
def test_normalised_values_lie_in_the_unit_interval_around_a_half(values):
    found = normalise(values)
    there = found[~np.isnan(found)]
    np.testing.assert_array_equal(np.isnan(found), np.isnan(values))
    assert ((there >= 0) & (there <= 1)).all()
    if len(there):
        np.testing.assert_allclose(there.mean(), 0.5)


@given(columns, st.floats(0.5, 8), st.integers(-9, 9))
def test_only_ranks_matter(values, scale, offset):
    values = np.round(values, 2)
    moved = np.round(values, 2) * scale + offset
    np.testing.assert_array_equal(normalise(values), normalise(moved))
    np.testing.assert_allclose(normalise(-values), 1 - normalise(values), atol=1e-12)


@settings(max_examples=40)
@given(hnp.arrays(np.float64, st.integers(2, 900), elements=st.floats(-50, 50), unique=True))
def test_equals_the_published_chain_where_nothing_ties(values):
    values = np.unique(np.round(values, 6))
    np.random.default_rng(0).shuffle(values)
    if len(values) > 1:
        np.testing.assert_allclose(normalise(values), normalise_sklearn(values), atol=1e-9)


def test_the_published_grid_of_1000_is_close_to_the_exact_rank():
    values = np.random.default_rng(0).normal(size=20_000)
    gap = np.abs(normalise(values) - normalise_sklearn(values)).max()
    assert 0 < gap < 1e-3


def test_an_all_missing_column_stays_missing():
    for way in (normalise, normalise_sklearn):
        assert np.isnan(way(np.full(3, np.nan))).all()
