"""What metrics say to people: about a value, and about a column's name that is wrong."""

import numpy as np
import pytest

from crowdselect.errors import InputError
from crowdselect.metrics import METRICS, MetricInputs, build_metric, parse_column, why_of
from crowdselect.metrics.base import places_above
from tests.metrics.crowds import Texts, inputs

SENTENCES = [
    ("difficulty", -1.25, "Harder than 75 % of instructions: the crowd's mean reward is 1.25."),
    ("difficulty", 0.0, "Harder than 75 % of instructions: the crowd's mean reward is 0."),
    (
        "difficulty:center_by_model",
        2.0,
        "Harder than 75 % of instructions: the crowd's mean reward, centred by model, is -2.",
    ),
    (
        "separability",
        6.25,
        (
            "Separates the models more than 75 % of instructions: their rewards spread by 2.5 "
            "(standard deviation) around the mean."
        ),
    ),
    (
        "best_reward",
        3.0,
        "Its best response is better rewarded than that of 75 % of instructions: 3.",
    ),
    (
        "mean_reward",
        0.5,
        "Better answered than 75 % of instructions: the crowd's mean reward is 0.5.",
    ),
    (
        "min_reward",
        -2.0,
        "Even its worst response is better rewarded than that of 75 % of instructions: -2.",
    ),
    (
        "reward_gap",
        0.75,
        "Its best response leads by more than in 75 % of instructions: 0.75 ahead of the second.",
    ),
    ("n_rewards", 7.0, "7 models were scored, more than for 75 % of instructions."),
    ("length", 1200.0, "Longer than 75 % of instructions. The instruction: 1,200 chars."),
    (
        "length:response:tokens",
        30.4,
        "Longer than 75 % of instructions. The response: 30 tokens.",
    ),
    (
        "length:both:words",
        5.0,
        "Longer than 75 % of instructions. Instruction and response together: 5 words.",
    ),
    (
        "frontier:target~0.4",
        0.5,
        (
            "Nearer to the frontier than 75 % of instructions: the share of models that solve it "
            "is 30% away from 40%."
        ),
    ),
    (
        "pass_rate",
        0.4,
        "Solved by 40% of the answers, more than 75 % of instructions.",
    ),
    (
        "learnable",
        -0.25,
        (
            "More learnable than 75 % of instructions: of the larger models 25% fewer solve it "
            "than of the smaller ones."
        ),
    ),
    (
        "just_above",
        0.5,
        (
            "Nearer above the student than 75 % of instructions: share of the next larger models "
            "that solve it, times that of its size that do not, is 0.50."
        ),
    ),
    ("calc_share", 1.0, "It asks for a calculation."),
    ("calc_share", 0.0, "It does not ask for a calculation."),
]


@pytest.mark.parametrize(("column", "value", "sentence"), SENTENCES)
def test_a_sentence_about_a_value(column: str, value: float, sentence: str) -> None:
    assert build_metric(column)[0].why(value, 75.0) == sentence


def test_every_metric_has_its_sentence_here() -> None:
    assert {c.split(":")[0] for c, *_ in SENTENCES} == set(METRICS.names()) - {"stability"}


def test_a_sentence_compares_with_what_is_strictly_lower_and_says_ties() -> None:
    column = np.array([-1.0, -1.0, -1.0, 0.0, np.nan, 2.0])
    why = METRICS["difficulty"]().why
    assert why_of(why, column, 0) == (
        "Harder than 0 % of instructions: the crowd's mean reward is 1. Tied with 2 others."
    )
    assert why_of(why, column, 3).startswith("Harder than 60 % of instructions")
    assert "Tied" not in why_of(why, column, 3)
    assert why_of(why, np.array([1.0, 1.0]), 1).endswith("Tied with 1 other.")
    calculations = np.array([1.0, 1.0, 0.0])
    assert why_of(METRICS["calc_share"]().why, calculations, 0) == "It asks for a calculation."


BIGGER, SMALLER = "bigger models tend to do better", "smaller models tend to do better"


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (1.0, BIGGER),
        (0.051, BIGGER),
        (0.05, "size says nothing about the reward"),
        (0.0, "size says nothing about the reward"),
        (-0.05, "size says nothing about the reward"),
        (-0.051, SMALLER),
        (-1.0, SMALLER),
    ],
)
def test_stability_says_who_does_better_from_a_twentieth_on(value: float, what: str) -> None:
    assert METRICS["stability"]().why(value, 12.4) == (
        f"More stable than 12 % of instructions: inside the families {what} "
        f"(mean rank correlation {value:+.2f})."
    )


@pytest.mark.parametrize(("percentile", "places"), [(-3.0, 0), (49.6, 50), (250.0, 100)])
def test_a_place_lies_between_none_and_all(percentile: float, places: int) -> None:
    assert places_above(percentile) == f"{places} % of instructions"


def refused(column: str) -> tuple[str, str]:
    with pytest.raises(InputError) as caught:
        build_metric(column)
    return caught.value.problem, caught.value.remedy


def test_an_option_that_is_unknown_is_told_those_that_are_known() -> None:
    assert refused("length:metres") == (
        "length does not understand 'metres'.",
        (
            "It understands: instruction, response, both, chars, words, tokens, mean, longest, "
            "shortest, best."
        ),
    )
    assert refused("difficulty:centred") == (
        "difficulty does not understand 'centred'.",
        "It understands: min_models~NUMBER, min_share~NUMBER, center_by_model.",
    )
    assert refused("difficulty:center_by_model~1")[0].startswith("difficulty does not understand")
    assert refused("n_rewards:3")[1] == "It understands: nothing."


def test_a_column_that_is_none_is_shown_the_form() -> None:
    assert refused("a@") == (
        "'a@' is not a metric column.",
        "Write METRIC, METRIC@JUDGE or METRIC:OPTION@JUDGE, such as difficulty@all.",
    )
    assert parse_column("length:words").text == "length:words"


def test_what_a_metric_lacks_is_said_with_what_to_do() -> None:
    with pytest.raises(InputError) as caught:
        METRICS["length"](field="response", across="best")(
            MetricInputs(texts=Texts(["a"], [["b"]]))
        )
    assert caught.value.problem == "The metric 'length:best' needs rewards and this crowd has none."
    assert caught.value.remedy == (
        "Ingest a judge's scores, or run `crowdselect score`, then try again."
    )
    with pytest.raises(InputError) as caught:
        METRICS["calc_share"]()(inputs(np.zeros((1, 9))))
    assert caught.value.problem == "The metric 'calc_share' needs the crowd's texts and got none."
    assert caught.value.remedy == "Pass MetricInputs(texts=...)."


def test_numbers_are_doubles_whatever_the_texts_count_in() -> None:
    class Whole(Texts):
        def instruction_lengths(self, unit):
            return super().instruction_lengths(unit).astype(np.int32)

    texts = Whole(["one two", "1 + 1"], [])
    for column in ("length", "calc_share"):
        found = build_metric(column)[0](MetricInputs(texts=texts))
        assert found.dtype == np.float64
        assert found.shape == (2,)
