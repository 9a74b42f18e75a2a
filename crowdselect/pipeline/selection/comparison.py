"""Saved selections side by side: overlap, what differs, clusters, length, responders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from crowdselect.chosen import Selection
from crowdselect.errors import InputError
from crowdselect.pipeline.ingest import open_crowd
from crowdselect.pipeline.landscape import clustering_of
from crowdselect.pipeline.selection.saving import SavedSelection, find_selection, load_selection
from crowdselect.progress import Progress, silent
from crowdselect.settings import Workspace
from crowdselect.store import Crowd
from crowdselect.values import FloatArray, IntArray


@dataclass(frozen=True)
class Comparison:
    """What two or more selections of one crowd share."""

    selections: tuple[SavedSelection, ...]
    jaccard: FloatArray
    """Shape (s, s): size of the intersection over that of the union."""
    shared: IntArray
    """Shape (s, s): size of the intersection."""
    in_all: tuple[str, ...]
    """Ids that every selection holds, in the first one's order."""
    only: tuple[tuple[str, ...], ...]
    """Per selection: ids that no other holds, in rank order."""
    recipe: Mapping[str, tuple[Any, ...]]
    """Recipe fields that differ -> each selection's value."""
    clusters: tuple[Mapping[str, Any], ...]
    """Per cluster of the first selection's clustering: name, pool size, counts per selection."""
    lengths: tuple[Mapping[str, Any], ...]
    """Per selection: mean and median tokens of instructions and responses."""
    responders: tuple[Mapping[str, int], ...]
    """Per selection: model -> rows trained on its response, the most frequent first."""


def compare(workspace: Workspace, keys: Sequence[str], progress: Progress = silent) -> Comparison:
    """Compare saved selections (ids or names) of one crowd.

    Raises InputError for fewer than two, or for selections of several crowds.

    >>> chance = cs.select(crowd, cs.Recipe(crowd="mine", strategy="random", clusters=0, budget=3))
    >>> saved = cs.save_selection(workspace, chance, "by-chance")
    >>> compared = cs.compare(workspace, ["first", "by-chance"])
    >>> float(compared.jaccard[0, 1]), compared.in_all
    (0.2, ('q0',))
    """
    saved = tuple(find_selection(workspace, key) for key in keys)
    if len({s.id for s in saved}) < 2:
        raise InputError("There is nothing to compare.", "Name two or more different selections.")
    crowds = sorted({s.recipe.crowd for s in saved})
    if len(crowds) > 1:
        raise InputError(
            f"The selections come from several crowds: {', '.join(crowds)}.",
            "Compare selections of one crowd.",
        )
    loaded = [load_selection(workspace, s.id) for s in saved]
    sets = [set(s.ids) for s in loaded]
    shared = np.array([[len(a & b) for b in sets] for a in sets], dtype=np.int64)
    union = np.array([[len(a | b) for b in sets] for a in sets], dtype=np.int64)
    others = [set[str]().union(*(s for s in sets if s is not own)) for own in sets]
    crowd = open_crowd(workspace, crowds[0])
    return Comparison(
        selections=saved,
        jaccard=np.divide(shared, union, out=np.ones(shared.shape), where=union > 0),
        shared=shared,
        in_all=tuple(i for i in loaded[0].ids if all(i in s for s in sets)),
        only=tuple(
            tuple(i for i in s.ids if i not in rest) for s, rest in zip(loaded, others, strict=True)
        ),
        recipe=_recipe_differences(loaded),
        clusters=_clusters(crowd, loaded, progress),
        lengths=tuple(dict(s.report.get("length", {})) for s in loaded),
        responders=tuple(_responders(s) for s in loaded),
    )


def _recipe_differences(selections: Sequence[Selection]) -> dict[str, tuple[Any, ...]]:
    dumps = [s.recipe.model_dump(mode="json") for s in selections]
    fields = dict.fromkeys(field for dump in dumps for field in dump)
    found = {field: tuple(dump.get(field) for dump in dumps) for field in fields}
    return {field: said for field, said in found.items() if any(s != said[0] for s in said)}


def _clusters(
    crowd: Crowd, selections: Sequence[Selection], progress: Progress
) -> tuple[dict[str, Any], ...]:
    """Counts by the clusters of the first recipe that has any; none: no clusters."""
    recipe = next((s.recipe for s in selections if s.recipe.grouped), None)
    if recipe is None:
        return ()
    found = clustering_of(crowd, recipe, progress)
    names = {**dict(enumerate(found.names)), -1: "unclustered"}
    counts = [_counts(found.labels[crowd.rows(s.ids)]) for s in selections]
    pool = _counts(found.labels)
    return tuple(
        {
            "cluster": label,
            "name": names[label],
            "pool": pool[label],
            "selected": [count[label] for count in counts],
        }
        for label in sorted(pool, key=lambda c: (c < 0, c))
    )


def _counts(labels: IntArray) -> Counter[int]:
    return Counter(labels.tolist())


def _responders(selection: Selection) -> dict[str, int]:
    counted = Counter(name or "none" for name in selection.models)
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))
