"""What points can be coloured by: cluster, best model, metrics, judges, tags, own columns."""

from __future__ import annotations

from collections import Counter

import numpy as np

from crowdselect.dashboard import reads
from crowdselect.dashboard.cache import cached
from crowdselect.dashboard.scatter import CategoryColour, Colour, NumberColour
from crowdselect.dashboard.text import shorten
from crowdselect.store import Crowd
from crowdselect.values import Clustering, IntArray, Recipe

CLUSTER = "cluster"
BEST = "best model"
NOTHING = "nothing"
TIED = "tied best"
"""Where several models share the best reward."""
AGREE, TAG = "judges agree", "tag"
DATA = "data: "
"""Columns that came with the instructions begin so."""
MOST_MODELS = 23
"""Models beyond this many share one category, so that colours stay distinct."""


def choices(crowd: Crowd, metrics: list[str], *, clustered: bool) -> list[str]:
    """What the colour control offers, in order."""
    session = reads.session(crowd)
    own = [DATA + name for name in session.own_columns()]
    tagged = session.notes().tags or session.scorer_tags()
    judges = [AGREE] if len(crowd.judges) > 1 else []
    first = [CLUSTER] if clustered else []
    return [*first, BEST, *metrics, *judges, *([TAG] if tagged else []), *own, NOTHING]


def colour_by(crowd: Crowd, recipe: Recipe, choice: str) -> Colour | None:
    """The colouring called ``choice``; None colours nothing."""
    session = reads.session(crowd)
    if choice == CLUSTER:
        clusters = reads.clustering(crowd, recipe)
        return None if clusters is None else by_cluster(clusters)
    if choice == BEST:
        judge = reads.judge_of(crowd, recipe)
        return None if judge is None else _by_best(crowd, judge)
    if choice == NOTHING:
        return None
    if choice == AGREE:
        return NumberColour("Judges agree, rank correlation", session.agreement())
    if choice == TAG:
        tags = {**session.scorer_tags(), **session.notes().tags}
        return CategoryColour.from_labels(
            "First tag", common([(tags.get(str(i)) or ("no tag",))[0] for i in crowd.ids])
        )
    if choice.startswith(DATA):
        return _by_own(crowd, choice.removeprefix(DATA))
    return NumberColour(choice, reads.column(crowd, recipe, choice))


@cached("texts")
def _by_own(crowd: Crowd, name: str) -> Colour:
    """A column of the data: numbers as numbers where there are many, else as categories."""
    values = reads.session(crowd).own_columns()[name]
    distinct = {v for v in values.tolist() if v == v}
    if values.dtype != object and len(distinct) > MOST_MODELS:
        return NumberColour(name, values)
    return CategoryColour.from_labels(name, common([_said(v) for v in values.tolist()]))


def _said(value: object) -> str:
    if value is None or value != value:
        return "none"
    return f"{value:g}" if isinstance(value, float) else shorten(str(value), 40)


def common(labels: list[str]) -> list[str]:
    """The labels, rare ones as one, so that colours stay distinct."""
    counted = Counter(labels)
    kept = {label for label, _ in counted.most_common(MOST_MODELS)}
    return labels if len(kept) == len(counted) else [x if x in kept else "others" for x in labels]


def by_cluster(clusters: Clustering) -> CategoryColour:
    """One category per cluster, and one for rows without a vector where there are any."""
    labels = clusters.labels
    names = clusters.names
    if (labels < 0).any():
        labels = np.where(labels < 0, len(names), labels)
        names = (*names, "unclustered")
    return CategoryColour("Cluster", labels.astype(np.uint16), names)


@cached()
def _by_best(crowd: Crowd, judge: str) -> CategoryColour:
    names = [m.name for m in crowd.models]
    columns, ties = reads.best_model(crowd, judge), reads.best_ties(crowd, judge)
    alone = frequent(np.where(ties == 1, columns, -1), names)
    labels = [TIED if n > 1 else label for n, label in zip(ties.tolist(), alone, strict=True)]
    return CategoryColour.from_labels("Best model", labels)


def frequent(columns: IntArray, names: list[str]) -> list[str]:
    """A label per row: the model's name, ``other models`` for rare ones, or ``no reward``."""
    counts = np.bincount(columns[columns >= 0], minlength=len(names))
    kept = set(np.argsort(-counts, kind="stable")[:MOST_MODELS].tolist())
    shown = [name if i in kept else "other models" for i, name in enumerate(names)]
    return [shown[c] if c >= 0 else "no reward" for c in columns]
