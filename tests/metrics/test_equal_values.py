"""Values that are equal in exact arithmetic are equal; what changes no value changes no place."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdselect.metrics import METRICS, MetricInputs, combine_judges
from crowdselect.metrics.noise import equalise, reward_noise
from crowdselect.ranks import normalise
from tests.crowds import growing
from tests.metrics.crowds import inputs

ON_REWARDS = tuple(n for n in METRICS.names() if "texts" not in METRICS[n].needs)
CENTRED = "difficulty:center_by_model"
NO_FRACTIONS = {"stability", "frontier", "learnable", "just_above", "pass_rate"}
"""Ranks, and counts of solved answers: what they are of is not the rewards' own fractions."""


def of(values, names=None) -> MetricInputs:
    """Rewards of a family of models that grow in size, called by ``names``."""
    values = np.asarray(values, dtype=np.float64)
    return inputs(values, growing(names or values.shape[1]))


def metric(name: str):
    return METRICS["difficulty"](center_by_model=True) if name == CENTRED else METRICS[name]()


def exact(name: str, row: list[Fraction]) -> Fraction:
    """The metric in whole fractions."""
    mean = sum(row) / len(row)
    *_, second, best = [row[0], *sorted(row)]
    return {
        "difficulty": -mean,
        "mean_reward": mean,
        "separability": sum((x - mean) ** 2 for x in row) / len(row),
        "best_reward": best,
        "min_reward": min(row),
        "reward_gap": best - second,
        "n_rewards": Fraction(len(row)),
    }[name]


def tenths(draw, most: int = 30) -> tuple[np.ndarray, np.ndarray]:
    """Whole numbers of tenths with gaps, and the rewards that they stand for."""
    n, m = draw(st.integers(2, 40)), draw(st.integers(2, 19))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    whole = rng.integers(-draw(st.integers(0, most)), draw(st.integers(1, most)), (n, m))
    gone = rng.random((n, m)) < draw(st.sampled_from([0.0, 0.1]))
    return whole, np.where(gone, np.nan, whole / 10)


crowds = st.composite(tenths)()


@given(crowds, st.sampled_from(sorted(set(ON_REWARDS) - NO_FRACTIONS)))
def test_values_are_equal_exactly_where_fractions_are(crowd, name):
    whole, values = crowd
    found = metric(name)(of(values))
    there = np.flatnonzero(~np.isnan(found) & ~np.isnan(values).all(axis=1))
    truth = [
        exact(
            name, [Fraction(int(x), 10) for x, y in zip(whole[i], values[i], strict=True) if y == y]
        )
        for i in there
    ]
    np.testing.assert_allclose(found[there], [float(x) for x in truth], rtol=1e-12, atol=1e-12)
    assert len(np.unique(found[there])) == len(set(truth))
    assert [found[a] < found[b] for a in there for b in there] == [
        a < b for a in truth for b in truth
    ]


@pytest.mark.parametrize("models", [7, 19, 33])
def test_rewards_of_0_and_1_have_as_many_values_as_counts(models):
    rng = np.random.default_rng(models)
    values = (rng.random((5000, models)) < rng.random((5000, 1))).astype(float)
    ones = np.unique(values.sum(axis=1)).astype(int)
    assert len(np.unique(metric("difficulty")(of(values)))) == len(ones)
    variances = {k * (models - k) for k in ones.tolist()}
    assert len(np.unique(metric("separability")(of(values)))) == len(variances)


CHANGES = {
    "plus 1000": lambda x: x + 1000.0,
    "times 3": lambda x: x * 3.0,
    "times 1e-6": lambda x: x * 1e-6,
    "a third, plus 7.7": lambda x: x / 3.0 + 7.7,
}


@given(crowds, st.sampled_from(sorted(CHANGES)), st.sampled_from((*ON_REWARDS, CENTRED)))
def test_shifting_and_scaling_the_rewards_move_no_place(crowd, change, name):
    values = crowd[1]
    before, after = (normalise(metric(name)(of(v))) for v in (values, CHANGES[change](values)))
    np.testing.assert_array_equal(before, after)


@given(crowds, st.randoms(use_true_random=False), st.sampled_from((*ON_REWARDS, CENTRED)))
def test_renaming_the_models_and_shuffling_the_rows_move_no_place(crowd, random, name):
    values = crowd[1]
    names = [f"m{j:02}" for j in range(values.shape[1])]
    random.shuffle(names)
    rows = np.array(random.sample(range(len(values)), len(values)))
    before = metric(name)(of(values))
    np.testing.assert_array_equal(normalise(before), normalise(metric(name)(of(values, names))))
    np.testing.assert_array_equal(before[rows], metric(name)(of(values[rows])))


@given(st.integers(2, 30), st.integers(2, 6), st.integers(0, 10_000))
def test_the_order_of_the_judges_moves_no_combined_place(n, judges, seed):
    rng = np.random.default_rng(seed)
    columns = [rng.integers(0, 6, n).astype(float) for _ in range(judges)]
    columns[0][rng.random(n) < 0.2] = np.nan
    there, back = (normalise(combine_judges(c)) for c in (columns, columns[::-1]))
    np.testing.assert_array_equal(there, back)


def test_rewards_that_differ_keep_their_order_however_close():
    rng = np.random.default_rng(4)
    values = rng.normal(size=(50_000, 19)) * 8
    for name, slow in (("mean_reward", values.mean(axis=1)), ("separability", values.var(axis=1))):
        found = metric(name)(of(values))
        np.testing.assert_array_equal(np.argsort(found), np.argsort(slow))


def test_one_wild_reward_takes_no_digits_from_the_other_rows():
    values = np.array([[1.0, 2.0], [1.0, 2.0 + 1e-9], [1e9, -1e9]])
    assert len(np.unique(metric("difficulty")(of(values)))) == 3
    assert len(np.unique(metric("separability")(of(values)))) == 3


def test_a_dense_column_is_cut_into_steps_and_not_into_one_block():
    values = np.linspace(0.0, 1.0, 10_001)
    found = equalise(values, 1e-4)
    np.testing.assert_allclose(found, values, atol=4e-4)
    assert 1_000 < len(np.unique(found)) < 5_000


def test_equal_rewards_have_no_variance_whatever_they_are():
    values = np.repeat(np.array([[0.1], [1e9 / 7], [-1e-9 / 3]]), 19, axis=1)
    assert metric("separability")(of(values)).tolist() == [0.0, 0.0, 0.0]


def test_what_has_no_noise_is_returned_as_it_is():
    values = np.array([2.0, np.nan, 1.0, 1.0])
    assert equalise(values, 0.0) is values
    assert equalise(values, np.zeros(4)) is values
    assert equalise(np.zeros(0), np.zeros(0)).tolist() == []
    np.testing.assert_array_equal(
        equalise(np.array([1.0, 1.5, np.nan, 3.0, 1.2]), 0.2), [1.2, 1.2, np.nan, 3.0, 1.2]
    )


@pytest.mark.filterwarnings("error")
def test_what_no_double_can_hold_is_missing_and_disturbs_no_other_row():
    values = np.array([[1e308, 1e308, -1e308], [1e308, 1e308, 1e308], [0.1, 0.2, 0.3], [0, 0, 1]])
    found = {n: metric(n)(of(values)) for n in ON_REWARDS if n != "stability"}
    assert {name: np.isnan(v).tolist() for name, v in found.items() if np.isnan(v).any()} == {
        "difficulty": [True, True, False, False],
        "mean_reward": [True, True, False, False],
        "separability": [True, True, False, False],
    }
    for name in ("difficulty", "separability"):
        np.testing.assert_array_equal(found[name][2:], metric(name)(of(values[2:])))
    gap = metric("reward_gap")(of([[1.7e308, -1.7e308, -1.7e308], [1.0, 3.0, 2.0]]))
    np.testing.assert_array_equal(gap, [np.nan, 1.0])


EPS = np.finfo(np.float64).eps


def test_the_noise_of_a_row_grows_with_its_largest_reward_and_the_number_of_models():
    rewards = of([[1.0, -4.0, np.nan], [np.nan, np.nan, np.nan], [0.5, 0.25, 0.125]]).rewards
    np.testing.assert_allclose(reward_noise(rewards), np.array([4.0, 0.0, 0.5]) * EPS * 11)
    shift = np.array([-2.0, 1.0, np.nan])
    np.testing.assert_allclose(reward_noise(rewards, shift), np.array([6.0, 2.0, 2.5]) * EPS * 11)
    nothing = of(np.zeros((2, 0))).rewards
    assert reward_noise(nothing, np.zeros(0)).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(("gap", "alike"), [(2.0, True), (2.0001, False)])
def test_values_are_equal_up_to_the_sum_of_their_noise(gap, alike):
    values = np.array([5.0, 5.0 + gap, 50.0])
    expected = [5.0, 5.0 if alike else 5.0 + gap, 50.0]
    assert equalise(values, 1.0).tolist() == expected
    assert equalise(values, np.array([0.5, 1.5, 9.0])).tolist() == expected


def test_each_value_has_its_own_noise():
    values = np.array([-100.0, 1.5, 1.0, 0.0, 10.0, 10.2])
    noise = np.array([50.0, 0.6, 0.1, 0.1, 0.05, 0.05])
    assert equalise(values, noise).tolist() == [-100.0, 1.0, 1.0, 0.0, 10.0, 10.2]


def test_a_chain_of_equal_values_is_cut_into_blocks_of_four_times_the_noise():
    values = np.arange(10.0)[::-1]
    assert equalise(values, 0.5).tolist() == [8, 8, 6, 6, 4, 4, 2, 2, 0, 0]
    two = np.concatenate([values, values + 100.0, [50.0, 50.0]])
    found = equalise(two, np.where(two == 50.0, 0.0, 0.5))
    assert found[:10].tolist() == equalise(values, 0.5).tolist()
    assert found[10:20].tolist() == (equalise(values, 0.5) + 100.0).tolist()
    assert found[20:].tolist() == [50.0, 50.0]
    assert equalise(np.arange(3.0), 0.5).tolist() == [1.0, 1.0, 1.0]
    assert equalise(np.array([0.0, 1.0, 2.0, 2.0]), 0.5).tolist() == [1.0, 1.0, 1.0, 1.0]
