"""The same rewards without one model or one family, for robustness reports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from crowdselect.values import RewardMatrix

LeftOut = Literal["model", "family", "judge"]


def without_columns(rewards: RewardMatrix, names: frozenset[str]) -> RewardMatrix:
    """Return ``rewards`` without the models called ``names``."""
    keep = [j for j, m in enumerate(rewards.models) if m.name not in names]
    models = tuple(rewards.models[j] for j in keep)
    return replace(rewards, models=models, values=rewards.values[:, keep])


def leave_one_out(rewards: RewardMatrix) -> Iterator[tuple[LeftOut, str, RewardMatrix]]:
    """Yield (``"model"`` or ``"family"``, its name, the rewards without it) for each of them.

    Judges are left out by dropping whole columns; see ``crowdselect.selection.robustness``.
    """
    for model in rewards.models:
        if len(rewards.models) > 1:
            yield "model", model.name, without_columns(rewards, frozenset({model.name}))
    families = sorted({m.family for m in rewards.models if m.family is not None})
    for family in families:
        members = frozenset(m.name for m in rewards.models if m.family == family)
        if len(members) < len(rewards.models):
            yield "family", family, without_columns(rewards, members)
