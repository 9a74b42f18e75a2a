"""Whose response is trained on."""

import numpy as np
import pytest

from crowdselect.errors import InputError, NotFoundError
from crowdselect.selection import choose_answers, count_ties, id_hashes
from crowdselect.values import Model, RewardMatrix
from tests.crowds import growing, rewards

NAN = np.nan
VALUES = np.array([[1.0, 3.0, 3.0, NAN], [NAN, NAN, NAN, NAN], [5.0, NAN, 2.0, 4.0]])
# The third model stands before the second in the fixed order, so it wins their tie.
MODELS = tuple(Model(n, order=o) for n, o in (("a", 0), ("b", 2), ("c", 1), ("d", 3)))
IDS = np.array(["x", "y", "z"], dtype=object)
MATRIX = RewardMatrix("judge", IDS, MODELS, VALUES)


def answers(policy, matrix=MATRIX, seed=42, **kwargs):
    rows = np.arange(len(matrix.ids))
    return choose_answers(matrix, rows, policy, id_hashes(matrix.ids), seed, **kwargs)


def test_best_and_worst_break_ties_by_the_fixed_order():
    assert answers("best").tolist() == [2, -1, 0]
    assert answers("worst").tolist() == [0, -1, 2]


def test_models_that_nobody_described_tie_by_name_and_after_the_others():
    sources = (("b", "guessed"), ("c", "table"), ("a", "unknown"), ("d", "known"))
    models = tuple(Model(n, order=k, source=s) for k, (n, s) in enumerate(sources))
    ties = RewardMatrix("judge", IDS, models, np.ones((3, 4)))
    assert answers("best", ties).tolist() == [1, 1, 1]
    ties.values[:, 1] = 0.0
    assert answers("best", ties).tolist() == [3, 3, 3]
    ties.values[:, 3] = 0.0
    assert answers("best", ties).tolist() == [2, 2, 2]


def test_a_named_model_or_none():
    assert answers("model:d").tolist() == [-1, -1, 3]


def test_only_models_that_answered():
    answered = np.array([[True, True, False, True], [True] * 4, [False, False, True, True]])
    assert answers("best", answered=answered).tolist() == [1, -1, 3]
    assert answers("random", answered=answered)[1] >= 0


@pytest.mark.parametrize(("policy", "least"), [("random", 0), ("top5_random", 5)])
def test_random_policies_are_seeded_per_id_and_uniform(policy, least):
    n, m = 4000, 10
    matrix = rewards(np.tile(np.arange(m, dtype=float), (n, 1)), growing(m))
    found = answers(policy, matrix)
    counts = np.bincount(found, minlength=m)
    assert (counts[:least] == 0).all()
    expected = n / (m - least)
    assert abs(counts[least:] - expected).max() < 5 * np.sqrt(expected)
    np.testing.assert_array_equal(found, answers(policy, matrix))
    assert (found != answers(policy, matrix, seed=7)).mean() > 0.5
    some = np.array([3, 99, 1234])
    np.testing.assert_array_equal(
        choose_answers(matrix, some, policy, id_hashes(matrix.ids), 42), found[some]
    )


def test_unknown_policies():
    with pytest.raises(InputError, match="not an answer policy"):
        answers("finest")
    with pytest.raises(NotFoundError, match="no model 'e'"):
        answers("model:e")


def _tied(n=400, m=5):
    ids = np.array([f"id{i}" for i in range(n)], dtype=object)
    sizes = [1.0, 7.0, None, 70.0, 3.0]
    models = tuple(Model(f"m{j}", size_b=sizes[j], order=j) for j in range(m))
    return RewardMatrix("j", ids, models, np.tile([1.0, 1.0, 1.0, 1.0, 0.0], (n, 1)))


def test_a_draw_decides_between_equals_and_spreads_evenly():
    matrix = _tied(4000)
    found = answers("best", matrix, ties="draw")
    counts = np.bincount(found, minlength=5)
    assert counts[4] == 0
    assert abs(counts[:4] - 1000).max() < 5 * np.sqrt(1000)
    assert (found != answers("best", matrix, seed=7, ties="draw")).mean() > 0.5


def test_a_draw_knows_neither_columns_order_nor_other_rows():
    matrix = _tied()
    found = [matrix.models[j].name for j in answers("best", matrix, ties="draw")]
    turned = RewardMatrix("j", matrix.ids[::-1], matrix.models[::-1], matrix.values[::-1, ::-1])
    again = [turned.models[j].name for j in answers("best", turned, ties="draw")]
    assert again[::-1] == found


def test_the_larger_model_or_what_other_judges_say():
    matrix = _tied(6)
    assert answers("best", matrix, ties="larger").tolist() == [3] * 6
    others = np.tile([0.2, 0.9, NAN, 0.1, 1.0], (6, 1))
    assert answers("best", matrix, ties="judges", others=others).tolist() == [1] * 6
    drawn = answers("best", matrix, ties="draw").tolist()
    assert answers("best", matrix, ties="judges").tolist() == drawn, "there is no other judge"


@pytest.mark.parametrize("ties", ["draw", "judges", "larger", "first"])
def test_a_rule_for_ties_decides_between_equals_only(ties):
    rng = np.random.default_rng(3)
    values = rng.integers(0, 3, (200, 5)).astype(float)
    base = _tied(200)
    matrix = RewardMatrix("j", base.ids, base.models, values)
    for policy, reach in (("best", values.max(axis=1)), ("worst", values.min(axis=1))):
        found = answers(policy, matrix, ties=ties, others=rng.random((200, 5)))
        np.testing.assert_array_equal(values[np.arange(200), found], reach)
        tied = count_ties(values, np.ones(values.shape, dtype=bool), found)
        np.testing.assert_array_equal(tied, (values == reach[:, None]).sum(axis=1))
