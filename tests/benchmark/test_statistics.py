"""Intervals and corrections against scipy and by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from crowdselect.benchmark.statistics import (
    Difference,
    Interval,
    cluster_bootstrap,
    holm,
    paired_bootstrap,
    resamples,
    sums_by_group,
)
from crowdselect.benchmark.traps import optimism


def runs(*columns: np.ndarray) -> list[dict[str, tuple[float, float]]]:
    return [{f"q{i}": (float(v), 1.0) for i, v in enumerate(column)} for column in columns]


def test_interval_agrees_with_scipy() -> None:
    values = np.random.default_rng(0).gamma(2.0, size=120)
    ours = cluster_bootstrap(values.tolist(), [str(i) for i in range(120)])
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=4000, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    width = theirs.high - theirs.low
    assert ours.value == pytest.approx(values.mean())
    assert abs(ours.low - theirs.low) < 0.1 * width
    assert abs(ours.high - theirs.high) < 0.1 * width


def test_judgements_of_one_question_are_resampled_together() -> None:
    """Writing every judgement twice adds no information: the interval must not shrink."""
    values = np.random.default_rng(2).normal(size=60).tolist()
    names = [str(i) for i in range(60)]
    once = cluster_bootstrap(values, names)
    twice = cluster_bootstrap(values * 2, names * 2)
    assert (twice.low, twice.high) == pytest.approx((once.low, once.high))
    naive = cluster_bootstrap(values * 2, [str(i) for i in range(120)])
    assert naive.high - naive.low < 0.8 * (twice.high - twice.low)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_order_does_not_matter_and_the_value_is_inside(values: list[float], rng: object) -> None:
    names = [f"q{i % 7}" for i in range(len(values))]
    place = list(range(len(values)))
    rng.shuffle(place)  # type: ignore[attr-defined]
    one = cluster_bootstrap(values, names)
    two = cluster_bootstrap([values[i] for i in place], [names[i] for i in place])
    assert two.value == pytest.approx(one.value)
    assert (two.low, two.high) == pytest.approx((one.low, one.high), nan_ok=True)
    if len(set(names)) == 1:
        assert np.isnan(one.low)
        return
    assert one.low <= one.high
    assert min(values) - 1e-9 <= one.low
    assert one.high <= max(values) + 1e-9


@pytest.mark.parametrize(("right", "n"), [(0, 10), (10, 10), (0, 200)])
def test_all_or_none_right_is_no_certainty(right: int, n: int) -> None:
    """The exact binomial interval, as scipy has it."""
    values = [1.0] * right + [0.0] * (n - right)
    found = cluster_bootstrap(values, [str(i) for i in range(n)], bounds=(0, 1))
    exact = stats.binomtest(right, n).proportion_ci(method="exact")
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high))


def test_one_question_has_no_interval() -> None:
    found = cluster_bootstrap([1.0, 0.0], ["a", "a"])
    assert found.value == 0.5
    assert np.isnan([found.low, found.high]).all()


def test_nothing_to_estimate_is_nan() -> None:
    assert np.isnan(cluster_bootstrap([], []).value)


def test_blocks_draw_as_one_block_does() -> None:
    small = np.concatenate(list(resamples(5, 3, count=40, cells=25)))
    whole = np.concatenate(list(resamples(5, 3, count=40)))
    assert (small == whole).all()
    assert (small.sum(axis=1) == 5).all()


def test_weights_count_as_repeats() -> None:
    sums = sums_by_group([1.0, 0.0], ["a", "b"], [3.0, 1.0])
    assert sums == {"a": (3.0, 3.0), "b": (0.0, 1.0)}
    assert cluster_bootstrap([1.0, 0.0], ["a", "b"], weights=[3.0, 1.0]).value == 0.75


def test_pairing_removes_what_questions_share() -> None:
    rng = np.random.default_rng(3)
    hardness = rng.normal(scale=5, size=200)
    first, second = hardness + 0.3 + rng.normal(scale=0.5, size=200), hardness
    interval, p, n = paired_bootstrap(runs(first), runs(second))
    assert n == 200
    assert interval.value == pytest.approx(float(np.mean(first - second)))
    assert interval.low > 0.15
    assert p < 0.01
    t = stats.ttest_rel(first, second).confidence_interval(0.95)
    assert interval.low == pytest.approx(t.low, abs=0.03)
    assert interval.high == pytest.approx(t.high, abs=0.03)


def test_swapping_the_sides_flips_the_difference() -> None:
    rng = np.random.default_rng(4)
    a, b = rng.normal(size=50), rng.normal(size=50)
    there, p, _ = paired_bootstrap(runs(a), runs(b))
    back, q, _ = paired_bootstrap(runs(b), runs(a))
    assert there.value == pytest.approx(-back.value)
    assert there.low == pytest.approx(-back.high)
    assert p == q


def test_seeds_that_differ_widen_the_interval() -> None:
    base = np.random.default_rng(5).normal(size=100)
    same = paired_bootstrap(runs(base, base, base), runs(base - 0.2))[0]
    apart = paired_bootstrap(runs(base - 1, base, base + 1), runs(base - 0.2))[0]
    assert same.value == pytest.approx(apart.value)
    assert apart.high - apart.low > 1 > same.high - same.low


def test_only_shared_questions_count() -> None:
    first = [{"a": (1.0, 1.0), "b": (0.0, 1.0)}]
    second = [{"b": (1.0, 1.0), "c": (0.0, 1.0)}]
    interval, _, n = paired_bootstrap(first, second)
    assert (interval.value, n) == (-1.0, 1)
    assert paired_bootstrap(first, [{"z": (1.0, 1.0)}])[1:] == (1.0, 0)


def test_false_alarms_are_rare() -> None:
    """Of 200 comparisons of equals about one in twenty is called a difference."""
    rng = np.random.default_rng(6)
    alarms = sum(
        paired_bootstrap(runs(rng.normal(size=60)), runs(rng.normal(size=60)))[1] < 0.05
        for _ in range(200)
    )
    assert 2 <= alarms <= 22


def test_holm_by_hand() -> None:
    """Holm 1979: 0.01 x 4, 0.02 x 3, then the running maximum."""
    assert holm([0.04, 0.01, 0.02, 0.5]) == pytest.approx([0.08, 0.04, 0.06, 0.5])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_between_the_raw_and_bonferroni(values: list[float]) -> None:
    for raw, adjusted in zip(values, holm(values), strict=True):
        assert raw - 1e-12 <= adjusted <= min(1.0, raw * len(values)) + 1e-12


def test_sentences() -> None:
    interval = Interval(-0.25, -0.4, -0.1)
    found = Difference("a", "b", interval, 0.001, 0.002, 80, (3, 3), higher_is_better=False)
    assert found.sentence() == (
        "a is better than b: -0.25 (-0.4 to -0.1), 80 questions, p = 0.002 after Holm's correction."
    )
    unclear = Difference("a", "b", interval, 0.3, 0.3, 1080, (1, 1))
    assert unclear.sentence() == (
        "a and b are not distinguishable at 95%: -0.25 (-0.4 to -0.1), 1,080 questions, p = 0.3."
    )


def test_optimism_of_equals_is_seen() -> None:
    """Twelve recipes of equal worth: the winner's lead vanishes on the other half."""
    rng = np.random.default_rng(7)
    sums = {f"r{k}": runs(rng.normal(size=80)) for k in range(12)}
    selections = {name: name for name in sums}
    found = optimism(sums, selections, higher_is_better=True, seed=1)
    assert found is not None
    assert found.apparent - found.honest > 0.1
    assert found.same_choice < 0.5
    low = optimism(
        {k: [{q: (-s, w) for q, (s, w) in r.items()} for r in v] for k, v in sums.items()},
        selections,
        higher_is_better=False,
        seed=1,
    )
    assert low is not None
    assert (low.best, low.apparent) == (found.best, pytest.approx(-found.apparent))


def test_optimism_needs_two_recipes() -> None:
    sums = {"a": runs(np.arange(9.0)), "b": runs(np.arange(9.0))}
    assert optimism(sums, {"a": "1", "b": None}, higher_is_better=True, seed=1) is None
    same = {"a": "1", "b": "1"}
    assert optimism(sums, same, higher_is_better=True, seed=1) is None
