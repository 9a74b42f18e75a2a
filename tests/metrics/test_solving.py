"""The metrics about who solves an instruction, against their definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from crowdselect.metrics import MetricInputs, build_metric
from crowdselect.values import Model, RewardMatrix

NAN = np.nan
SIZES = (0.5, 1.0, 1.5, 7.0, None)
GRADES = hnp.arrays(
    np.float64, st.tuples(st.integers(1, 8), st.just(5)), elements=st.sampled_from([NAN, 0.0, 1.0])
)


def found(column, values):
    models = tuple(Model(f"m{j}", size_b=size, order=j) for j, size in enumerate(SIZES))
    ids = np.array([f"i{i}" for i in range(len(values))], dtype=object)
    metric = build_metric(column)[0]
    return metric(MetricInputs(RewardMatrix("j", ids, models, np.asarray(values, dtype=float))))


def share(row, columns):
    there = [row[j] for j in columns if not np.isnan(row[j])]
    return sum(x >= 1 for x in there) / len(there) if there else NAN


@given(GRADES, st.sampled_from([0.0, 0.3, 0.5, 1.0]))
def test_frontier_is_the_nearness_to_the_target(values, target):
    expected = [1 - abs(share(row, range(5)) - target) / max(target, 1 - target) for row in values]
    near = found(f"frontier:target~{target}:least~1", values)
    np.testing.assert_allclose(near, expected, atol=1e-9)


@given(GRADES)
def test_the_pass_rate_is_the_share_that_solves(values):
    expected = [share(row, range(5)) for row in values]
    np.testing.assert_allclose(found("pass_rate:least~1", values), expected, atol=1e-9)


@given(GRADES)
def test_learnable_is_what_the_larger_solve_and_the_smaller_do_not(values):
    expected = [share(row, (2, 3)) - share(row, (0, 1)) for row in values]
    np.testing.assert_allclose(found("learnable:least~1", values), expected, atol=1e-9)
    expected = [share(row, (3,)) - share(row, (0, 1, 2)) for row in values]
    np.testing.assert_allclose(found("learnable:least~1:cut~7", values), expected, atol=1e-9)


@given(GRADES)
def test_just_above_is_in_reach_of_the_next_larger_only(values):
    expected = [share(row, (1, 2)) * (1 - np.nan_to_num(share(row, (0,)))) for row in values]
    np.testing.assert_allclose(found("just_above:least~1", values), expected, atol=1e-9)
    expected = [share(row, (3,)) * (1 - np.nan_to_num(share(row, (0, 1, 2)))) for row in values]
    one_five = found("just_above:least~1:student~1.5", values)
    np.testing.assert_allclose(one_five, expected, atol=1e-9)
    nobody_near = found("just_above:least~1:student~1.5:reach~2", values)
    np.testing.assert_array_equal(nobody_near, one_five)


@pytest.mark.parametrize(
    ("values", "near"),
    [
        ([[1, 0, 0, 0, 0], [1, 1, 1, 1, 1]], [0.4, 0.0]),  # right or wrong: the top is full reward
        ([[0.1, 0.2, 0.3, 0.4, 0.5]], [0.8]),  # the median of all rewards, reached by three
    ],
)
def test_what_solves_is_the_full_reward_or_above_the_median(values, near):
    if len(values) == 1:
        values = np.array(values) + np.arange(200)[:, None] * 0
        values[0, 4] = 9.0  # a top that one in two hundred reaches is no full reward
    np.testing.assert_allclose(found("frontier", values)[: len(near)], near, atol=1e-9)
