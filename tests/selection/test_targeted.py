"""Selecting for a target, against the rule spelled out."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdselect.errors import InputError
from crowdselect.selection import STRATEGIES, Targets
from crowdselect.selection.strategies.targeted import round_robin
from tests.selection.pools import random_pool


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(0, 3))
def test_each_column_in_turn_takes_its_best_row_that_is_left(seed, columns, first):
    near = np.random.default_rng(seed).integers(0, 6, size=(12, columns)).astype(float)
    order, scores = round_robin(near, 9, first)
    assert order[:first].tolist() == list(range(first))
    left = [x for x in range(12) if x >= first]
    for turn, x in enumerate(order[first:].tolist()):
        column = near[:, turn % columns]
        assert x == max(left, key=lambda i: (column[i], -i))
        assert scores[first + turn] == column[x]
        left.remove(x)


def test_examples_or_tasks_take_turns():
    pool = random_pool(budget=12)
    near = pool.vectors @ pool.targets.vectors.T
    by_example = STRATEGIES["targeted"]()(pool)
    assert by_example.rows[0] == near[:, 0].argmax()
    assert by_example.rows[1] == max(
        (i for i in range(60) if i != by_example.rows[0]), key=lambda i: near[i, 1]
    )
    by_task = STRATEGIES["targeted"](turns="task")(pool)
    assert by_task.rows[0] == near[:, :2].max(axis=1).argmax()
    best = near.max(axis=1)
    assert best[by_task.rows].mean() > best.mean() + 0.2


def test_a_target_draws_the_picks_towards_it():
    pool = random_pool(budget=5)
    mine = Targets(pool.vectors[[7]], ("a",))
    picks = STRATEGIES["targeted"]()(dataclasses.replace(pool, targets=mine))
    assert picks.rows[0] == 7
    assert (np.diff(picks.scores) <= 0).all()


def test_examples_are_asked_for():
    with pytest.raises(InputError, match="needs examples"):
        STRATEGIES["targeted"]()(random_pool(targets=None))
