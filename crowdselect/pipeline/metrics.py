"""A crowd -> metric columns: computed ones (cached), imported ones, and those made by models."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from crowdselect import files
from crowdselect.errors import NotFoundError
from crowdselect.metrics import (
    BASE,
    METRICS,
    Metric,
    MetricInputs,
    build_metric,
    combine_judges,
    parse_column,
)
from crowdselect.pipeline.cache import artifact
from crowdselect.progress import Progress, silent
from crowdselect.registry import Option, describe, did_you_mean, options_of
from crowdselect.store import Crowd
from crowdselect.values import COMBINED, FloatArray, Scores

Profile = Literal["paper", "reference"]
LIKES = "likes-"
"""How the names of judges begin that are a base model's likelihoods: no word on quality."""
_VERSION = 3
"""Part of every cache key; raised when a metric's definition changes."""


@dataclass(frozen=True)
class MetricInfo:
    """What can be said about a column before it is computed."""

    name: str
    title: str
    direction: str
    """What a high value means."""
    ends: tuple[str, str]
    range: tuple[float, float]
    unit: str
    source: str
    """Paper and equation, or how an imported column was made."""
    kind: Literal["computed", "imported"]
    judges: tuple[str, ...] = ()
    """Judges for whom ``NAME@JUDGE`` exists; empty: it does not depend on a judge."""
    options: tuple[Option, ...] = ()


def available_metrics(crowd: Crowd) -> tuple[MetricInfo, ...]:
    """Every column that ``metrics`` and a recipe's weights understand for this crowd.

    A metric that needs rewards is left out where the crowd has none.
    """
    judges = (*crowd.judges, *((COMBINED,) if len(crowd.judges) > 1 else ()))
    computed = [
        MetricInfo(
            name=plugin.name,
            title=plugin.title,
            direction=plugin.direction,
            ends=plugin.ends,
            range=plugin.range,
            unit=plugin.unit,
            source=plugin.source,
            kind="computed",
            judges=judges if "rewards" in plugin.needs else (),
            options=options_of(plugin),
        )
        for plugin in METRICS
        if crowd.judges or "rewards" not in plugin.needs
    ]
    return (*computed, *_imported(crowd))


def metrics(
    crowd: Crowd,
    names: Sequence[str] | None = None,
    judge: str | None = None,
    profile: Profile = "paper",
    progress: Progress = silent,
) -> Scores:
    """Compute (or read) metric columns; ``None``: difficulty, separability and stability.

    A name is ``METRIC``, ``METRIC:OPTION``, ``METRIC@JUDGE``, ``METRIC@all`` (ranks combined over
    the judges), or an imported column. ``judge`` is for names without ``@``; None: the crowd's
    first; ``all``: ranks combined. ``profile="reference"`` computes as the published code does.

    Raises NotFoundError for an unknown column or judge, InputError where the crowd lacks what a
    metric needs.

    >>> cs.metrics(crowd, ["difficulty"]).columns["difficulty"].round(2).tolist()
    [-0.4, -0.47, -0.53, -0.6, -0.33, -0.4, -0.8, -0.2]
    """
    wanted = tuple(dict.fromkeys(BASE if names is None else names))
    columns = {}
    for done, name in enumerate(wanted):
        progress(done, len(wanted), f"metric {name}")
        columns[name] = _column(crowd, name, judge, profile)
    progress(len(wanted), len(wanted), "metrics")
    return Scores(crowd.ids, columns)


def quality_judges(crowd: Crowd) -> tuple[str, ...]:
    """The judges that say how good an answer is: all but likelihoods, unless there is nothing else.

    These are what ``all`` combines.
    """
    good = tuple(judge for judge in crowd.judges if not judge.startswith(LIKES))
    return good or crowd.judges


def judge_of(crowd: Crowd, judge: str | None) -> str | None:
    """The judge that ``judge`` means: itself, or the crowd's first; None: there are none.

    Raises NotFoundError for a judge that the crowd does not have.
    """
    if judge is None:
        return crowd.judges[0] if crowd.judges else None
    if judge != COMBINED and judge not in crowd.judges:
        raise NotFoundError(
            f"The crowd {crowd.name} has no judge called {judge!r}.",
            did_you_mean(judge, (*crowd.judges, COMBINED)),
        )
    return judge


def _column(crowd: Crowd, name: str, judge: str | None, profile: Profile) -> FloatArray:
    if parse_column(name).metric not in METRICS:
        return _imported_column(crowd, name)
    metric, own_judge = build_metric(name)
    if "rewards" not in metric.needs:
        # Some options (length:response:best) look at rewards all the same.
        return _computed(crowd, metric, judge_of(crowd, own_judge or judge), profile)
    found = judge_of(crowd, own_judge or judge)
    if found == COMBINED:
        return combine_judges(
            [_computed(crowd, metric, each, profile) for each in quality_judges(crowd)]
        )
    return _computed(crowd, metric, found, profile)


def _computed(crowd: Crowd, metric: Metric, judge: str | None, profile: Profile) -> FloatArray:
    if judge == COMBINED:
        judge = crowd.judges[0]
    models = [(m.name, m.family, m.size_b, m.order) for m in crowd.models]
    depends_on = [_VERSION, crowd.fingerprint, models, describe(metric), judge, profile]
    path = artifact(crowd.cache, "metrics", depends_on, ".parquet")
    kept = _read(path, crowd.n)
    if kept is not None:
        return kept
    rewards = crowd.rewards(judge) if judge is not None else None
    values = metric(MetricInputs(rewards, crowd.texts, profile))
    _keep(path, values)
    return values


def _read(path: Path, n: int) -> FloatArray | None:
    if not path.exists():
        return None
    try:
        values = pq.read_table(path, columns=["value"])["value"].to_numpy()
    except (OSError, KeyError, pa.ArrowException):
        return None
    return values.astype(np.float64) if len(values) == n else None


def _keep(path: Path, values: FloatArray) -> None:
    with files.where_the_disk_allows(), files.write_aside(path) as temporary:
        pq.write_table(pa.table({"value": values}), temporary)


def _imported(crowd: Crowd) -> Iterable[MetricInfo]:
    for name, info in crowd.score_columns().items():
        title = info.title or info.name
        yield MetricInfo(
            name=name,
            title=title if len(info.columns) == 1 else f"{title}: {name}",
            direction=info.direction or "higher = more",
            ends=("lowest", "highest"),
            range=(float("-inf"), float("inf")),
            unit=info.unit,
            source=info.source,
            kind="imported",
        )


def _imported_column(crowd: Crowd, name: str) -> FloatArray:
    known = crowd.score_columns()
    if name not in known:
        raise NotFoundError(
            f"The crowd {crowd.name} has no metric or score column called {name!r}.",
            did_you_mean(name, (*METRICS.names(), *known)),
        )
    return crowd.read_scores(name).columns[name]
