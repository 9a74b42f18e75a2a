"""Which answers solve an instruction, and which models are larger: what three metrics share."""

from __future__ import annotations

from typing import Any

import numpy as np

from crowdselect.metrics.base import column_order
from crowdselect.ranks import DECIMALS, full_reward
from crowdselect.registry import option
from crowdselect.values import BoolArray, FloatArray, RewardMatrix


def solving_reward() -> Any:
    """The option of a metric that says from which reward on an answer solves its instruction."""
    return option(
        float("nan"), "reward that solves; else the judge's full reward, or the median of all"
    )


def solves(rewards: RewardMatrix, least: float) -> FloatArray:
    """1 where an answer solves its instruction, 0 where not, NaN without a reward, shape (n, m).

    ``least`` is the reward that solves; NaN: the judge's full reward, or where its rewards have no
    top that answers reach, the median of all of them.
    """
    values = rewards.values
    if np.isnan(least):
        full = full_reward(values)
        there = values[~np.isnan(values)]
        least = full if full is not None else float(np.median(there)) if len(there) else 0.0
    return np.where(np.isnan(values), np.nan, (values >= least).astype(np.float64))


def share(solved: FloatArray, columns: BoolArray, rewards: RewardMatrix) -> FloatArray:
    """Share of the models ``columns`` (m,) that solve each instruction, shape (n,); NaN: none."""
    order = [j for j in column_order(rewards) if columns[j]]
    part = solved[:, order]
    there = ~np.isnan(part)
    count = there.sum(axis=1)
    total = np.where(there, part, 0.0).sum(axis=1)
    found = np.full(len(solved), np.nan)
    np.divide(total, count, out=found, where=count > 0)
    return np.round(found, DECIMALS)


def sizes(rewards: RewardMatrix) -> FloatArray:
    """Every model's size in billions of parameters, shape (m,); NaN: unknown."""
    return np.array([np.nan if m.size_b is None else m.size_b for m in rewards.models], dtype=float)
