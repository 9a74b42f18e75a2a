"""Pairs follow the written rule, for any rewards."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from crowdselect.errors import InputError
from crowdselect.finetune import pairs_from_rewards
from crowdselect.finetune.preferences import preference_rows
from crowdselect.lm.messages import user
from tests.crowds import growing, rewards

rewards_of = st.sampled_from([np.nan, -2.0, -0.5, 0.0, 0.25, 1.0, 3.0])


def matrix(values):
    return rewards(values, growing(np.shape(values)[1]))


@given(
    arrays(float, array_shapes(min_dims=2, max_dims=2, max_side=6), elements=rewards_of),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.sampled_from(["worst", "closest", "random"]),
)
def test_every_pair_keeps_the_rule_and_every_possible_pair_is_made(values, margin, worse):
    if not np.isfinite(values).any():
        return
    made = pairs_from_rewards(matrix(values), margin=margin, worse=worse)
    least = margin * np.nanstd(values)
    possible = []
    for row in values:
        finite = row[np.isfinite(row)]
        below = (
            finite[(finite < finite.max()) & (finite.max() - finite >= least)]
            if len(finite)
            else []
        )
        possible.append(len(below) > 0)
    assert list(made.rows) == list(np.flatnonzero(possible))
    assert made.skipped == len(values) - len(made.rows)
    for row, chosen, rejected, gap in zip(
        made.rows, made.chosen, made.rejected, made.margins, strict=True
    ):
        best = np.nanmax(values[row])
        assert values[row, chosen] == best
        assert gap == best - values[row, rejected] > 0
        assert gap >= least
        others = values[row][(values[row] < best) & (best - values[row] >= least)]
        if worse == "worst":
            assert values[row, rejected] == others.min()
        if worse == "closest":
            assert values[row, rejected] == others.max()


def test_a_selection_of_rows_keeps_its_order_and_the_draw_of_a_row_stays():
    values = np.random.default_rng(0).normal(size=(20, 5))
    everything = pairs_from_rewards(matrix(values), margin=0, worse="random", seed=3)
    some = pairs_from_rewards(
        matrix(values), rows=np.array([7, 2, 11]), margin=0, worse="random", seed=3
    )
    assert list(some.rows) == [7, 2, 11]
    assert list(some.ids) == ["i7", "i2", "i11"]
    assert list(some.rejected) == [everything.rejected[r] for r in (7, 2, 11)]
    other = pairs_from_rewards(matrix(values), margin=0, worse="random", seed=4)
    assert list(other.rejected) != list(everything.rejected)


def test_ties_go_to_the_first_model():
    made = pairs_from_rewards(matrix([[1.0, 1.0, 0.0, 0.0]]), margin=0)
    assert (made.chosen[0], made.rejected[0]) == (0, 2)


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="margin"):
        pairs_from_rewards(matrix([[1.0, 0.0]]), margin=-1)
    with pytest.raises(InputError, match="no rewards"):
        pairs_from_rewards(matrix([[np.nan, np.nan]]))


def test_rows_for_the_file_leave_out_missing_and_equal_texts():
    made = pairs_from_rewards(matrix([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]]), margin=0)
    rows = preference_rows(
        made, [(user(t),) for t in "abc"], ["good", "same", None], ["bad", "same", "bad"]
    )
    assert len(rows) == 1
    assert rows[0]["id"] == "i0"
    assert rows[0]["chosen"] == [{"role": "assistant", "content": "good"}]
    assert rows[0]["margin"] == 1.0
