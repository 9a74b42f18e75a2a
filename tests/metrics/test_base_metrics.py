"""Difficulty, separability and stability against numpy and scipy, on dirty matrices."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from crowdselect.metrics import BASE, METRICS, family_correlations
from crowdselect.values import Model
from tests.crowds import FAMILIES, models_of, rewards
from tests.metrics.crowds import inputs, matrices


def enough(values: np.ndarray, share: float = 0.5, least: int = 2) -> np.ndarray:
    active = (~np.isnan(values)).any(axis=0).sum()
    return (~np.isnan(values)).sum(axis=1) >= max(least, np.ceil(share * active))


def expected_stability(row: np.ndarray, weighting: str = "equal") -> float:
    """Per-row scipy, the way the definition reads."""
    total, weights, start = 0.0, 0.0, 0
    for _, sizes in FAMILIES:
        x = row[start : start + len(sizes)]
        size = np.array(sizes)[~np.isnan(x)]
        start += len(sizes)
        x = x[~np.isnan(x)]
        if len(np.unique(size)) < 2:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rho = spearmanr(size, x).statistic
        weight = 1.0 if weighting == "equal" else len(x) - 1
        total += weight * (0.0 if np.isnan(rho) else rho)
        weights += weight
    return total / weights if weights else np.nan


@given(matrices())
def test_difficulty_equals_numpy(values):
    found = METRICS["difficulty"]()(inputs(values))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = np.where(enough(values), -np.nanmean(values, axis=1), np.nan)
    np.testing.assert_allclose(found, expected, atol=1e-12)


@given(matrices())
def test_separability_equals_numpy(values):
    found = METRICS["separability"]()(inputs(values))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = np.where(enough(values), np.nanvar(values, axis=1), np.nan)
    np.testing.assert_allclose(found, expected, atol=1e-10)


@given(matrices(), st.sampled_from(["equal", "by_n_minus_1"]))
def test_stability_equals_scipy(values, weighting):
    found = METRICS["stability"](family_weighting=weighting)(inputs(values))
    ok = enough(values)
    expected = [expected_stability(r, weighting) if ok[i] else np.nan for i, r in enumerate(values)]
    np.testing.assert_allclose(found, expected, atol=1e-11)


@given(matrices(), st.randoms(use_true_random=False))
def test_the_order_of_columns_changes_no_bit(values, random):
    order = list(range(values.shape[1]))
    random.shuffle(order)
    # The family with two equal sizes keeps its meaning because sizes, not places, are ranked.
    models = models_of()
    shuffled = [models[j] for j in order]
    for name in BASE:
        there = METRICS[name]()(inputs(values, models))
        np.testing.assert_array_equal(there, METRICS[name]()(inputs(values[:, order], shuffled)))


@given(matrices())
def test_memory_order_changes_no_bit(values):
    for name in METRICS.names():
        if "texts" not in METRICS[name].needs:
            c, f = (METRICS[name]()(inputs(np.asarray(values, order=o))) for o in "CF")
            np.testing.assert_array_equal(c, f)


@given(matrices(), st.sampled_from([0.5, 2.0, 3.0]), st.integers(-5, 5))
def test_affine_change_of_rewards(values, scale, offset):
    moved = scale * np.round(values, 1) + offset
    values = np.round(values, 1)
    before, after = ({n: METRICS[n]()(inputs(v)) for n in BASE} for v in (values, moved))
    np.testing.assert_allclose(
        after["difficulty"], scale * before["difficulty"] - offset, atol=1e-9
    )
    np.testing.assert_allclose(after["separability"], scale**2 * before["separability"], atol=1e-9)


def test_stability_depends_on_ranks_only():
    rng = np.random.default_rng(0)
    values = rng.integers(-3, 4, (200, 9)).astype(float)
    plain = METRICS["stability"]()(inputs(values))
    np.testing.assert_array_equal(plain, METRICS["stability"]()(inputs(values**3 * 7 - 2)))


def test_many_blocks_give_the_same_as_one_row_at_a_time():
    rng = np.random.default_rng(1)
    values = np.round(rng.normal(size=(40_000, 9)), 1)
    values[rng.random(values.shape) < 0.1] = np.nan
    whole = {name: METRICS[name]()(inputs(values)) for name in BASE}
    for start in (0, 16_383, 16_384, 39_990):
        part = {name: METRICS[name]()(inputs(values[start : start + 10])) for name in BASE}
        for name in BASE:
            # Equal values become the same double, which one depends on the rows that share it.
            np.testing.assert_allclose(part[name], whole[name][start : start + 10], rtol=1e-13)


def test_too_few_rewards_give_no_number():
    values = np.full((3, 9), np.nan)
    values[0, :4] = 1.0
    values[1, :5] = [1, 2, 3, 4, 5]
    values[2] = 1.0
    for name in BASE:
        found = METRICS[name]()(inputs(values))
        assert np.isnan(found).tolist() == [True, False, False], name
    lenient = METRICS["difficulty"](min_share=0.0)(inputs(values))
    assert lenient.tolist() == [-1.0, -3.0, -1.0]


def test_a_model_without_any_reward_does_not_count_towards_the_share():
    values = np.full((2, 9), np.nan)
    values[:, :2] = 1.0
    assert METRICS["difficulty"]()(inputs(values)).tolist() == [-1.0, -1.0]


def test_a_single_reward_has_no_variance():
    values = np.full((2, 9), np.nan)
    values[0, 0], values[1, :2] = 1.0, 1.0
    found = METRICS["separability"](min_share=0.0)(inputs(values))
    assert np.isnan(found[0])
    assert found[1] == 0.0


def test_unknown_sizes_and_families_take_no_part_in_stability():
    models = (*models_of()[:3], Model("x", None, 5.0), Model("y", "a", None))
    values = [[1.0, 2.0, 3.0, -99.0, 99.0]]
    assert METRICS["stability"]()(inputs(values, models))[0] == 1.0


def test_stability_without_a_family_that_can_be_ranked_is_missing():
    models = (Model("x", "f", 7.0), Model("y", "g", 7.0))
    assert np.isnan(METRICS["stability"]()(inputs([[1.0, 2.0]], models))[0])


def test_centering_by_model_mends_a_lacking_weak_model():
    models = tuple(Model(n, "f", s) for n, s in (("weak", 1.0), ("mid", 2.0), ("strong", 3.0)))
    values = np.array([[-10.0, 0.0, 10.0], [np.nan, 0.0, 10.0], [-10.0, 0.0, 10.0]])
    plain = METRICS["difficulty"]()(inputs(values, models))
    centred = METRICS["difficulty"](center_by_model=True)(inputs(values, models))
    assert plain[1] < plain[0]
    assert centred.tolist() == [0.0, 0.0, 0.0]


def test_reference_profile_lets_missing_values_poison_and_rank_best():
    values = np.ones((1, 9))
    values[0, 0] = np.nan
    reference = inputs(values, profile="reference")
    assert np.isnan(METRICS["difficulty"]()(reference)[0])
    assert np.isnan(METRICS["separability"]()(reference)[0])
    # Family a reads (missing = best, 1, 1): the smallest model leads, the tie goes to the largest.
    assert family_correlations(rewards(values), "reference").rho[0, 0] == pytest.approx(-0.5)


def test_constant_families_are_counted():
    values = np.array([[1, 1, 1, 2, 2, 3, 3, 3, 0], [1, 2, 3, 2, 2, 3, 4, 5, 0]], dtype=float)
    found = family_correlations(rewards(values))
    assert found.families == ("a", "b", "c")
    assert found.constant == (1, 2, 1)
    assert found.members.tolist() == [[3, 2, 3], [3, 2, 3]]
    assert METRICS["stability"]()(inputs(values))[0] == 0.0
