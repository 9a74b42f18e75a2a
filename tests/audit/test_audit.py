"""The audit's numbers against plain scipy on the same rewards."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crowdselect.audit import (
    family_bias,
    identical_columns,
    judge_agreement,
    leaderboard,
    length_bias,
    missing_share,
)
from crowdselect.audit.pairs import mean_correlation
from crowdselect.audit.ranks import row_ranks, sample_rows
from crowdselect.values import Model
from tests.crowds import rewards

MODELS = (
    Model("a1", "a", 1.0, 0),
    Model("a2", "a", 7.0, 1),
    Model("b1", "b", 1.0, 2),
    Model("c", None, None, 3),
)


def matrix(values, judge="j"):
    return rewards(values, MODELS, judge)


@pytest.fixture
def noisy():
    rng = np.random.default_rng(1)
    values = rng.normal(loc=[0, 1, 0.5, -1], size=(200, 4))
    values[rng.random(values.shape) < 0.1] = np.nan
    return matrix(values)


def test_leaderboard_interval_is_students_t(noisy):
    rows = leaderboard(noisy).set_index("model")
    x = noisy.values[:, 1]
    x = x[~np.isnan(x)]
    low, high = stats.t.interval(0.95, len(x) - 1, x.mean(), stats.sem(x))
    assert rows.loc["a2", ["mean", "low", "high"]].tolist() == pytest.approx([x.mean(), low, high])
    assert rows.loc["a2", "n"] == len(x)


def test_leaderboard_is_sorted_and_keeps_models_without_rewards(noisy):
    noisy.values[:, 0] = np.nan
    rows = leaderboard(noisy)
    assert rows["model"].iloc[0] == "a2"
    assert rows["model"].iloc[-1] == "a1"
    assert rows["n"].iloc[-1] == 0


def test_best_counts_ties_for_each():
    rows = leaderboard(matrix([[1, 1, 0, 0], [0, 1, 0, 0]])).set_index("model")
    assert rows["best"].to_dict() == {"a2": 1.0, "a1": 0.5, "b1": 0.0, "c": 0.0}


def test_missing_share_counts_each_cell_once(noisy):
    share, edges = missing_share(noisy, 7)
    sizes = np.diff(edges)
    assert (share * sizes).sum() == pytest.approx(np.isnan(noisy.values).sum())
    assert edges[0] == 0
    assert edges[-1] == 200


def test_correlation_of_judges_equals_scipy(noisy):
    """Rows alike in what is missing, apart, of one judge only, constant: each by itself."""
    other = np.random.default_rng(2).normal(size=noisy.values.shape).round(0)
    other[::3][np.isnan(noisy.values[::3])] = np.nan
    other[5::11] = np.nan
    seen = []
    for i in range(200):
        rho = mean_correlation([noisy.values[[i]], other[[i]], -other[[i]]])
        a, b = noisy.values[i], other[i]
        common = ~(np.isnan(a) | np.isnan(b))
        constant = common.sum() < 3 or np.ptp(b[common]) == 0
        expected = np.nan if constant else stats.spearmanr(a[common], b[common]).statistic
        assert rho[0, 1] == pytest.approx(expected, nan_ok=True)
        assert rho[0, 2] == pytest.approx(-expected, nan_ok=True)
        seen.append(expected)
    whole = mean_correlation([noisy.values, other, -other])
    assert whole[0, 1] == pytest.approx(np.nanmean(seen))
    assert whole[1, 0] == whole[0, 1]
    first = mean_correlation([noisy.values, other, -other], with_first=True)
    assert first[0].tolist() == whole[0].tolist()


@pytest.mark.parametrize("shared", [True, False])
def test_a_family_s_advantage_is_the_mean_gap_of_scipy_s_ranks(shared):
    rng = np.random.default_rng(6)
    judges = {name: rng.normal(size=(60, 4)).round(1) for name in "abc"}
    missing = rng.random((60, 4)) < 0.2
    for values in judges.values():
        values[missing if shared else rng.random((60, 4)) < 0.2] = np.nan
    judges["a"][::7] = np.nan
    gaps = []
    for other in "bc":
        for x, y in zip(judges["a"], judges[other], strict=True):
            common = ~(np.isnan(x) | np.isnan(y))
            n = common.sum()
            if n < 2:
                continue
            gap = (stats.rankdata(x[common]) - stats.rankdata(y[common])) / (n - 1)
            gaps.extend(gap[np.flatnonzero(common) < 2])  # the models of family "a"
    table = family_bias({name: matrix(values, name) for name, values in judges.items()})
    assert table.loc["a", "a"] == pytest.approx(np.mean(gaps))


def test_tenths_of_length_are_pandas_own():
    rng = np.random.default_rng(5)
    values, lengths = rng.normal(size=(90, 4)), rng.integers(1, 40, (90, 4)).astype(float)
    values[rng.random(values.shape) < 0.1] = np.nan
    lengths[rng.random(lengths.shape) < 0.1] = np.nan
    ranks = row_ranks(values)
    there = ~(np.isnan(ranks) | np.isnan(lengths))
    data = pd.DataFrame({"rank": ranks[there], "length": lengths[there]})
    groups = data.groupby(pd.qcut(data["length"], 10, duplicates="drop", labels=False))
    frame = length_bias({"j": matrix(values)}, lengths)
    assert frame["length"].tolist() == groups["length"].median().tolist()
    assert frame["rank"].tolist() == pytest.approx(groups["rank"].mean().tolist())
    half = 1.96 * groups["rank"].sem()
    assert (frame["high"] - frame["rank"]).tolist() == pytest.approx(half.tolist())


def test_row_ranks_run_from_0_to_1_and_need_two_values():
    ranks = row_ranks(np.array([[3.0, 1, 2, np.nan], [1, np.nan, np.nan, np.nan]]))
    assert ranks[0].tolist() == pytest.approx([1, 0, 0.5, np.nan], nan_ok=True)
    assert np.isnan(ranks[1]).all()


def test_agreement_is_1_with_itself_and_minus_1_reversed(noisy):
    reversed_ = matrix(-noisy.values, "k")
    rho = judge_agreement({"j": noisy, "k": reversed_})
    assert rho.loc["j", "j"] == 1
    assert rho.loc["j", "k"] == pytest.approx(-1)


def test_agreement_of_judges_without_common_models_is_unknown():
    a = matrix([[1, 2, np.nan, np.nan]] * 5)
    b = matrix([[np.nan, np.nan, 1, 2]] * 5, "k")
    assert np.isnan(judge_agreement({"j": a, "k": b}).loc["j", "k"])


def test_a_judge_that_pays_for_length_is_seen():
    rng = np.random.default_rng(3)
    lengths = rng.integers(10, 1000, (300, 4)).astype(float)
    frame = length_bias(
        {"long": matrix(lengths), "fair": matrix(rng.normal(size=(300, 4)))}, lengths
    )
    long, fair = (frame[frame["judge"] == j] for j in ("long", "fair"))
    assert long["rank"].is_monotonic_increasing
    assert long["rho"].iloc[0] == pytest.approx(1)
    assert abs(fair["rho"].iloc[0]) < 0.1
    assert (fair["low"] < 0.5).sum() > 5


def test_a_judge_that_favours_a_family_is_seen():
    rng = np.random.default_rng(4)
    truth = rng.normal(size=(400, 4))
    partial = truth + np.array([2.0, 2.0, 0, 0])
    table = family_bias({"fair": matrix(truth), "partial": matrix(partial)})
    assert table.loc["a", "partial"] > 0.2
    assert table.loc["a", "fair"] == pytest.approx(-table.loc["a", "partial"])
    assert family_bias({"fair": matrix(truth)}).empty


def test_identical_columns_are_named(noisy):
    noisy.values[:, 2] = noisy.values[:, 1]
    found = identical_columns({"j": noisy})
    assert found[["model_a", "model_b"]].to_numpy().tolist() == [["a2", "b1"]]


def test_constant_columns_are_not_called_identical():
    assert identical_columns({"j": matrix(np.ones((50, 4)))}).empty


def test_samples_are_seeded_and_sorted():
    ids = np.array([f"i{i:04}" for i in range(1000)], dtype=object)
    rows = sample_rows(ids, 5, 100)
    assert len(set(rows)) == 100
    assert (np.diff(rows) > 0).all()
    assert (rows == sample_rows(ids, 5, 100)).all()
    shuffle = np.random.default_rng(0).permutation(1000)
    assert set(ids[shuffle][sample_rows(ids[shuffle], 5, 100)]) == set(ids[rows])


def test_an_empty_crowd_has_an_empty_audit():
    empty = matrix(np.zeros((0, 4)))
    assert len(leaderboard(empty)) == 4
    assert missing_share(empty)[0].shape == (4, 1)
    assert length_bias({"j": empty}, np.zeros((0, 4))).empty
