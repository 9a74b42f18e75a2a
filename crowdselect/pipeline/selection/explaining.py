"""One row in words: what was asked, its metrics with a sentence each, and why it is in or out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crowdselect.errors import CrowdSelectError, NotFoundError
from crowdselect.metrics import METRICS, build_metric, parse_column, why_of
from crowdselect.pipeline.metrics import available_metrics
from crowdselect.pipeline.selection.session import Session
from crowdselect.ranks import normalise
from crowdselect.registry import did_you_mean
from crowdselect.values import Recipe


@dataclass(frozen=True)
class Measured:
    """A metric of one row."""

    metric: str
    value: float
    percentile: float
    """Mid-rank among all rows, from 0 to 100."""
    why: str
    """Empty for a column that was imported."""


@dataclass(frozen=True)
class Explained:
    """What is known of one row under a recipe."""

    id: str
    text: str
    answers: tuple[tuple[str, str | None], ...]
    """Model and response."""
    metrics: tuple[Measured, ...]
    selected: bool
    reason: str
    """Why it is in, or what keeps it out."""


def explain(session: Session, recipe: Recipe, identity: str) -> Explained:
    """Say everything about the row ``identity``; raises NotFoundError with like ids."""
    crowd = session.crowd
    if identity not in crowd.row_of:
        raise NotFoundError(
            f"The crowd {crowd.name} has no instruction {identity!r}.",
            did_you_mean(identity, crowd.ids.tolist()),
        )
    row = crowd.row_of[identity]
    picks = session.picks(recipe)
    (place,) = np.nonzero(picks.rows == row)
    selected = bool(len(place))
    answers = crowd.answers(row)
    return Explained(
        id=identity,
        text=crowd.instruction_texts([row])[0],
        answers=tuple(zip(answers["model"].tolist(), answers["response"].tolist(), strict=True)),
        metrics=tuple(_measured(session, recipe, row)),
        selected=selected,
        reason=picks.reasons[int(place[0])] if selected else _kept_out(session, recipe, row),
    )


def _measured(session: Session, recipe: Recipe, row: int) -> list[Measured]:
    found = []
    for info in available_metrics(session.crowd):
        try:
            column = session.column(info.name, recipe)
        except CrowdSelectError:
            continue  # the crowd has not what it asks for
        if np.isnan(column[row]):
            continue
        ours = parse_column(info.name).metric in METRICS
        found.append(
            Measured(
                info.name,
                float(column[row]),
                float(normalise(column)[row]) * 100,
                why_of(build_metric(info.name)[0].why, column, row) if ours else "",
            )
        )
    return found


def _kept_out(session: Session, recipe: Recipe, row: int) -> str:
    causes = [cause for cause, out in session.pool(recipe).excluded.items() if out[row]]
    if str(session.crowd.ids[row]) in recipe.bans:
        causes.insert(0, "banned")
    return f"left out: {', '.join(causes)}" if causes else "others were scored higher"
