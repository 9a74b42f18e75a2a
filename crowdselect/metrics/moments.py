"""Count, mean and variance per instruction in column passes; rows with too few rewards are NaN.

Means and variances that are equal but for rounding come out equal (:mod:`.noise`).
"""

from __future__ import annotations

import math
from contextlib import AbstractContextManager

import numpy as np

from crowdselect.metrics.base import Profile, blocks, column_order
from crowdselect.metrics.noise import equalise, reward_noise
from crowdselect.values import FloatArray, IntArray, RewardMatrix

MIN_MODELS = 2
MIN_SHARE = 0.5


def count_rewards(values: FloatArray) -> IntArray:
    """Return how many rewards each instruction has, shape (n,)."""
    counts = np.empty(len(values), dtype=np.int64)
    for rows, block in blocks(values):
        counts[rows] = np.count_nonzero(~np.isnan(block), axis=0)
    return counts


def active_models(values: FloatArray) -> IntArray:
    """Return the columns that hold at least one reward."""
    silent = np.arange(values.shape[1])
    for _, block in blocks(values):
        silent = silent[np.isnan(block[silent]).all(axis=1)]
        if not len(silent):
            break
    return np.setdiff1d(np.arange(values.shape[1]), silent)


def required_rewards(values: FloatArray, min_models: int, min_share: float) -> int:
    """Return how many rewards an instruction needs: ``min_models`` and a share of the models.

    Models without any reward from this judge do not count.
    """
    return max(min_models, math.ceil(min_share * len(active_models(values)) - 1e-9))


def needed(rewards: RewardMatrix, profile: Profile, min_models: int, min_share: float) -> int:
    """Return how many rewards an instruction needs under ``profile`` (``reference``: all)."""
    if profile == "reference":
        return len(rewards.models)
    return required_rewards(rewards.values, min_models, min_share)


def row_means(rewards: RewardMatrix, required: int, shift: FloatArray | None = None) -> FloatArray:
    """Return the mean of the rewards that are there, shape (n,); NaN below ``required`` rewards.

    ``shift`` (m,) is subtracted from the columns first.
    """
    means = np.empty(len(rewards.values))
    order = column_order(rewards)
    with unbounded():
        for rows, block in blocks(rewards.values):
            total, count = _sum_and_count(block, order, shift)
            means[rows] = _divide(total, count, required)
    return equalise(finite(means), reward_noise(rewards, shift))


def row_variances(rewards: RewardMatrix, required: int) -> FloatArray:
    """Return the population variance (ddof 0) of the rewards that are there, shape (n,).

    NaN below ``required`` rewards. Two passes per block, so a large common offset costs no digits.
    """
    variances = np.empty(len(rewards.values))
    order = column_order(rewards)
    with unbounded():
        for rows, block in blocks(rewards.values):
            total, count = _sum_and_count(block, order, None)
            mean = _divide(total, count, required)
            squares = np.zeros_like(mean)
            for j in order:
                gap = block[j] - mean
                gap *= gap
                squares += np.where(np.isnan(block[j]), 0.0, gap)
            variances[rows] = _divide(squares, count, required)
    noise, spread = reward_noise(rewards), np.sqrt(finite(variances))
    variances[spread <= noise] = 0.0
    with unbounded():
        # A standard deviation known to +-e is a variance known to +-(2 sd e + e^2).
        return equalise(variances, (2.0 * spread + noise) * noise)


def unbounded() -> AbstractContextManager[object]:
    """Within it, rewards near the largest double may overflow without numpy's warning."""
    return np.errstate(over="ignore", invalid="ignore")


def finite(values: FloatArray) -> FloatArray:
    """Make what overflowed missing, in place: no number can be given, and reports count it."""
    values[np.isinf(values)] = np.nan
    return values


def column_means(values: FloatArray) -> FloatArray:
    """Return each model's mean reward over the crowd, shape (m,); NaN for a model without any.

    Summed exactly, so that the order of the rows changes no bit.
    """
    means = np.full(values.shape[1], np.nan)
    for j, column in enumerate(values.T):
        there = column[~np.isnan(column)]
        if len(there):
            means[j] = math.fsum(there) / len(there)
    return means


def _sum_and_count(
    block: FloatArray, order: IntArray, shift: FloatArray | None
) -> tuple[FloatArray, FloatArray]:
    total = np.zeros(block.shape[1])
    for j in order:
        total += block[j] if shift is None else block[j] - shift[j]
    if not np.isnan(total).any():
        return total, np.full(block.shape[1], float(len(order)))
    total[:] = 0.0
    count = np.zeros(block.shape[1])
    for j in order:
        there = ~np.isnan(block[j])
        total += np.where(there, block[j] if shift is None else block[j] - shift[j], 0.0)
        count += there
    return total, count


def _divide(total: FloatArray, count: FloatArray, required: int) -> FloatArray:
    mean = np.full(len(total), np.nan)
    np.divide(total, count, out=mean, where=count >= max(required, 1))
    return mean
