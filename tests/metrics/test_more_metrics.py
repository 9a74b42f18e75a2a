"""Reward statistics, lengths, calculation share, judges and column names."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from crowdselect.errors import InputError, NotFoundError
from crowdselect.metrics import (
    METRICS,
    MetricInputs,
    build_metric,
    calc_share,
    combine_judges,
    family_correlations,
    is_calculation,
    leave_one_out,
    parse_column,
)
from crowdselect.ranks import normalise
from crowdselect.scoring.difficulty_ratio import ifd
from crowdselect.scoring.mining_rules import instruction_mining_v1, instruction_mining_v3
from tests.crowds import rewards
from tests.golden import golden
from tests.metrics.crowds import Texts, inputs, matrices

NAN = float("nan")


@given(matrices())
def test_extremes_equal_sorting_each_row(values):
    found = {n: METRICS[n]()(inputs(values)) for n in ("best_reward", "min_reward", "reward_gap")}
    for i, row in enumerate(values):
        there = np.sort(row[~np.isnan(row)])
        expected = {
            "best_reward": there[-1] if len(there) else NAN,
            "min_reward": there[0] if len(there) else NAN,
            "reward_gap": there[-1] - there[-2] if len(there) > 1 else NAN,
        }
        for name, value in expected.items():
            np.testing.assert_array_equal(found[name][i], value)


@given(matrices())
def test_mean_reward_is_difficulty_with_the_sign_turned(values):
    mean, difficulty = (METRICS[n]()(inputs(values)) for n in ("mean_reward", "difficulty"))
    np.testing.assert_array_equal(mean, -difficulty)


def test_number_of_rewards_is_never_missing():
    values = np.full((2, 9), NAN)
    values[1, :3] = 1.0
    assert METRICS["n_rewards"]()(inputs(values)).tolist() == [0.0, 3.0]


TEXTS = Texts(["one two", "three"], [["a b", "c", None], [None, None, None]])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [7, 5]),
        ({"count": "words"}, [2, 1]),
        ({"field": "response", "count": "words"}, [1.5, NAN]),
        ({"field": "response", "across": "longest"}, [3, NAN]),
        ({"field": "response", "across": "shortest"}, [1, NAN]),
        ({"field": "both", "across": "longest"}, [10, NAN]),
    ],
)
def test_length(options, expected):
    found = METRICS["length"](**options)(MetricInputs(texts=TEXTS))
    np.testing.assert_array_equal(found, expected)


def test_length_of_the_best_response_follows_the_rewards():
    matrix = rewards(
        [[0.0, 1.0, 9.0], [1.0, 1.0, 1.0]], models=rewards(np.zeros((1, 9))).models[:3]
    )
    metric = METRICS["length"](field="response", across="best")
    # The best-rewarded model of the first row has no response, so the second best is measured.
    np.testing.assert_array_equal(metric(MetricInputs(matrix, TEXTS)), [1, NAN])
    with pytest.raises(InputError, match="needs rewards"):
        metric(MetricInputs(texts=TEXTS))
    # Of equally good responses none is the best one: their mean is measured.
    texts = Texts(["a", "b"], [["w", "w w w", "w w"], ["w", "w w", "w w w"]])
    tied = rewards([[1.0, 1.0, 0.0], [2.0, 2.0, 2.0]], models=matrix.models)
    lengths = METRICS["length"](field="response", across="best", count="words")
    np.testing.assert_array_equal(lengths(MetricInputs(tied, texts)), [2, 2])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What is 3 + 4?", True),
        ("Calculate the area of a circle.", True),
        ("What is 15% of 80?", True),
        ("Find x where 2x = 10", True),
        ("Write a haiku about rain.", False),
        ("Who computes payroll in a firm?", True),
        ("List 3 fruits", False),
    ],
)
def test_calculation_detector(text, expected):
    assert is_calculation(text) is expected


def test_calc_share():
    texts = ["1+1", "hello", "solve for x", "poem"]
    assert calc_share(texts) == 0.5
    assert np.isnan(calc_share([]))
    found = METRICS["calc_share"]()(MetricInputs(texts=Texts(texts, [])))
    assert found.tolist() == [1, 0, 1, 0]


@given(hnp.arrays(np.float64, 30, elements=st.integers(-9, 9).map(float)), st.floats(1e-3, 1e3))
def test_combining_judges_ignores_their_scales(column, scale):
    other = np.random.default_rng(0).permutation(column)
    np.testing.assert_allclose(
        combine_judges([column, other]), combine_judges([column * scale + 5, other]), atol=1e-12
    )
    np.testing.assert_array_equal(combine_judges([column]), normalise(column))


def test_a_judge_without_a_value_does_not_count():
    a, b = np.array([1.0, 2.0, 3.0, NAN]), np.array([NAN, 10.0, 5.0, NAN])
    np.testing.assert_array_equal(combine_judges([a, b]), [0.0, 0.75, 0.5, NAN])
    with pytest.raises(InputError):
        combine_judges([])


def test_column_names():
    assert parse_column("difficulty") == parse_column("difficulty")
    name = parse_column("length:response:tokens@Arm-O@1")
    assert (name.metric, name.options, name.judge) == ("length", ("response", "tokens"), "Arm-O@1")
    metric, judge = build_metric("stability:reference:min_models~5@all")
    assert (metric.ties, metric.min_models, judge) == ("reference", 5, "all")
    assert build_metric("difficulty:center_by_model")[0].center_by_model is True


@pytest.mark.parametrize("bad", ["", "@x", "a@", "a::b"])
def test_broken_column_names(bad):
    with pytest.raises(InputError, match="not a metric column"):
        parse_column(bad)


@pytest.mark.parametrize("bad", ["length:metres", "stability:min_models~x", "n_rewards:3"])
def test_unknown_options_name_the_known_ones(bad):
    with pytest.raises(InputError, match="does not understand"):
        build_metric(bad)
    with pytest.raises(InputError, match="outside"):
        build_metric("separability:min_models~1")
    with pytest.raises(NotFoundError, match="Did you mean difficulty"):
        build_metric("dificulty")


def test_leave_one_out_drops_each_model_and_each_family():
    matrix = rewards(np.arange(18.0).reshape(2, 9))
    left = list(leave_one_out(matrix))
    assert [(kind, name) for kind, name, _ in left if kind == "family"] == [
        ("family", f) for f in "abcd"
    ]
    assert sum(kind == "model" for kind, _, _ in left) == 9
    for kind, name, rest in left:
        gone = {m.name for m in matrix.models} - {m.name for m in rest.models}
        assert gone == ({name} if kind == "model" else {m for m in gone if m.startswith(name)})
        assert rest.values.shape == (2, len(rest.models))


G5 = golden("methods")["G5_peers"]


def test_ifd_ratios():
    g = G5["ifd"]
    conditioned, alone = np.array([g["loss_cond"]]), np.array([g["loss_alone"]])
    assert ifd(conditioned, alone)[0] == pytest.approx(g["ifd_loss_ratio"], abs=1e-6)
    by_perplexity = ifd(conditioned, alone, "perplexity")[0]
    assert by_perplexity == pytest.approx(g["ifd_ppl_ratio"], abs=1e-6)


def test_the_two_ifd_ratios_can_order_rows_differently():
    g = G5["ifd"]["order_can_flip"]
    conditioned, alone = np.array([0.5, 2.0]), np.array([0.6, 2.2])
    for ratio, key in (("loss", "loss_ratio"), ("perplexity", "ppl_ratio")):
        expected = [g["x"][key], g["y"][key]]
        np.testing.assert_allclose(ifd(conditioned, alone, ratio), expected, atol=1e-6)


def test_ifd_without_a_loss_is_missing():
    found = ifd(np.array([1.0, NAN, 0.0]), np.array([0.0, 1.0, 1.0]))
    assert np.isnan(found).all()


def test_instruction_mining_rules():
    v1, v3 = G5["instruction_mining_v1"], G5["instruction_mining_v3"]
    first = instruction_mining_v1(*(np.array([float(v1[k])]) for k in ("rew", "len", "knn6")))
    third = instruction_mining_v3(*(np.array([v3[k]]) for k in ("rew", "und", "nat", "coh")))
    assert first[0] == pytest.approx(v1["logL"], abs=1e-9)
    assert third[0] == pytest.approx(v3["logL"], abs=1e-9)


@pytest.mark.parametrize("gap", [False, True])
def test_centring_takes_each_models_mean_away(gap):
    values = np.array([[1.0, 10.0, 4.0], [3.0, 20.0, 4.0], [5.0, 60.0, 7.0]])
    if gap:
        values[0, 2] = NAN
    found = METRICS["difficulty"](center_by_model=True)(
        inputs(values, models=rewards(np.zeros((1, 9))).models[:3])
    )
    expected = -np.nanmean(values - np.nanmean(values, axis=0), axis=1)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_constant_families_are_counted_over_all_blocks():
    values = np.random.default_rng(3).normal(size=(40_000, 9))
    values[::4, :3] = 1.0
    found = family_correlations(rewards(values))
    assert dict(zip(found.families, found.constant, strict=True))["a"] == 10_000
    assert found.members.dtype == np.int32


def test_the_best_response_is_that_of_its_own_row():
    models = rewards(np.zeros((1, 9))).models[:2]
    matrix = rewards([[9.0, 1.0], [1.0, 2.0], [0.0, 3.0]], models=models)
    texts = Texts(["x"] * 3, [["a b c", "d"], ["e", "f g"], ["h", "i j k l"]])
    metric = METRICS["length"](field="response", across="best", count="words")
    assert metric(MetricInputs(matrix, texts)).tolist() == [3.0, 2.0, 4.0]


def test_leaving_out_stops_before_nothing_is_left():
    models = rewards(np.zeros((1, 9))).models[:2]
    both = leave_one_out(rewards([[1.0, 2.0]], models=models))
    assert [(kind, name) for kind, name, _ in both] == [("model", "a-0"), ("model", "a-1")]
    assert list(leave_one_out(rewards([[1.0]], models=models[:1]))) == []
    with pytest.raises(InputError) as caught:
        combine_judges([])
    assert caught.value.problem == "There are no judges to combine."
    assert caught.value.remedy == "Give at least one metric column."
