"""Robust: rows whose place does not hang on any one model, family or judge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from crowdselect.errors import InputError
from crowdselect.ranks import normalise
from crowdselect.registry import option
from crowdselect.selection.pool import Picks, Pool, Without
from crowdselect.selection.ranking import rank_by
from crowdselect.selection.report import picks
from crowdselect.selection.reselect import active_weights
from crowdselect.selection.strategies.base import Need
from crowdselect.selection.strategies.scored import weighted_parts
from crowdselect.values import FloatArray, IntArray


@dataclass(frozen=True)
class Robust:
    """The rows whose weighted score keeps its place when any one part of the crowd is left out.

    A row's place is the mid-rank of its weighted score over the whole crowd, in [0, 1]. It has one
    with everybody, and one without each model, each family and each judge, the metrics computed
    anew; the worst of them decides. A row that has no score without a part has place 0 there.
    """

    name: ClassVar[str] = "robust"
    title: ClassVar[str] = "Robust"
    summary: ClassVar[str] = (
        "The rows whose weighted place survives leaving any one model, family or judge out."
    )
    source: ClassVar[str] = "Leave-one-out, worst case (maximin); ours"
    needs: ClassVar[frozenset[Need]] = frozenset({"parts"})

    quotas: bool = option(True, "take equally from every cluster")

    def columns(self, weights: Mapping[str, float]) -> tuple[str, ...]:
        """Return the metrics whose weight is not zero."""
        return tuple(active_weights(weights))

    def __call__(self, pool: Pool) -> Picks:
        """Choose ``pool.budget`` rows."""
        if not pool.without:
            raise InputError(
                "The strategy robust leaves models, families and judges out, and there is none "
                "that could be.",
                "Take the strategy crowdselect: it needs no second model or judge.",
            )
        place = normalise(weighted_parts(pool)[0])
        worst, part = worst_places(pool, place)
        eligible, outcome = rank_by(pool, "worst place", worst, quotas=self.quotas)
        rows = outcome.rows
        names = ["with everybody", *(f"without the {w.kind} {w.name}" for w in _in_order(pool))]
        return picks(
            pool,
            eligible,
            outcome,
            {"place": place[rows], "lost at worst": worst[rows] - place[rows]},
            lambda i: (
                f"place {worst[rows[i]]:.3f} at worst, {names[part[rows[i]]]}; "
                f"{place[rows[i]]:.3f} with everybody"
            ),
        )


def worst_places(pool: Pool, place: FloatArray) -> tuple[FloatArray, IntArray]:
    """Return each row's worst place (n,), and where: 0 with everybody, else the part in order.

    ``place`` (n,) is the one with everybody; NaN stays NaN. A part without which no row has a
    score says nothing.
    """
    places = [place]
    for part in _in_order(pool):
        there = normalise(weighted_parts(replace(pool, table=part.table))[0])
        nothing = bool(np.isnan(there).all())
        places.append(np.full(len(pool), np.inf) if nothing else np.nan_to_num(there, nan=0.0))
    found = np.stack(places)
    where = np.argmin(np.nan_to_num(found, nan=np.inf), axis=0)
    return np.where(np.isnan(place), np.nan, found.min(axis=0)), where


def _in_order(pool: Pool) -> list[Without]:
    """The parts in an order that does not depend on the crowd's."""
    return sorted(pool.without, key=lambda part: (part.kind, part.name))
