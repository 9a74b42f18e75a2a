"""Cached reads, shared by all visitors: handles and arrays, keyed by content, bounded in number.

Everything here is read-only; nothing belongs to one visitor.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Literal
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
import streamlit as st

from crowdselect import audit, pipeline, settings
from crowdselect.dashboard.scatter import PointSet
from crowdselect.errors import CrowdSelectError
from crowdselect.landscape import ClusterLabels, FastClusters, Vectors, encoder_named
from crowdselect.pipeline.metrics import MetricInfo
from crowdselect.pipeline.selection.answers import answers_of
from crowdselect.pipeline.selection.session import Session
from crowdselect.progress import Progress
from crowdselect.ranks import normalise
from crowdselect.selection import STRATEGIES, Outcome, Picks
from crowdselect.settings import Workspace
from crowdselect.store import Crowd
from crowdselect.store.search import SearchHits, Where
from crowdselect.values import BoolArray, Clustering, FloatArray, IntArray, Recipe

KEPT_CROWDS = 3
KEPT = 24
MOST_CLUSTERS = 40
MOST_HITS = 5_000


_KEYS: WeakKeyDictionary[Crowd, str] = WeakKeyDictionary()
"""Handle -> the state of its files when it was opened."""
_BACKGROUND = ThreadPoolExecutor(1, "crowdselect-reads")
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


def crowd(name: str) -> Crowd:
    """The crowd called ``name``, opened once per state of its files."""
    return _open_crowd(workspace().root, name, _version(workspace().existing_crowd(name)))


@st.cache_resource(max_entries=KEPT_CROWDS, show_spinner="Opening the crowd")
def _open_crowd(_root: Path, name: str, version: str) -> Crowd:
    opened = pipeline.open_crowd(workspace(), name)
    _KEYS[opened] = version
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


def key(crowd: Crowd) -> str:
    """What the numbers of ``crowd`` depend on: content, models and scores."""
    return _KEYS[crowd]


@st.cache_resource(max_entries=KEPT, show_spinner=False)
def _leaderboard(_crowd: Crowd, key: str, judge: str) -> pd.DataFrame:
    return audit.leaderboard(_crowd.rewards(judge))


def leaderboard(crowd: Crowd, judge: str) -> pd.DataFrame:
    """See :func:`crowdselect.audit.leaderboard`."""
    return _leaderboard(crowd, key(crowd), judge)


@st.cache_resource(max_entries=KEPT, show_spinner=False)
def _missing(_crowd: Crowd, key: str, judge: str) -> tuple[FloatArray, list[int]]:
    return audit.missing_share(_crowd.rewards(judge))


def missing(crowd: Crowd, judge: str) -> tuple[FloatArray, list[int]]:
    """See :func:`crowdselect.audit.missing_share`."""
    return _missing(crowd, key(crowd), judge)


@st.cache_resource(max_entries=KEPT_CROWDS, show_spinner=False)
def _points(_crowd: Crowd, fingerprint: str, encoder: str, seed: int) -> PointSet:
    xy = pipeline.plane_of(_crowd, encoder, seed).xy
    return PointSet.from_arrays(xy[:, 0], xy[:, 1])


def map_points(crowd: Crowd, encoder: str, seed: int) -> PointSet:
    """The plane as the scatter draws it; only where :func:`has_landscape` says there is one."""
    return _points(crowd, crowd.fingerprint, encoder, seed)


def has_landscape(crowd: Crowd, encoder: str, seed: int) -> bool:
    """Tell whether vectors and plane are computed; pages never compute them themselves."""
    wanted = (crowd.fingerprint, encoder, seed)
    if wanted not in _SEEN and pipeline.has_landscape(crowd, encoder, seed):
        _SEEN.add(wanted)
    return wanted in _SEEN


@st.cache_resource(max_entries=KEPT_CROWDS, show_spinner=False)
def _vectors(_crowd: Crowd, fingerprint: str, encoder: str) -> Vectors:
    return pipeline.vectors(_crowd, encoder)


def vectors(crowd: Crowd, encoder: str) -> Vectors:
    """Unit vectors of the instructions, shape (n, d)."""
    return _vectors(crowd, crowd.fingerprint, encoder)


@st.cache_resource(max_entries=KEPT, show_spinner="Reading the question")
def query_vector(encoder: str, text: str) -> Vectors:
    """The unit vector of a text that is no instruction, shape (d,), by the crowd's encoder."""
    vector: Vectors = encoder_named(encoder)([text])[0]
    return vector


def encodes_single_texts(encoder: str) -> bool:
    """Tell whether a text can be encoded apart from the crowd (LSA needs the whole corpus)."""
    return not encoder_named(encoder).whole_corpus


@st.cache_resource(max_entries=KEPT_CROWDS, show_spinner="Preparing the cluster slider")
def _fast(_crowd: Crowd, fingerprint: str, encoder: str, seed: int) -> FastClusters:
    fast = pipeline.fast_clusters(_crowd, encoder, seed)
    fast.precompute_in_background(range(2, MOST_CLUSTERS + 1))
    return fast


@st.cache_resource(max_entries=KEPT_CROWDS, show_spinner=False)
def _counting(_crowd: Crowd, fingerprint: str) -> Future[ClusterLabels]:
    return _BACKGROUND.submit(pipeline.cluster_labels, _crowd)


def prepare_cluster_names(crowd: Crowd) -> None:
    """Count the words of the instructions in the background (2 s at 100,000), before a slide asks.

    A page calls it when everything on it is drawn.
    """
    _counting(crowd, crowd.fingerprint)


@st.cache_resource(max_entries=4 * MOST_CLUSTERS, show_spinner=False)
def _clustering(
    _crowd: Crowd,
    fingerprint: str,
    encoder: str,
    k: int,
    method: Literal["exact", "fast"],
    seed: int,
) -> Clustering:
    if method == "fast":
        _fast(_crowd, fingerprint, encoder, seed)
    return pipeline.clustering(_crowd, encoder, k, method, seed)


def clustering(crowd: Crowd, recipe: Recipe) -> Clustering | None:
    """The clusters of ``recipe``, or None where it has none or nothing is embedded yet."""
    if recipe.clusters == 0 or not has_landscape(crowd, recipe.encoder, recipe.seed):
        return None
    return _clustering(
        crowd, crowd.fingerprint, recipe.encoder, recipe.clusters, recipe.clustering, recipe.seed
    )


@st.cache_resource(max_entries=KEPT_CROWDS, show_spinner=False)
def _session(_crowd: Crowd, key: str) -> Session:
    return Session(_crowd)


def session(crowd: Crowd) -> Session:
    """What recipes on ``crowd`` share; the command line goes the same way."""
    return _session(crowd, key(crowd))


def judge_of(crowd: Crowd, recipe: Recipe) -> str | None:
    """The judge that ``recipe`` means; None: the crowd has none."""
    return pipeline.judge_of(crowd, recipe.judge)


@st.cache_resource(max_entries=KEPT_CROWDS, show_spinner=False)
def _metric_infos(_crowd: Crowd, key: str) -> tuple[MetricInfo, ...]:
    return pipeline.available_metrics(_crowd)


def metric_infos(crowd: Crowd) -> tuple[MetricInfo, ...]:
    """Every metric that weights and axes may name."""
    return _metric_infos(crowd, key(crowd))


def column(crowd: Crowd, recipe: Recipe, name: str) -> FloatArray:
    """The metric ``name`` as measured, shape (n,)."""
    return session(crowd).column(name, recipe)


@st.cache_resource(max_entries=KEPT, show_spinner=False)
def _percentiles(_crowd: Crowd, key: str, judge: str | None, profile: str, name: str) -> FloatArray:
    recipe = Recipe.parse({"crowd": _crowd.name, "judge": judge, "profile": profile}, "recipe")
    return normalise(column(_crowd, recipe, name)) * 100


def percentiles(crowd: Crowd, recipe: Recipe, name: str) -> FloatArray:
    """Mid-rank percentile of every row's value of the metric ``name``, in [0, 100]."""
    return _percentiles(crowd, key(crowd), recipe.judge, recipe.profile, name)


@st.cache_resource(max_entries=KEPT, show_spinner=False)
def _best_model(_crowd: Crowd, key: str, judge: str) -> IntArray:
    rows = np.arange(_crowd.n, dtype=np.int64)
    return answers_of(_crowd, "best", judge).columns(rows, 0)


def best_model(crowd: Crowd, judge: str) -> IntArray:
    """Column of the best-rewarded response per row, shape (n,); -1: none."""
    return _best_model(crowd, key(crowd), judge)


@st.cache_resource(max_entries=KEPT, show_spinner=False)
def _kept_by(_crowd: Crowd, key: str, recipe: Recipe) -> BoolArray:
    causes = session(_crowd).left_out(recipe)
    out: BoolArray = np.logical_or.reduce([np.zeros(_crowd.n, dtype=bool), *causes.values()])
    return ~out


def filtered(crowd: Crowd, recipe: Recipe) -> BoolArray:
    """Rows that the recipe's filters keep, shape (n,). Duplicates are dropped when selecting."""
    asked = recipe.model_dump(
        include={
            "crowd",
            "judge",
            "profile",
            "filters",
            "encoder",
            "clusters",
            "clustering",
            "seed",
        }
    )
    return _kept_by(crowd, key(crowd), Recipe.model_validate(asked))


@st.cache_resource(max_entries=KEPT, show_spinner="Searching")
def _search(_crowd: Crowd, fingerprint: str, words: str, where: Where) -> SearchHits:
    return _crowd.search(words, where=where, limit=MOST_HITS)


def search(crowd: Crowd, words: str, where: Where) -> SearchHits:
    """Rows that hold all the words, at most MOST_HITS."""
    return _search(crowd, crowd.fingerprint, words, where)


def build_index(crowd: Crowd, progress: Progress) -> None:
    """Build the crowd's word index; searches after it use it."""
    crowd.build_index(progress)
    _search.clear()


@st.cache_resource(max_entries=KEPT, show_spinner=False)
def _picks(_crowd: Crowd, key: str, recipe: Recipe) -> Picks:
    return session(_crowd).picks(recipe)


def picks(crowd: Crowd, recipe: Recipe) -> Picks:
    """What ``recipe`` chooses, with reasons; the same rows as ``crowdselect select``."""
    return _picks(crowd, key(crowd), recipe)


def outcome(crowd: Crowd, recipe: Recipe) -> Outcome:
    """What ``recipe`` chooses and where it cuts, on the hot path where its strategy has one."""
    if recipe.strategy == "crowdselect":
        return session(crowd).outcome(recipe)
    return picks(crowd, recipe).outcome


def can_pick(crowd: Crowd, recipe: Recipe) -> bool:
    """Tell whether the recipe needs nothing that is still to be embedded."""
    needs = STRATEGIES[recipe.strategy].needs
    embedded = (
        ("clusters" in needs and recipe.clusters > 0)
        or "vectors" in needs
        or recipe.filters.embedded
    )
    return not embedded or has_landscape(crowd, recipe.encoder, recipe.seed)


@st.cache_resource(max_entries=KEPT_CROWDS, show_spinner=False)
def _instruction_chars(_crowd: Crowd, fingerprint: str) -> FloatArray:
    return _crowd.texts.instruction_lengths("chars")


def instruction_chars(crowd: Crowd) -> FloatArray:
    """Characters per instruction, shape (n,)."""
    return _instruction_chars(crowd, crowd.fingerprint)
