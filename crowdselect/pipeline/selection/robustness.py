"""How much of a selection stays when one model, one family or one judge is left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
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
from crowdselect.pipeline.selection.recipes import strategy_of
from crowdselect.pipeline.selection.session import Session
from crowdselect.progress import Progress, silent
from crowdselect.selection import LeftOut, MetricTable
from crowdselect.selection import robustness as compare_variants
from crowdselect.store import Crowd
from crowdselect.values import COMBINED, FloatArray, Recipe, RewardMatrix, Scores

Kind = Literal["model", "family", "judge"]


@dataclass(frozen=True)
class Robustness:
    """Every leave-one-out comparison of one recipe."""

    selected: int
    """Rows of the full selection."""
    left_out: tuple[LeftOut, ...]
    """What the selection depends on most comes first."""


def robustness(crowd: Crowd | Session, recipe: Recipe, progress: Progress = silent) -> Robustness:
    """Select again without each model, each family and each judge; clusters stay as they are.

    A model's or family's rewards are removed and the metrics computed anew. Without a judge its
    metrics come from the other judges, ranks combined; a crowd with one judge leaves none out.
    Columns that do not depend on rewards stay.
    """
    session = crowd if isinstance(crowd, Session) else Session(crowd)
    pool, strategy = session.pool(recipe, progress), strategy_of(recipe)
    full = strategy(pool).rows
    parts = list(_parts(session.crowd, recipe))
    variants = []
    for done, (kind, name, gone) in enumerate(parts):
        progress(done, len(parts), f"without {name}")
        columns = {
            column: _column(session.crowd, column, recipe, kind, name, gone)
            for column in pool.table.names
        }
        table = MetricTable(
            Scores(session.crowd.ids, columns),
            profile=recipe.profile,
            impute_missing=recipe.impute_missing,
        )
        variants.append((kind, name, strategy(replace(pool, table=table)).rows))
    progress(len(parts), len(parts), "robustness")
    return Robustness(len(full), compare_variants(full, variants))


def _parts(crowd: Crowd, recipe: Recipe) -> Iterator[tuple[Kind, str, frozenset[str]]]:
    """What can be left out: kind, name, and the names of the models that go with it."""
    judge = judge_of(crowd, recipe.judge)
    if judge is None:
        return
    rewards = crowd.rewards(crowd.judges[0] if judge == COMBINED else judge)
    everybody = {m.name for m in rewards.models}
    for kind, name, rest in leave_one_out(rewards):
        yield kind, name, frozenset(everybody - {m.name for m in rest.models})
    if len(crowd.judges) > 1:
        for name in quality_judges(crowd) if judge == COMBINED else (judge,):
            yield "judge", name, frozenset()


def _column(
    crowd: Crowd, column: str, recipe: Recipe, kind: Kind, name: str, gone: frozenset[str]
) -> FloatArray:
    computed = parse_column(column).metric in METRICS
    metric, own_judge = build_metric(column) if computed else (None, None)
    if metric is None or metric.needs != {"rewards"}:
        return metrics(crowd, [column], recipe.judge, recipe.profile).columns[column]
    judge = judge_of(crowd, own_judge or recipe.judge)
    judges = quality_judges(crowd) if judge in (None, COMBINED) else (str(judge),)
    if kind == "judge":
        others = tuple(j for j in quality_judges(crowd) if j != name)
        judges = tuple(j for j in judges if j != name) or others
    values = [
        metric(MetricInputs(_without(crowd.rewards(j), gone), crowd.texts, recipe.profile))
        for j in judges
    ]
    return values[0] if len(values) == 1 and judge != COMBINED else combine_judges(values)


def _without(rewards: RewardMatrix, gone: frozenset[str]) -> RewardMatrix:
    return without_columns(rewards, gone) if gone else rewards
