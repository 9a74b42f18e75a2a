"""Numbers, weights and clusters in, a subset out, each row with its reason.

A new strategy: one file in ``strategies/``, one line in STRATEGIES.
"""

from __future__ import annotations

from crowdselect.registry import Registry
from crowdselect.selection.agreement import agreement, alike, consensus
from crowdselect.selection.answers import (
    POLICIES,
    check_policy,
    choose_answers,
    count_ties,
    tie_order,
)
from crowdselect.selection.compare import jaccard
from crowdselect.selection.gate import (
    confidence,
    judges_for,
    passing,
    places,
)
from crowdselect.selection.near import near_duplicates
from crowdselect.selection.normalise import normalise, normalise_sklearn
from crowdselect.selection.pool import MetricTable, Picks, Pool, Targets, Without
from crowdselect.selection.presets import PRESETS, preset_weights
from crowdselect.selection.quota import Shares, resolve_budget
from crowdselect.selection.reselect import Reselector
from crowdselect.selection.robustness import LeftOut, robustness
from crowdselect.selection.strategies.band import Band
from crowdselect.selection.strategies.base import Strategy
from crowdselect.selection.strategies.bottom import Bottom
from crowdselect.selection.strategies.crowdselect import CrowdSelect
from crowdselect.selection.strategies.deita import Deita
from crowdselect.selection.strategies.dpp import Dpp
from crowdselect.selection.strategies.facility_location import FacilityLocation
from crowdselect.selection.strategies.instag import InsTag
from crowdselect.selection.strategies.instag_crowdselect import InsTagCrowdSelect
from crowdselect.selection.strategies.k_center import KCenter
from crowdselect.selection.strategies.length import Length
from crowdselect.selection.strategies.novelsum import NovelSum
from crowdselect.selection.strategies.random import Random
from crowdselect.selection.strategies.random_per_cluster import RandomPerCluster
from crowdselect.selection.strategies.reference import Reference
from crowdselect.selection.strategies.reward_bottom import RewardBottom
from crowdselect.selection.strategies.reward_top import RewardTop
from crowdselect.selection.strategies.robust import Robust
from crowdselect.selection.strategies.targeted import Targeted
from crowdselect.selection.strategies.tilted import Tilted
from crowdselect.selection.strategies.top import Top
from crowdselect.selection.take import Outcome
from crowdselect.selection.ties import id_hashes

STRATEGIES: Registry[type[Strategy]] = Registry(
    "strategy",
    [
        CrowdSelect,
        Robust,
        Random,
        RandomPerCluster,
        Tilted,
        Top,
        Bottom,
        Length,
        Band,
        RewardTop,
        RewardBottom,
        Deita,
        FacilityLocation,
        KCenter,
        Dpp,
        NovelSum,
        Targeted,
        InsTag,
        InsTagCrowdSelect,
        Reference,
    ],
)

__all__ = [
    "POLICIES",
    "PRESETS",
    "STRATEGIES",
    "LeftOut",
    "MetricTable",
    "Outcome",
    "Picks",
    "Pool",
    "Reselector",
    "Shares",
    "Strategy",
    "Targets",
    "Without",
    "agreement",
    "alike",
    "check_policy",
    "choose_answers",
    "confidence",
    "consensus",
    "count_ties",
    "id_hashes",
    "jaccard",
    "judges_for",
    "near_duplicates",
    "normalise",
    "normalise_sklearn",
    "passing",
    "places",
    "preset_weights",
    "resolve_budget",
    "robustness",
    "tie_order",
]
