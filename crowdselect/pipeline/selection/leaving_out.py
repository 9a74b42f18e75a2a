"""A crowd's metrics as they were without one model, one family or one judge.

The one home of leaving out: :func:`robustness` compares what is selected without each part, the
strategy ``robust`` selects what stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from crowdselect.metrics import (
    METRICS,
    MetricInputs,
    build_metric,
    combine_judges,
    leave_one_out,
    parse_column,
    without_columns,
)
from crowdselect.pipeline.metrics import judge_of, metrics, quality_judges
from crowdselect.progress import Progress, silent
from crowdselect.selection import MetricTable, Without
from crowdselect.store import Crowd
from crowdselect.values import COMBINED, FloatArray, Recipe, RewardMatrix, Scores


@dataclass(frozen=True)
class Part:
    """What can be left out of a crowd."""

    kind: Literal["model", "family", "judge"]
    name: str
    gone: frozenset[str] = frozenset()
    """Names of the models that go with it."""


def parts_of(crowd: Crowd, recipe: Recipe, out: Sequence[Part] = ()) -> list[Part]:
    """What can be left out of a crowd in which the parts ``out`` are missing already.

    Of judges those that the recipe goes by, as long as another one is left.
    """
    judge = judge_of(crowd, recipe.judge)
    if judge is None:
        return []
    rewards = _without(crowd.rewards(crowd.judges[0] if judge == COMBINED else judge), _gone(out))
    here = {m.name for m in rewards.models}
    found = [
        Part(kind, name, frozenset(here - {m.name for m in rest.models}))
        for kind, name, rest in leave_one_out(rewards)
    ]
    left = [name for name in quality_judges(crowd) if name not in _judges(out)]
    mine = left if judge == COMBINED or judge in _judges(out) else [judge]
    # A judge that says nothing of quality may be left out too: the others take its place.
    if set(left) - {mine[0]} and len(crowd.judges) > 1:
        found += [Part("judge", name) for name in mine]
    return found


def tables_without(
    crowd: Crowd,
    recipe: Recipe,
    names: Sequence[str],
    out: Sequence[Part] = (),
    progress: Progress = silent,
) -> list[Without]:
    """The metric columns ``names`` without each part that :func:`parts_of` finds."""
    parts = parts_of(crowd, recipe, out)
    found = []
    for done, part in enumerate(parts):
        progress(done, len(parts), f"metrics without {part.name}")
        table = table_without(crowd, recipe, names, (*out, part))
        found.append(Without(part.kind, part.name, table))
    return found


def table_without(
    crowd: Crowd, recipe: Recipe, names: Sequence[str], out: Sequence[Part]
) -> MetricTable:
    """The metric columns ``names`` of the crowd without the parts ``out``.

    Rewards of models and families are removed and the metrics computed anew. Without a judge its
    metrics come from the other judges, ranks combined. What depends on no reward stays.
    """
    columns = {name: _column(crowd, name, recipe, out) for name in names}
    return MetricTable(
        Scores(crowd.ids, columns), profile=recipe.profile, impute_missing=recipe.impute_missing
    )


def _column(crowd: Crowd, column: str, recipe: Recipe, out: Sequence[Part]) -> FloatArray:
    computed = parse_column(column).metric in METRICS
    metric, own_judge = build_metric(column) if computed else (None, None)
    if metric is None or metric.needs != {"rewards"}:
        return metrics(crowd, [column], recipe.judge, recipe.profile).columns[column]
    judge = judge_of(crowd, own_judge or recipe.judge)
    judges = quality_judges(crowd) if judge in (None, COMBINED) else (str(judge),)
    lost = _judges(out)
    if lost:
        others = tuple(j for j in quality_judges(crowd) if j not in lost)
        judges = tuple(j for j in judges if j not in lost) or others
    values = [
        metric(MetricInputs(_without(crowd.rewards(j), _gone(out)), crowd.texts, recipe.profile))
        for j in judges
    ]
    return values[0] if len(values) == 1 and judge != COMBINED else combine_judges(values)


def _gone(out: Sequence[Part]) -> frozenset[str]:
    return frozenset().union(*(part.gone for part in out))


def _judges(out: Sequence[Part]) -> frozenset[str]:
    return frozenset(part.name for part in out if part.kind == "judge")


def _without(rewards: RewardMatrix, gone: frozenset[str]) -> RewardMatrix:
    return without_columns(rewards, gone) if gone else rewards
