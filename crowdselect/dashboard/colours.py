"""What points can be coloured by: cluster, best model, or any metric; made once and shared."""

from __future__ import annotations

import numpy as np

from crowdselect.dashboard import reads
from crowdselect.dashboard.cache import cached
from crowdselect.dashboard.scatter import CategoryColour, Colour, Label, NumberColour, PointSet
from crowdselect.store import Crowd
from crowdselect.values import Clustering, IntArray, Recipe

CLUSTER = "cluster"
BEST = "best model"
NOTHING = "nothing"
TIED = "tied best"
"""Where several models share the best reward."""
MOST_MODELS = 23
"""Models beyond this many share one category, so that colours stay distinct."""


def choices(metrics: list[str], *, clustered: bool) -> list[str]:
    """What the colour control offers, in order."""
    return [*([CLUSTER] if clustered else []), BEST, *metrics, NOTHING]


def colour_by(crowd: Crowd, recipe: Recipe, choice: str) -> Colour | None:
    """The colouring called ``choice``; None colours nothing."""
    if choice == CLUSTER:
        clusters = reads.clustering(crowd, recipe)
        return None if clusters is None else by_cluster(clusters)
    if choice == BEST:
        judge = reads.judge_of(crowd, recipe)
        return None if judge is None else _by_best(crowd, judge)
    if choice == NOTHING:
        return None
    return NumberColour(choice, reads.column(crowd, recipe, choice))


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


def cluster_labels(points: PointSet, clusters: Clustering) -> list[Label]:
    """Each cluster's name at its most central point, weighted by its size.

    The median itself may lie where the cluster has no point, between two parts of it.
    """
    result = []
    placed = points.x < 1e29
    for label, name in enumerate(clusters.names):
        rows = np.flatnonzero((clusters.labels == label) & placed)
        if len(rows):
            xs, ys = points.x[rows], points.y[rows]
            central = np.argmin((xs - np.median(xs)) ** 2 + (ys - np.median(ys)) ** 2)
            result.append(Label(float(xs[central]), float(ys[central]), name, float(len(rows))))
    return result
