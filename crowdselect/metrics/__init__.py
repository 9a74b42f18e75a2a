"""A crowd in, one number per instruction out. A new metric: one file, one line in METRICS."""

from __future__ import annotations

from crowdselect.metrics.base import Metric, MetricInputs, Profile, why_of
from crowdselect.metrics.best_reward import BestReward
from crowdselect.metrics.calc_share import CalcShare, calc_share, is_calculation
from crowdselect.metrics.columns import ColumnName, column_options, parse_column
from crowdselect.metrics.difficulty import Difficulty
from crowdselect.metrics.families import (
    FamilyCorrelations,
    correlation_blocks,
    families_of,
    family_correlations,
)
from crowdselect.metrics.frontier import Frontier
from crowdselect.metrics.judges import combine_judges
from crowdselect.metrics.just_above import JustAbove
from crowdselect.metrics.learnable import Learnable
from crowdselect.metrics.leave_out import leave_one_out, without_columns
from crowdselect.metrics.length import Length
from crowdselect.metrics.mean_reward import MeanReward
from crowdselect.metrics.min_reward import MinReward
from crowdselect.metrics.n_rewards import NRewards
from crowdselect.metrics.pass_rate import PassRate
from crowdselect.metrics.reward_gap import RewardGap
from crowdselect.metrics.separability import Separability
from crowdselect.metrics.stability import Stability
from crowdselect.ranks import normalise
from crowdselect.registry import Registry, build

METRICS: Registry[type[Metric]] = Registry(
    "metric",
    [
        Difficulty,
        Separability,
        Stability,
        BestReward,
        MeanReward,
        MinReward,
        RewardGap,
        NRewards,
        Length,
        CalcShare,
        Frontier,
        Learnable,
        JustAbove,
        PassRate,
    ],
)

BASE = ("difficulty", "separability", "stability")
"""The paper's three metrics, in the order of its weights."""


def build_metric(column: str) -> tuple[Metric, str | None]:
    """Return the metric and the judge that a column name (``METRIC:OPTION@JUDGE``) asks for."""
    name = parse_column(column)
    plugin = METRICS[name.metric]
    return build(plugin, column_options(plugin, name.options)), name.judge


__all__ = [
    "BASE",
    "METRICS",
    "ColumnName",
    "FamilyCorrelations",
    "Metric",
    "MetricInputs",
    "Profile",
    "build_metric",
    "calc_share",
    "column_options",
    "combine_judges",
    "correlation_blocks",
    "families_of",
    "family_correlations",
    "is_calculation",
    "leave_one_out",
    "normalise",
    "parse_column",
    "why_of",
    "without_columns",
]
