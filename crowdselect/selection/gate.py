"""How good answers are in the unit of a gate: rewards, agreement or likelihood in, grades out.

Every function returns one grade per answer, shape (n, m), NaN where there is none; an answer is
good enough where its grade reaches the gate's ``at_least``, an instruction where one of its answers
is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from crowdselect.ranks import best_of, normalise
from crowdselect.values import BoolArray, FloatArray


def places(rewards: FloatArray) -> FloatArray:
    """Where each reward stands among all instructions' best rewards, from 0 to 1 (mid-ranks).

    The best answer's grade is the mid-rank of its instruction's best reward.
    """
    best = best_of(rewards)
    known = np.sort(best[~np.isnan(best)])
    if len(known) < 2:
        return np.where(np.isnan(rewards), np.nan, 0.5)
    below = np.searchsorted(known, rewards, side="left")
    upto = np.searchsorted(known, rewards, side="right")
    middle = below + np.maximum(upto - below - 1, 0) / 2
    return np.where(np.isnan(rewards), np.nan, np.minimum(middle / (len(known) - 1), 1.0))


def judges_for(matrices: Sequence[FloatArray]) -> FloatArray:
    """Share of the judges (a matrix of rewards each) that call each answer the best.

    Several answers may be the best of one judge; a judge that rewards all answers of an instruction
    alike calls none the best, but is counted. NaN where no judge rewarded an answer.
    """
    votes = np.zeros(matrices[0].shape)
    for rewards in matrices:
        best = best_of(rewards)[:, None]
        lowest = -best_of(-rewards)[:, None]
        votes += (rewards == best) & (best > lowest)
    rewarded = np.logical_or.reduce([~np.isnan(r) for r in matrices])
    return np.where(rewarded, votes / len(matrices), np.nan)


def confidence(agreement: FloatArray, likelihood: FloatArray) -> FloatArray:
    """Where an instruction stands by agreement and likelihood, from 0 to 1, on its agreed answers.

    The answers that most models agree on are graded by the mid-rank of the mean of two mid-ranks:
    of their agreement, and of the highest likelihood among them. Other answers have grade 0.
    """
    most = best_of(agreement)
    agreed = agreement == most[:, None]
    likely = best_of(np.where(agreed, likelihood, np.nan))
    grade = normalise((normalise(most) + normalise(likely)) / 2)
    there = ~np.isnan(agreement) & ~np.isnan(grade)[:, None]
    return np.where(there, np.where(agreed, grade[:, None], 0.0), np.nan)


def passing(grades: FloatArray, at_least: float) -> BoolArray:
    """Return which answers are good enough, shape (n, m)."""
    return np.asarray(np.nan_to_num(grades, nan=-np.inf) >= at_least)
