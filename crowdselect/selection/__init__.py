"""Numbers, weights and clusters in, a subset out, each row with its reason.

A new strategy: one file in ``strategies/``, one line in STRATEGIES.
"""

from __future__ import annotations

from crowdselect.registry import Registry
from crowdselect.selection.near import exact_duplicates, near_duplicates
from crowdselect.selection.normalise import normalise, normalise_sklearn
from crowdselect.selection.pool import MetricTable, Picks, Pool
from crowdselect.selection.quota import resolve_budget, water_fill
from crowdselect.selection.reselect import Reselector
from crowdselect.selection.strategies.base import Strategy
from crowdselect.selection.strategies.crowdselect import CrowdSelect
from crowdselect.selection.take import Outcome

STRATEGIES: Registry[type[Strategy]] = Registry("strategy", [CrowdSelect])

__all__ = [
    "STRATEGIES",
    "MetricTable",
    "Outcome",
    "Picks",
    "Pool",
    "Reselector",
    "Strategy",
    "exact_duplicates",
    "near_duplicates",
    "normalise",
    "normalise_sklearn",
    "resolve_budget",
    "water_fill",
]
