"""Grades of answers against their definitions, and the answers that many give."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from crowdselect.ranks import best_of, full_reward, normalise
from crowdselect.selection import (
    agreement,
    alike,
    confidence,
    consensus,
    judges_for,
    places,
)

NAN = np.nan
SIDE = st.integers(1, 5)
VALUES = st.sampled_from([NAN, -1.0, 0.0, 0.5, 1.0])
MATRICES = hnp.arrays(np.float64, st.tuples(st.integers(1, 12), st.integers(1, 4)), elements=VALUES)
WORDS = st.sampled_from(["yes", "Yes.", "no", " yes ", "maybe so", "so maybe not", "", None])


@given(MATRICES)
def test_the_best_answer_stands_where_its_instruction_does(rewards):
    grades = places(rewards)
    np.testing.assert_array_equal(np.isnan(grades), np.isnan(rewards))
    np.testing.assert_allclose(best_of(grades), normalise(best_of(rewards)))
    for row, grade in zip(rewards, grades, strict=True):
        order = np.argsort(row, kind="stable")
        assert (np.diff(grade[order][~np.isnan(grade[order])]) >= 0).all()


@settings(max_examples=50)
@given(hnp.arrays(np.float64, st.tuples(st.just(2), SIDE, SIDE), elements=VALUES))
def test_judges_name_their_best(matrices):
    grades = judges_for(list(matrices))
    for i in range(len(grades)):
        for j in range(grades.shape[1]):
            votes = 0
            for rewards in matrices:
                row = rewards[i][~np.isnan(rewards[i])]
                votes += bool(len(row) and row.max() > row.min() and rewards[i, j] == row.max())
            gone = all(np.isnan(rewards[i, j]) for rewards in matrices)
            assert gone == np.isnan(grades[i, j])
            assert gone or grades[i, j] == votes / 2


@given(st.lists(st.lists(WORDS, min_size=3, max_size=3), min_size=1, max_size=6))
def test_agreement_is_the_share_that_says_the_same(rows):
    found = agreement(rows, 3)
    for row, shares in zip(rows, found, strict=True):
        said = [None if not t or not t.strip() else t.strip().lower().rstrip(".") for t in row]
        there = [t for t in said if t is not None]
        expected = [NAN if t is None else there.count(t) / len(there) for t in said]
        np.testing.assert_allclose(shares, expected)
    order = consensus(rows, 3)
    np.testing.assert_array_equal(np.isnan(order), np.isnan(found))
    for first, second in zip(order, found, strict=True):
        best = first == np.nanmax(first, initial=-1)
        assert (second[best] == np.nanmax(second, initial=-1)).all()


def test_consensus_without_two_alike_is_the_most_central():
    row = ["red green blue", "red green yellow", "red blue black", "nothing of it"]
    assert np.argmax(consensus([row], 4)[0]) == 0
    exact = ["Paris", "paris", "paris", "Rome"]
    assert consensus([exact], 4)[0].tolist() == [1, 2, 2, 0]


def test_answers_alike_by_their_vectors():
    vectors = {"a car": [1.0, 0.0], "an automobile": [0.96, 0.28], "a tree": [0.0, 1.0]}

    def encode(texts):
        return np.array([vectors[t] for t in texts], dtype=np.float32)

    row = ["A car.", "an automobile", "a tree", None]
    np.testing.assert_allclose(alike([row], 4, encode, 0.9)[0], [2 / 3, 2 / 3, 1 / 3, NAN])
    np.testing.assert_allclose(alike([row], 4, encode, 0.99)[0], [1 / 3, 1 / 3, 1 / 3, NAN])


def test_confidence_joins_agreement_and_likelihood():
    shares = np.array([[0.75, 0.75, 0.25], [0.5, 0.5, 0.25], [0.75, 0.25, 0.75], [NAN, NAN, NAN]])
    likely = np.array([[-1.0, -3.0, 0.0], [-2.0, -2.0, -9.0], [-5.0, 0.0, -4.0], [NAN, NAN, NAN]])
    grades = confidence(shares, likely)
    assert grades[0].tolist() == [1.0, 1.0, 0.0], "much agreement, and likely"
    assert grades[1, 2] == grades[2, 1] == 0.0
    assert np.isnan(grades[3]).all()
    assert best_of(grades)[0] == 1.0 > best_of(grades)[2]


@pytest.mark.parametrize(
    ("n", "top", "full"), [(100, 50, 1.0), (100, 2, 1.0), (100, 1, None), (300, 2, None)]
)
def test_full_reward_is_a_top_that_one_in_a_hundred_reaches(n, top, full):
    rewards = np.tile([0.1, 0.2, NAN], (n, 1)) + np.arange(n)[:, None] / 1000
    rewards[:top, 0] = 1.0
    assert full_reward(rewards) == full


def test_no_rewards_have_no_top():
    assert full_reward(np.full((3, 2), NAN)) is None
