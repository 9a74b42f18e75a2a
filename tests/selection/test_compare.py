"""Comparing subsets and leaving one out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdselect.selection import jaccard, robustness

sets = st.sets(st.integers(0, 20))


@given(sets, sets)
def test_jaccard(a, b):
    assert jaccard(a, b) == jaccard(list(b), list(a))
    assert jaccard(a, a) == 1.0
    assert 0.0 <= jaccard(a, b) <= 1.0
    if a | b:
        assert jaccard(a, b) == len(a & b) / len(a | b)


def test_robustness_names_the_most_influential_first():
    base = np.array([1, 2, 3, 4])
    variants = [("model", "m", np.array([1, 2, 3, 4])), ("family", "f", np.array([1, 2, 9, 8]))]
    found = robustness(base, variants)
    assert [(v.name, v.kept) for v in found] == [("f", 2), ("m", 4)]
    assert found[0].jaccard == pytest.approx(2 / 6)
    assert found[1].jaccard == 1.0
