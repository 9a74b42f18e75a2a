"""Edits of clusters: what each does, that labels stay whole, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdselect.errors import InputError
from crowdselect.groups import FORMS, Groups, apply_edits, check_edits, leaves_out

LABELS = np.array([0, 1, 0, 2, 3, -1, 0, 0, 2])
START = Groups(LABELS, ("bread", "stars", "code", "law"))


def halves(rows, parts):
    return np.arange(len(rows)) % parts


def edited(*edits: str) -> Groups:
    return apply_edits(START, edits, halves)


def test_merged_clusters_take_the_first_place_and_the_others_move_up():
    found = edited("weight 3 at 2", "cap 1 at 5", "merge 2 0")
    assert found.labels.tolist() == [0, 1, 0, 0, 2, -1, 0, 0, 0]
    assert found.names == ("bread", "stars", "law")
    assert (found.weights, found.caps, found.unnamed) == ({2: 2.0}, {1: 5}, {0})


def test_a_split_keeps_the_number_and_adds_at_the_end():
    found = edited("cap 0 at 9", "split 0 into 2", "rename 4 to Rye \N{BREAD}", "exclude 4")
    assert found.labels.tolist() == [0, 1, 4, 2, 3, -1, 0, 4, 2]
    assert found.names == ("bread", "stars", "code", "law", "Rye \N{BREAD}")
    assert (found.caps, found.unnamed) == ({4: 0}, {0})
    assert edited("split 0 into 2", "merge 0 4").labels.tolist() == LABELS.tolist()


EDIT = st.sampled_from(
    ["merge 0 1", "merge 1 2 0", "split 0 into 2", "weight 1 at 0.5", "cap 0 at 2"]
)


@given(st.lists(EDIT, max_size=5))
def test_every_row_keeps_one_cluster_and_every_cluster_its_name(edits):
    try:
        found = edited(*edits)
    except InputError:
        return
    assert (found.labels == -1).tolist() == (LABELS == -1).tolist()
    assert sorted({*found.labels.tolist()} - {-1}) == list(range(len(found.names)))
    assert {*found.weights, *found.caps, *found.unnamed} <= set(range(len(found.names)))


def test_lines_are_read_strictly():
    assert check_edits(["  merge  0 3 ", *FORMS[1:]]) == FORMS
    for wrong in ("merge 1", "split 2", "rename 1 to ", "exclude -1", "cap 1 at 0.5", "drop 3", ""):
        with pytest.raises(ValueError, match="no edit of clusters"):
            check_edits([wrong])


@pytest.mark.parametrize(
    ("edit", "said"),
    [("merge 0 4", "cluster 4, and there are 0 to 3"), ("split 1 into 2", "with 1 instructions"),
     ("weight 1 at 1.2.3", "no usable weight"), ("exclude 9", "cluster 9")],
)  # fmt: skip
def test_what_cannot_be_done_is_said(edit, said):
    with pytest.raises(InputError, match=said):
        edited(edit)


def test_what_leaves_out():
    assert [leaves_out([form]) for form in (*FORMS, "cap 1 at 0", "cap 1 at 10")] == [
        False, False, False, False, False, True, True, False
    ]  # fmt: skip
