"""The analysis of a ranking, against counting by hand."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdselect.scoring import analyse

N = 20
FINAL = np.arange(N, 0, -1.0)
LENGTHS = np.arange(N, dtype=np.float64) * 10
CALCULATION = np.arange(N) < 3


def test_tenths_and_budgets():
    found = analyse(FINAL, {"final": FINAL}, LENGTHS, CALCULATION)
    assert found.n == N
    assert [s.n for s in found.ranks] == [2] * 10
    assert [s.n for s in found.budgets] == [2 * k for k in range(1, 11)]
    assert [s.calc_share for s in found.ranks[:3]] == [1.0, 0.5, 0.0]
    assert found.ranks[1].mean_length == 25
    assert found.budgets[4].calc_share == pytest.approx(0.3)
    assert found.budgets[-1].mean_length == LENGTHS.mean()
    assert found.budgets[1].mean_score == pytest.approx(18.5)


def test_contributions_and_overlaps():
    token = FINAL[::-1].copy()
    half = FINAL.copy()
    half[[0, 1]] = 0  # two of the best four fall out, rows 4 and 5 follow
    levels = {"token": token, "sentence": half, "final": FINAL}
    found = analyse(FINAL, levels, LENGTHS, CALCULATION)
    assert found.contributions == {"token": 0.0, "sentence": 0.5, "final": 1.0}
    assert found.overlaps == {
        "token & sentence": 0.0,
        "token & final": 0.0,
        "sentence & final": pytest.approx(2 / 6),
    }


@given(st.lists(st.one_of(st.floats(-5, 5), st.just(float("nan"))), max_size=40))
def test_every_scored_row_is_in_one_tenth(values):
    final = np.array(values, dtype=np.float64)
    lengths = np.ones(len(final))
    found = analyse(final, {"final": final}, lengths, lengths > 0)
    scored = int((~np.isnan(final)).sum())
    assert sum(s.n for s in found.ranks) == found.budgets[-1].n == found.n == scored
    means = [s.mean_score for s in found.ranks if s.n]
    assert all(a >= b for a, b in pairwise(means))
