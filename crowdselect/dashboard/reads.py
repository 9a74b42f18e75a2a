"""Cached reads, shared by all visitors: handles and arrays, keyed by content, bounded in number.

Everything here is read-only; nothing belongs to one visitor.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from crowdselect import audit, pipeline, settings
from crowdselect.dashboard.cache import KEPT, STATES, cached
from crowdselect.dashboard.scatter import PointSet
from crowdselect.errors import CrowdSelectError
from crowdselect.landscape import ENCODERS, ClusterLabels, FastClusters, Vectors, encoder_named
from crowdselect.pipeline import MetricInfo, Session, answers_of
from crowdselect.progress import Progress
from crowdselect.ranks import normalise
from crowdselect.selection import STRATEGIES, Outcome, Picks
from crowdselect.settings import Workspace
from crowdselect.store import Crowd, SearchHits, Where
from crowdselect.values import (
    COMBINED,
    BoolArray,
    Clustering,
    FloatArray,
    IntArray,
    Recipe,
    RewardMatrix,
)

KEPT_CROWDS = 3
MOST_CLUSTERS = 40
MOST_HITS = 5_000
MOST_VALUES = 300
"""A column of text with more different values is none to choose from."""
MOST_NUMBERS = 20
"""A column with more different numbers is asked for by its bounds."""
MEASURED = ("judge", "profile")
"""What a metric depends on."""

_BACKGROUND = ThreadPoolExecutor(1, "crowdselect-reads")
NO_PLANE = -1
"""No seed: vectors do not depend on one."""
_SEEN: set[tuple[str, str, int]] = set()
"""Landscapes that are there: asked for many times per page, and never taken away."""


@st.cache_resource(max_entries=4, show_spinner=False)
def _open_workspace(folder: Path) -> Workspace:
    return settings.open_workspace(folder)


def workspace() -> Workspace:
    """The workspace that this server shows."""
    return _open_workspace(settings.workspace_folder())


def crowd_names() -> list[str]:
    """Names of the crowds there are, sorted."""
    return workspace().crowd_names()


def known_encoders() -> set[str]:
    """Encoders that a link may name: those on the shelf, and those of saved selections."""
    saved = pipeline.list_selections(workspace())
    return {*ENCODERS.names(), *(each.recipe.encoder for each in saved)}


def crowd(name: str) -> Crowd:
    """The crowd called ``name``, opened once per state of its files."""
    return _open_crowd(workspace().root, name, _version(workspace().existing_crowd(name)))


@st.cache_resource(max_entries=KEPT_CROWDS, show_spinner="Opening the crowd")
def _open_crowd(_root: Path, name: str, version: str) -> Crowd:
    opened = pipeline.open_crowd(workspace(), name)
    STATES[opened] = version
    return opened


def _version(folder: Path) -> str:
    """Changes whenever a file that a crowd's numbers come from changes."""
    files = [
        folder / "crowd.duckdb",
        folder / "models.csv",
        *sorted(folder.glob("rewards/[!.]*.parquet")),
        *sorted(folder.glob("scores/[!.]*.parquet")),
        *sorted(folder.glob("tags/[!.]*.parquet")),
    ]
    stats = [(str(f), f.stat().st_mtime_ns, f.stat().st_size) for f in files if f.exists()]
    return repr(stats)


def size(name: str) -> int:
    """How many instructions the crowd has; 0 where it cannot be opened."""
    try:
        return crowd(name).n
    except CrowdSelectError:
        return 0


@cached()
def leaderboard(crowd: Crowd, judge: str) -> pd.DataFrame:
    """See :func:`crowdselect.audit.leaderboard`; of the judges combined their mean places."""
    return audit.leaderboard(rewards(crowd, judge))


def rewards(crowd: Crowd, judge: str) -> RewardMatrix:
    """A judge's rewards; of the judges combined by rank each answer's mean place, in (0, 1]."""
    return _combined(crowd) if judge == COMBINED else crowd.rewards(judge)


@cached(most=KEPT_CROWDS, spinner="Combining the judges")
def _combined(crowd: Crowd) -> RewardMatrix:
    return pipeline.combined_rewards(crowd)


@cached()
def score_reasons(crowd: Crowd, column: str) -> dict[str, str]:
    """Id -> what a scorer said of a sample, why it gave no value for one."""
    return crowd.score_reasons(column)


@cached()
def missing(crowd: Crowd, judge: str) -> tuple[FloatArray, list[int]]:
    """See :func:`crowdselect.audit.missing_share`."""
    return audit.missing_share(rewards(crowd, judge))


@cached("texts", most=KEPT_CROWDS)
def map_points(crowd: Crowd, encoder: str, seed: int, quick: bool = False) -> PointSet:
    """The plane as the scatter draws it; only where :func:`has_landscape` says there is one.

    ``quick``: that of the first look, see :func:`has_first_look`.
    """
    xy = pipeline.plane_of(crowd, encoder, seed, quick=quick).xy
    return PointSet.from_arrays(xy[:, 0], xy[:, 1])


def has_landscape(crowd: Crowd, encoder: str, seed: int) -> bool:
    """Tell whether vectors and plane are computed; pages never compute them themselves."""
    wanted = (crowd.fingerprint, encoder, seed)
    if wanted not in _SEEN and pipeline.has_landscape(crowd, encoder, seed):
        _SEEN.add(wanted)
    return wanted in _SEEN


def has_first_look(crowd: Crowd, seed: int) -> bool:
    """Tell whether a map by word vectors alone is there."""
    wanted = (crowd.fingerprint, "first look", seed)
    if wanted not in _SEEN and pipeline.has_first_look(crowd, seed):
        _SEEN.add(wanted)
    return wanted in _SEEN


def has_vectors(crowd: Crowd, encoder: str) -> bool:
    """Tell whether the instructions are embedded; clusters and likeness need no map."""
    wanted = (crowd.fingerprint, encoder, NO_PLANE)
    if wanted not in _SEEN and pipeline.has_vectors(crowd, encoder):
        _SEEN.add(wanted)
    return wanted in _SEEN


@cached("texts", most=KEPT_CROWDS)
def vectors(crowd: Crowd, encoder: str) -> Vectors:
    """Unit vectors of the instructions, shape (n, d)."""
    return pipeline.vectors(crowd, encoder)


@st.cache_resource(max_entries=KEPT, show_spinner="Reading the question")
def query_vector(encoder: str, text: str) -> Vectors:
    """The unit vector of a text that is no instruction, shape (d,), by the crowd's encoder."""
    vector: Vectors = pipeline.encoder_of(workspace(), encoder)([text])[0]
    return vector


def encodes_single_texts(encoder: str) -> bool:
    """Tell whether a text can be encoded apart from the crowd (LSA needs the whole corpus)."""
    return not encoder_named(encoder).whole_corpus


@cached("texts", most=KEPT_CROWDS, spinner="Preparing the cluster slider")
def _fast(crowd: Crowd, encoder: str, seed: int) -> FastClusters:
    fast = pipeline.fast_clusters(crowd, encoder, seed)
    fast.precompute_in_background(range(2, MOST_CLUSTERS + 1))
    return fast


@cached("texts", most=KEPT_CROWDS)
def _counting(crowd: Crowd) -> Future[ClusterLabels]:
    return _BACKGROUND.submit(pipeline.cluster_labels, crowd)


def prepare_cluster_names(crowd: Crowd) -> None:
    """Have the words of the instructions counted (2 s at 100,000, once) before a slide asks.

    A page calls it when everything on it is drawn.
    """
    _counting(crowd)


def clustering(crowd: Crowd, recipe: Recipe) -> Clustering | None:
    """The clusters of ``recipe``, or None where it has none or nothing is embedded yet."""
    if recipe.mix:
        return session(crowd).clustering(recipe)
    if recipe.clusters == 0 or not has_vectors(crowd, recipe.encoder):
        return None
    if recipe.clustering == "fast":
        _fast(crowd, recipe.encoder, recipe.seed)
    return session(crowd).clustering(recipe)


@cached(most=KEPT_CROWDS)
def session(crowd: Crowd) -> Session:
    """What recipes on ``crowd`` share; the command line goes the same way."""
    return Session(crowd)


def selection_names(crowd: Crowd) -> dict[str, str]:
    """Id -> name of the crowd's saved selections, newest first."""
    return {each.id: each.name for each in pipeline.list_selections(workspace(), crowd.name)}


def cluster_names(clusters: Clustering) -> dict[int, str]:
    """Label -> name; -1 where rows without a vector are."""
    names = dict(enumerate(clusters.names))
    return {**names, -1: "unclustered"} if (clusters.labels < 0).any() else names


def scorer_tags(crowd: Crowd) -> Mapping[str, tuple[str, ...]]:
    """Id -> tags that models gave."""
    return session(crowd).scorer_tags()


@cached(most=KEPT_CROWDS)
def own_columns(crowd: Crowd) -> dict[str, list[Any] | None]:
    """The data's own columns, each with its values; see :func:`column_values`."""
    return {name: column_values(each) for name, each in session(crowd).own_columns().items()}


def column_values(column: np.ndarray[Any, Any]) -> list[Any] | None:
    """What a column can be filtered by: its texts or few numbers, else lowest and highest number.

    Empty: the row has none. None: there are too many texts to choose from.
    """
    if column.dtype == object:
        found = sorted({"" if v is None else str(v) for v in column.tolist()})
        return found if len(found) <= MOST_VALUES else None
    numbers = np.unique(column[~np.isnan(column)])
    if len(numbers) > MOST_NUMBERS:
        return [float(numbers[0]), float(numbers[-1])]
    return [
        *([""] if np.isnan(column).any() else []),
        *(repr(float(n)).removesuffix(".0") for n in numbers),
    ]


@cached("texts", most=KEPT_CROWDS)
def is_demo(crowd: Crowd) -> bool:
    """Tell whether it is the demo crowd of small models."""
    return pipeline.is_demo(crowd)


def judge_of(crowd: Crowd, recipe: Recipe) -> str | None:
    """The judge that ``recipe`` means; None: the crowd has none."""
    return pipeline.judge_of(crowd, recipe.judge)


@cached(most=KEPT_CROWDS)
def metric_infos(crowd: Crowd) -> tuple[MetricInfo, ...]:
    """Every metric that weights and axes may name."""
    return pipeline.available_metrics(crowd)


def column(crowd: Crowd, recipe: Recipe, name: str) -> FloatArray:
    """The metric ``name`` as measured, shape (n,)."""
    return session(crowd).column(name, recipe)


@cached(recipe=MEASURED)
def percentiles(crowd: Crowd, recipe: Recipe, name: str) -> FloatArray:
    """Mid-rank percentile of every row's value of the metric ``name``, in [0, 100]."""
    return normalise(column(crowd, recipe, name)) * 100


def best_model(crowd: Crowd, judge: str) -> IntArray:
    """Column of the best-rewarded response per row, shape (n,); -1: none."""
    return _best(crowd, judge)[0]


def best_ties(crowd: Crowd, judge: str) -> IntArray:
    """How many responses share the best reward per row, shape (n,); 1: one alone, 0: none."""
    return _best(crowd, judge)[1]


@cached()
def _best(crowd: Crowd, judge: str) -> tuple[IntArray, IntArray]:
    rows = np.arange(crowd.n, dtype=np.int64)
    return answers_of(crowd, "best", judge).chosen(rows, 0)


def filtered(crowd: Crowd, recipe: Recipe) -> BoolArray:
    """Rows that the recipe's filters keep, shape (n,). Duplicates are dropped when selecting."""
    return _filtered(crowd, recipe, session(crowd).stamp(recipe))


@cached(recipe=(*MEASURED, "filters", *pipeline.CLUSTERED))
def _filtered(crowd: Crowd, recipe: Recipe, stamp: tuple[Hashable, ...]) -> BoolArray:
    return session(crowd).listed(recipe, recipe.filters)


@cached("texts", spinner="Searching")
def search(crowd: Crowd, words: str, where: Where) -> SearchHits:
    """Rows that hold all the words, at most MOST_HITS."""
    return crowd.search(words, where=where, limit=MOST_HITS)


def build_index(crowd: Crowd, progress: Progress) -> None:
    """Build the crowd's word index; searches after it use it."""
    crowd.build_index(progress)
    search.clear()  # type: ignore[attr-defined]


def picks(crowd: Crowd, recipe: Recipe) -> Picks:
    """What ``recipe`` chooses, with reasons; the same rows as ``crowdselect select``."""
    return _picks(crowd, recipe, session(crowd).stamp(recipe))


@cached()
def _picks(crowd: Crowd, recipe: Recipe, stamp: tuple[Hashable, ...]) -> Picks:
    return session(crowd).picks(recipe)


def outcome(crowd: Crowd, recipe: Recipe) -> Outcome:
    """What ``recipe`` chooses and where it cuts, on the hot path where its strategy has one."""
    if recipe.strategy == "crowdselect":
        return session(crowd).outcome(recipe)
    return picks(crowd, recipe).outcome


def can_pick(crowd: Crowd, recipe: Recipe) -> bool:
    """Tell whether the recipe needs nothing that is still to be embedded."""
    needs = STRATEGIES[recipe.strategy].needs
    embedded = (
        ("clusters" in needs and recipe.clusters > 0 and not recipe.mix)
        or "vectors" in needs
        or recipe.filters.embedded
    )
    if needs_plane(recipe):
        return has_landscape(crowd, recipe.encoder, recipe.seed)
    return not embedded or has_vectors(crowd, recipe.encoder)


def needs_plane(recipe: Recipe) -> bool:
    """Tell whether a lasso decides what may be selected: it needs the map, clusters do not."""
    return "plane" in recipe.filters.needs


@cached("texts", most=KEPT_CROWDS)
def instruction_chars(crowd: Crowd) -> FloatArray:
    """Characters per instruction, shape (n,)."""
    return crowd.texts.instruction_lengths("chars")
