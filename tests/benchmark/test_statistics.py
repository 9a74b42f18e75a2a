"""Intervals and corrections against scipy, by hand and by simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from crowdselect.benchmark.statistics import (
    Interval,
    exact_rate,
    holm,
    jackknife,
    mean_interval,
    spread,
    sums_by_group,
)

UNIT = (0.0, 1.0)


def names(n: int) -> list[str]:
    return [str(i) for i in range(n)]


def ends(interval: Interval) -> tuple[float, float]:
    return interval.low, interval.high


def test_an_interval_is_students_t() -> None:
    values = np.random.default_rng(0).gamma(2.0, size=12)
    ours = mean_interval(values.tolist(), names(12))
    theirs = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert ours.value == pytest.approx(values.mean())
    assert ends(ours) == pytest.approx((theirs.low, theirs.high))
    wider = mean_interval(values.tolist(), names(12), level=0.99)
    theirs = stats.ttest_1samp(values, 0).confidence_interval(0.99)
    assert ends(wider) == pytest.approx((theirs.low, theirs.high))


def test_judgements_of_one_question_count_together() -> None:
    """Writing every judgement twice adds no information: the interval must not shrink."""
    values = np.random.default_rng(2).normal(size=60).tolist()
    once = mean_interval(values, names(60))
    twice = mean_interval(values * 2, names(60) * 2)
    assert ends(twice) == pytest.approx(ends(once))
    naive = mean_interval(values * 2, names(120))
    assert naive.high - naive.low < 0.8 * (twice.high - twice.low)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_order_does_not_matter_and_the_value_is_inside(values: list[float], rng: object) -> None:
    groups = [f"q{i % 7}" for i in range(len(values))]
    place = list(range(len(values)))
    rng.shuffle(place)  # type: ignore[attr-defined]
    one = mean_interval(values, groups, bounds=(-5.0, 5.0))
    two = mean_interval([values[i] for i in place], [groups[i] for i in place], bounds=(-5.0, 5.0))
    assert two.value == pytest.approx(one.value, abs=1e-12)
    if len(set(groups)) == 1:
        assert np.isnan(ends(one)).all()
        return
    assert ends(two) == pytest.approx(ends(one), abs=1e-9)
    assert -5 <= one.low <= one.value + 1e-9
    assert one.value - 1e-9 <= one.high <= 5


@given(st.lists(st.floats(0.1, 10), min_size=2, max_size=12), st.integers(0, 9))
def test_spread_is_that_of_the_matrices(weights: list[float], seed: int) -> None:
    """Bell and McCaffrey 2002, written out with the matrix of the residuals."""
    h = np.array(weights) / sum(weights)
    y = np.random.default_rng(seed).normal(size=len(h))
    n = len(h)
    maker = np.eye(n) - np.outer(np.ones(n), h)
    covariance = maker @ maker.T
    a = np.diag(h**2 / np.diag(covariance))
    residual = maker @ y
    variance, freedom = spread(h * residual, h)
    assert variance == pytest.approx(residual @ a @ residual, rel=1e-4)
    product = a @ covariance
    assert freedom == pytest.approx(np.trace(product) ** 2 / np.trace(product @ product), rel=1e-4)


def test_a_few_heavy_questions_leave_few_degrees_of_freedom() -> None:
    weights = np.array([10.0, 10.0, *np.ones(50)])
    assert spread(np.zeros(52), weights / weights.sum())[1] < 6
    assert spread(np.zeros(52), np.full(52, 1 / 52))[1] == pytest.approx(51)


@given(st.integers(2, 60), st.data())
def test_a_rate_is_exact(n: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, n))
    values = [1.0] * hits + [0.0] * (n - hits)
    found = mean_interval(values, names(n), bounds=UNIT)
    exact = stats.binomtest(hits, n).proportion_ci(method="exact")
    assert ends(found) == pytest.approx((exact.low, exact.high))
    percent = mean_interval([100 * v for v in values], names(n), bounds=(0.0, 100.0))
    assert ends(percent) == pytest.approx((100 * exact.low, 100 * exact.high))
    assert found.low < found.high
    wide = exact_rate(hits / n, n, UNIT, 0.9)
    exact = stats.binomtest(hits, n).proportion_ci(0.9, method="exact")
    assert ends(wide) == pytest.approx((exact.low, exact.high))


def test_a_rate_in_another_unit_and_at_another_level_is_the_same_rate() -> None:
    """Grades from 1 to 10, 99 %: scipy's interval of 3 of 8, moved into the unit."""
    theirs = stats.binomtest(3, 8).proportion_ci(0.99, "exact")
    ours = exact_rate(1 + 9 * 3 / 8, 8, (1.0, 10.0), 0.99)
    assert ours.value == 1 + 9 * 3 / 8
    assert ends(ours) == pytest.approx((1 + 9 * theirs.low, 1 + 9 * theirs.high))
    graded = mean_interval([10.0] * 3 + [1.0] * 5, names(8), bounds=(1.0, 10.0), level=0.99)
    assert ends(graded) == pytest.approx(ends(ours)), "the level reaches the rate"
    alike = mean_interval([4.0] * 8, names(8), bounds=(1.0, 10.0), level=0.99)
    chance = 1 - 0.005 ** (1 / 8)
    assert ends(alike) == pytest.approx((4 - 3 * chance, 4 + 6 * chance))


def test_weighted_rates_are_no_plain_rates() -> None:
    values, weights = [1.0, 0.0, 1.0, 1.0], [1.0, 2.0, 1.0, 1.0]
    weighted = mean_interval(values, names(4), weights=weights, bounds=UNIT)
    assert weighted.value == pytest.approx(0.6)
    assert ends(weighted) != pytest.approx(ends(mean_interval(values, names(4), bounds=UNIT)))


def test_all_alike_is_no_certainty() -> None:
    """What was never seen in ten questions may have a probability of 1 - 0.025^(1/10)."""
    chance = 1 - 0.025**0.1
    found = mean_interval([4.0] * 10, names(10), bounds=(1.0, 10.0))
    assert ends(found) == pytest.approx((4 - 3 * chance, 4 + 6 * chance))
    assert np.isnan(ends(mean_interval([4.0] * 10, names(10)))).all()
    tenths = mean_interval([0.1] * 10, names(10))
    assert math.isnan(tenths.low), "rounding is no spread"


def test_intervals_stay_within_what_is_possible() -> None:
    found = mean_interval([0.0, 0.5, 0.0, 0.0, 0.0], names(5), bounds=UNIT)
    assert found.low == 0
    assert 0.1 < found.high < 1
    found = mean_interval([1.0, 0.5, 1.0, 1.0, 1.0], names(5), bounds=UNIT)
    assert found.high == 1
    assert 0 < found.low < 0.9


def test_one_question_has_no_interval() -> None:
    found = mean_interval([1.0, 0.0], ["a", "a"], bounds=UNIT)
    assert found.value == 0.5
    assert np.isnan(ends(found)).all()


def test_nothing_to_estimate_is_nan() -> None:
    assert np.isnan(mean_interval([], []).value)


def test_weights_count_as_repeats() -> None:
    sums = sums_by_group([1.0, 0.0], ["a", "b"], [3.0, 1.0])
    assert sums == {"a": (3.0, 3.0), "b": (0.0, 1.0)}
    assert mean_interval([1.0, 0.0], ["a", "b"], weights=[3.0, 1.0]).value == 0.75


def test_the_jackknife_of_a_mean_is_students_t() -> None:
    values = np.random.default_rng(1).normal(size=9)
    without = (values.sum() - values) / 8
    theirs = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert ends(jackknife(values.mean(), without)) == pytest.approx((theirs.low, theirs.high))
    fitted = jackknife(values.mean(), without, used=3)
    ratio = stats.t.ppf(0.975, 6) / stats.t.ppf(0.975, 8)
    assert fitted.high - fitted.low == pytest.approx(ratio * (theirs.high - theirs.low))


def test_the_jackknife_needs_spread_and_more_questions_than_it_fits() -> None:
    values = np.array([1.0, 2.0, 4.0])
    assert np.isnan(ends(jackknife(2.0, values, used=3))).all()
    assert np.isfinite(ends(jackknife(2.0, values, used=2))).all()
    assert np.isnan(ends(jackknife(2.0, np.full(5, 2.0)))).all()
    assert np.isnan(ends(jackknife(2.0, np.zeros(0)))).all()


def test_intervals_of_weighted_losses_hold() -> None:
    """Twenty answers of very different length; the percentile bootstrap held 269 of 300."""
    rng = np.random.default_rng(9)
    held = 0
    for _ in range(300):
        weights = rng.lognormal(sigma=1.5, size=20)
        found = mean_interval(rng.normal(size=20).tolist(), names(20), weights=weights.tolist())
        held += found.low <= 0 <= found.high
    assert held >= 274  # 285 expected, three standard errors less


def test_holm_by_hand() -> None:
    """Holm 1979: smallest times m, next times m - 1, never below the one before."""
    assert holm([0.04, 0.01, 0.02, 0.5]) == pytest.approx([0.08, 0.04, 0.06, 0.5])
    assert holm([0.012, 0.01, 0.011]) == pytest.approx([0.03, 0.03, 0.03])
    assert holm([0.9, 0.6]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_between_the_raw_and_bonferroni_and_keeps_the_order(values: list[float]) -> None:
    found = holm(values)
    for raw, adjusted in zip(values, found, strict=True):
        assert raw - 1e-12 <= adjusted <= min(1.0, raw * len(values)) + 1e-12
    ranked = [adjusted for _, adjusted in sorted(zip(values, found, strict=True))]
    assert ranked == sorted(ranked)
