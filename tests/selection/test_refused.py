"""What a strategy or a pool refuses, and what it says can be done."""

import numpy as np
import pytest

from crowdselect.errors import InputError
from crowdselect.selection import STRATEGIES
from tests.selection.test_said import pool

REFUSALS = [
    (
        "instag",
        {"tags": None},
        "The strategy 'instag' needs tags and this crowd has none.",
        (
            "Let a model tag them (crowdselect score CROWD -s instag), or go by those "
            "that people gave: -o by_hand=true."
        ),
    ),
    (
        "instag_crowdselect",
        {"tags": None},
        "The strategy 'instag_crowdselect' needs tags and this crowd has none.",
        (
            "Let a model tag them (crowdselect score CROWD -s instag_crowdselect), or go by those "
            "that people gave: -o by_hand=true."
        ),
    ),
    (
        "reference",
        {"clusters": None},
        "The strategy 'reference' needs clusters.",
        "Set clusters to 10.",
    ),
    (
        "deita",
        {"vectors": None},
        "The strategy 'deita' needs embeddings and there are none.",
        "Compute the landscape first: `crowdselect landscape CROWD`.",
    ),
    (
        "top",
        {"pins": np.arange(4)},
        "4 instructions are pinned, but the budget is 3.",
        "Raise the budget or take back some pins.",
    ),
    (
        "crowdselect",
        {"weights": {"difficulty": float("nan")}},
        "The weight of difficulty is nan.",
        "Give a finite number.",
    ),
    (
        "crowdselect",
        {"weights": {"difficulty": 0.0}},
        "Every weight is zero, so no instruction is better than another.",
        "Give at least one metric a weight, or use the strategy 'random'.",
    ),
    (
        "top",
        {"budget": 1.5},
        "The budget is 1.5.",
        "Give a whole number >= 0, or a share of the eligible instructions between 0 and 1.",
    ),
]


@pytest.mark.parametrize(("name", "fields", "problem", "remedy"), REFUSALS)
def test_what_is_refused_is_said_with_what_to_do(name, fields, problem, remedy) -> None:
    with pytest.raises(InputError) as caught:
        STRATEGIES[name]()(pool(**fields))
    assert (caught.value.problem, caught.value.remedy) == (problem, remedy)


@pytest.mark.parametrize(
    ("fields", "problem", "remedy"),
    [
        (
            {"pins": np.array([2]), "bans": np.array([1, 2])},
            "The instruction 'id-2' is both pinned and banned.",
            "Take back one of the two.",
        ),
        (
            {"vectors": None, "near_duplicates": 0.9},
            "Dropping near-duplicates needs embeddings and there are none.",
            "Compute the landscape first: `crowdselect landscape CROWD`.",
        ),
        (
            {"excluded": {"filters": np.zeros(3, dtype=bool)}},
            "Pool: excluded['filters'] has 3 rows, the metric table 8.",
            "Give one entry per instruction.",
        ),
    ],
)
def test_a_pool_that_contradicts_itself_is_refused(fields, problem, remedy) -> None:
    with pytest.raises(InputError) as caught:
        pool(**fields)
    assert (caught.value.problem, caught.value.remedy) == (problem, remedy)
