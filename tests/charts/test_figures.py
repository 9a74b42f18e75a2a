"""Each figure draws the numbers it was given, in both palettes, also when some are missing."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from crowdselect.charts.agreement import agreement
from crowdselect.charts.benchmark_scores import benchmark_scores
from crowdselect.charts.budget_curves import budget_curves
from crowdselect.charts.category_scores import category_scores, useful
from crowdselect.charts.cost_gain import cost_gain
from crowdselect.charts.cut_line import cut_line
from crowdselect.charts.family_bias import family_bias
from crowdselect.charts.forest import forest
from crowdselect.charts.histogram_shift import histogram_shift
from crowdselect.charts.instruction_rewards import instruction_rewards
from crowdselect.charts.leaderboard import leaderboard
from crowdselect.charts.length_bias import length_bias
from crowdselect.charts.loss_curve import loss_curve
from crowdselect.charts.missingness import missingness
from crowdselect.charts.overlap_matrix import overlap_matrix
from crowdselect.charts.plane import plane
from crowdselect.charts.reward_distribution import reward_distribution
from crowdselect.charts.robustness import robustness
from crowdselect.charts.share_shift import share_shift
from crowdselect.charts.style import DARK, LIGHT
from crowdselect.charts.upset import upset

EVIL = "<script>alert(1)</script>$$x$$"
palettes = pytest.mark.parametrize("p", [LIGHT, DARK], ids=lambda p: p.name)


def models(**extra):
    frame = pd.DataFrame(
        {
            "model": ["small", EVIL, "large"],
            "family": ["a", None, "a"],
            "size_b": [1.0, np.nan, 7.0],
            "mean": [0.1, np.nan, 0.9],
            "low": [0.0, np.nan, 0.8],
            "high": [0.2, np.nan, 1.0],
            "n": [10, 0, 12],
            "reward": [0.5, np.nan, 2.0],
        }
    )
    return frame.assign(
        **{f"q{q}": [0.1, np.nan, 0.9] for q in ("05", "25", "50", "75", "95")}, **extra
    )


def assert_inert(fig):
    """No text of the figure holds the markup of the data."""
    go.Figure(fig.to_plotly_json())  # raises for whatever plotly does not know
    text = fig.to_json()
    assert "<script>" not in text
    assert "$$" not in text


@palettes
def test_leaderboard_puts_the_best_on_top(p):
    fig = leaderboard(models(), EVIL, p)
    assert fig.data[0].y[-1] == "large"
    assert fig.data[0].error_x.array[-1] == pytest.approx(0.1)
    assert_inert(fig)


def test_whiskers_reach_to_either_end():
    """The ends are not equally far: of a rate near 1, say."""
    board = models().assign(low=[0.0, np.nan, 0.6])
    bars = leaderboard(board, "judge", LIGHT).data[0].error_x
    assert (bars.array[-1], bars.arrayminus[-1]) == pytest.approx((0.1, 0.3))
    frame = pd.DataFrame({"name": ["r"], "score": [0.9], "low": [0.5], "high": [0.95], "n": [9]})
    bars = benchmark_scores(frame, "rate", LIGHT).data[0].error_x
    assert (bars.array[0], bars.arrayminus[0]) == pytest.approx((0.05, 0.4))


def test_reward_distribution_uses_the_quantiles():
    fig = reward_distribution(models(), EVIL, LIGHT)
    assert list(fig.data[0].median)[-1] == 0.9
    assert_inert(fig)


def test_missingness_is_in_per_cent():
    fig = missingness(np.array([[0.0, 0.5], [1.0, 0.0]]), ["a", EVIL], [0, 5, 10], LIGHT)
    assert fig.data[0].z.max() == 100
    assert fig.data[0].customdata[0][1] == "rows 6 to 10"
    assert_inert(fig)


def test_agreement_prints_two_digits_and_nothing_for_nan():
    fig = agreement(pd.DataFrame([[1, np.nan], [np.nan, 1]], columns=["j", EVIL]), LIGHT)
    assert fig.data[0].text[0][0] == "1.00"
    assert fig.data[0].text[0][1] == ""
    assert_inert(fig)


def test_length_bias_draws_one_line_per_judge():
    frame = pd.DataFrame(
        {
            "judge": ["j", "j", EVIL],
            "length": [10, 20, 10],
            "rank": [0.4, 0.6, 0.5],
            "low": [0.3, 0.5, 0.4],
            "high": [0.5, 0.7, 0.6],
        }
    )
    fig = length_bias(frame, LIGHT)
    assert len(fig.data) == 2
    assert list(fig.data[0].y) == [0.4, 0.6]
    assert_inert(fig)


def test_family_bias_is_signed_points():
    fig = family_bias(pd.DataFrame({"j": [0.1, -0.02]}, index=["f", EVIL]), LIGHT)
    assert fig.data[0].text[0][0] == "+10.0"
    assert fig.data[0].zmin == -fig.data[0].zmax
    assert_inert(fig)


def test_histogram_shift_shows_shares_of_each_group():
    fig = histogram_shift(
        np.array([1.0, 2, 3]), np.array([3.0, 1]), np.array([0.0, 2]), "length", LIGHT, log=True
    )
    assert list(fig.data[0].y) == [75, 25, 0]
    assert list(fig.data[1].y) == [0, 100, 0]


def test_share_shift_shows_shares_of_each_group():
    fig = share_shift(["a", EVIL], np.array([3.0, 1]), np.array([1.0, 1]), LIGHT)
    assert list(fig.data[1].x) == [75, 25]
    assert list(fig.data[2].x) == [50, 50]
    assert_inert(fig)


def test_empty_groups_do_not_divide_by_zero():
    fig = share_shift(["a"], np.array([0.0]), np.array([0.0]), LIGHT)
    assert list(fig.data[1].x) == [0]


def test_overlap_matrix_prints_jaccard():
    fig = overlap_matrix(["a", EVIL], np.array([[1, 0.25], [0.25, 1]]), LIGHT)
    assert fig.data[0].text[0][1] == "0.25"
    assert_inert(fig)


def test_upset_puts_the_largest_combination_first():
    sizes = {frozenset({0}): 3, frozenset({0, 1}): 9, frozenset({1}): 1}
    fig = upset(["a", EVIL], sizes, LIGHT)
    assert list(fig.data[0].y) == [9, 3, 1]
    assert_inert(fig)


def test_upset_limits_the_combinations():
    sizes = {frozenset({i}): i + 1 for i in range(10)}
    assert len(upset([str(i) for i in range(10)], sizes, LIGHT, most=4).data[0].y) == 4


def test_robustness_sorts_the_fragile_first_within_a_kind():
    frame = pd.DataFrame(
        {
            "kind": ["model", "judge", "model"],
            "left_out": ["a", EVIL, "b"],
            "jaccard": [0.9, 0.5, 0.2],
        }
    )
    fig = robustness(frame, LIGHT)
    assert list(fig.data[0].x) == [0.5, 0.2, 0.9]
    assert_inert(fig)


def test_cut_line_keeps_clusters_without_a_cut():
    frame = pd.DataFrame(
        {
            "label": ["a", EVIL],
            "low": [0.0, 0.1],
            "high": [1.0, 0.9],
            "taken": [0.7, np.nan],
            "left": [0.69, 0.9],
            "n_taken": [3, 0],
            "n": [9, 4],
            "ties": [2, 0],
        }
    )
    fig = cut_line(frame, LIGHT)
    assert fig.data[2].x[0] == 0.7
    assert np.isnan(fig.data[2].x[1])
    assert_inert(fig)


def test_instruction_rewards_group_by_family_and_size():
    fig = instruction_rewards(models(), EVIL, LIGHT)
    assert list(fig.data[0].y)[:2] == ["a 1B", "a 7B"]
    assert list(fig.data[0].x)[:2] == [0.5, 2.0]
    assert_inert(fig)


def test_loss_curve_draws_held_out_loss_dotted():
    frame = pd.DataFrame(
        {
            "run": ["r"] * 4,
            "step": [1, 2, 1, 2],
            "loss": [3, 2, 3.1, 2.2],
            "kind": ["train", "train", "eval", "eval"],
        }
    )
    fig = loss_curve(frame, LIGHT)
    assert [t.line.dash for t in fig.data] == ["solid", "dot"]


def test_benchmark_scores_draw_the_line_of_no_difference():
    frame = pd.DataFrame(
        {"name": ["r", EVIL], "score": [1.0, 2], "low": [0, 1], "high": [2, 3], "n": [9, 9]}
    )
    assert benchmark_scores(frame, EVIL, LIGHT, zero=True).layout.shapes[0].x0 == 0
    assert_inert(benchmark_scores(frame, EVIL, LIGHT))


def test_forest_marks_what_can_be_told_apart():
    frame = pd.DataFrame(
        {"name": ["a", EVIL, "c"], "value": [0.1, 0.0, -0.1], "low": [0.05, -0.1, -0.2],
         "high": [0.2, 0.1, -0.05], "p": [0.01, 1.0, 0.02],
         "verdict": ["better", "unclear", "worse"]}
    )  # fmt: skip
    fig = forest(frame, EVIL, LIGHT)
    shown = {trace.name: (trace.y[0], trace.x[0]) for trace in fig.data}
    assert shown["better"] == ("a", 0.1)
    assert shown["worse"] == ("c", -0.1)
    assert fig.layout.shapes[0].x0 == 0
    assert fig.data[0].error_x.array[0] == pytest.approx(0.1)
    assert_inert(fig)


def test_budget_curves_draw_a_line_per_arm_in_the_order_of_budgets():
    frame = pd.DataFrame(
        {"arm": [EVIL, "b", EVIL], "budget": [600, 300, 300], "score": [0.3, 0.1, 0.2],
         "low": [0.2, 0.0, 0.1], "high": [0.4, 0.2, 0.3]}
    )  # fmt: skip
    fig = budget_curves(frame, "accuracy", LIGHT)
    assert list(fig.data[0].x) == [300, 600]
    assert list(fig.data[0].y) == [0.2, 0.3]
    assert len(fig.data) == 2
    assert_inert(fig)


def test_cost_gain_draws_a_dot_per_arm():
    frame = pd.DataFrame(
        {"name": [EVIL, "b"], "cost": [150, 300], "score": [0.3, 0.4], "low": [0.2, 0.3],
         "high": [0.35, 0.5]}
    )  # fmt: skip
    fig = cost_gain(frame, EVIL, EVIL, LIGHT)
    assert [(t.x[0], t.y[0]) for t in fig.data] == [(150, 0.3), (300, 0.4)]
    assert fig.data[0].error_y.arrayminus[0] == pytest.approx(0.1)
    assert_inert(fig)


def test_category_scores_mark_each_run_by_symbol_too_and_say_how_sure_they_are():
    frame = pd.DataFrame(
        {"run": ["r", EVIL], "category": ["c", "c"], "score": [1.0, 2.0], "low": [0.5, 1.0],
         "high": [2.0, 4.0], "n": [12, 11]}
    )  # fmt: skip
    fig = category_scores(frame, "accuracy", LIGHT)
    assert fig.data[0].marker.symbol != fig.data[1].marker.symbol
    assert list(fig.data[1].error_x.array) == [2.0]
    assert list(fig.data[1].error_x.arrayminus) == [1.0]
    assert list(fig.data[0].y) == ["c (12)"]
    assert_inert(fig)


def test_categories_with_few_questions_are_told_apart():
    frame = pd.DataFrame({"run": list("abab"), "category": list("xxyy"), "n": [10, 12, 9, 30]})
    drawn, few = useful(frame)
    assert set(drawn["category"]) == {"x"}
    assert few == ["y"]


def test_plane_bins_everything_and_draws_the_chosen():
    rng = np.random.default_rng(0)
    xy = rng.normal(size=(500, 2)).astype(np.float32)
    xy[3] = np.nan
    chosen = np.zeros(500, bool)
    chosen[:50] = True
    fig = plane(xy, chosen, LIGHT)
    assert np.nansum(np.square(fig.data[0].z)) == pytest.approx(499, rel=1e-3)
    assert len(fig.data[1].x) == 49
