"""Ranks of every pair of judges over the cells that both scored, many rows at a time.

Twenty judges of two hundred models are 190 pairs of four million cells. Rows in which the judges
scored the same models are compared all at once, by one product of matrices. In the others a rank
among the common cells is a running count of them in the order in which a judge has them: each
judge's rows are sorted once, and no pair sorts again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from crowdselect.audit.ranks import CELLS, Ordered
from crowdselect.values import BoolArray, FloatArray

LEAST = 3
"""Common cells of a row below which it is not said how far two judges agree on it."""


@dataclass(frozen=True)
class Alike:
    """Rows in which every judge scored the same models, or none: ``(rows, judges, models)``."""

    ranks: FloatArray
    """Average rank, less the mean rank of its row; 0 where there is no reward."""
    there: BoolArray
    """Whether the row's judges scored the model, shape (rows, models)."""
    judged: FloatArray
    """1 where the judge scored the row, else 0, shape (rows, judges)."""


@dataclass(frozen=True)
class Pair:
    """Judges ``a`` and ``b`` in rows where who was scored differs: ``(models, rows)``."""

    a: int
    b: int
    x: FloatArray
    """Twice the average rank by ``a`` among the cells that both scored; 0 elsewhere."""
    y: FloatArray
    common: npt.NDArray[Any]
    """1 where both scored, else 0."""


def compared(judges: Sequence[FloatArray], *, with_first: bool = False) -> Iterator[Alike | Pair]:
    """Every row of every pair of ``judges``, each (n, m), once: as part of an Alike or a Pair.

    ``with_first``: of the pairs those with the first judge.
    """
    n, m = judges[0].shape
    step = max(1, CELLS // max(m, 1))
    for begin in range(0, n, step):
        values = np.stack([judge[begin : begin + step] for judge in judges], axis=1)
        there: BoolArray = ~np.isnan(values)
        judged: BoolArray = np.logical_or.reduce(there, axis=2)
        anyone: BoolArray = np.logical_or.reduce(there, axis=1)
        alike: BoolArray = ((there == anyone[:, None, :]).all(axis=2) | ~judged).all(axis=1)
        if alike.any():
            yield _alike(values[alike], anyone[alike], judged[alike])
        if not alike.all():
            yield from _pairs(values[~alike], there[~alike], 1 if with_first else len(judges))


def mean_correlation(judges: Sequence[FloatArray], *, with_first: bool = False) -> FloatArray:
    """Mean over rows of Spearman's rho between every two of ``judges``, shape (judges, judges).

    ``with_first``: only what stands in the first row and column counts.

    Each judge is (n, m); a row counts over the cells that both have, where they are three or more
    and neither side is constant. NaN: no such row. The diagonal is 1.
    """
    total = np.zeros((len(judges), len(judges)))
    count = np.zeros_like(total)
    for part in compared(judges, with_first=with_first):
        if isinstance(part, Alike):
            rho = _rho_of_all(part)
            total += np.nansum(rho, axis=0)
            count += (~np.isnan(rho)).sum(axis=0)
        else:
            rho = _rho_of_pair(part)
            total[part.a, part.b] += np.nansum(rho)
            count[part.a, part.b] += (~np.isnan(rho)).sum()
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.triu(total, 1) / np.triu(count, 1)
    values: FloatArray = np.where(np.tri(len(judges), k=-1, dtype=bool), mean.T, mean)
    np.fill_diagonal(values, 1.0)
    return values


def _rho_of_all(part: Alike) -> FloatArray:
    """Spearman's rho of every two judges in every row, shape (rows, judges, judges)."""
    covariance = part.ranks @ part.ranks.transpose(0, 2, 1)
    spread = np.einsum("rjj->rj", covariance)
    with np.errstate(invalid="ignore", divide="ignore"):
        rho: FloatArray = covariance / np.sqrt(spread[:, :, None] * spread[:, None, :])
    rho[part.there.sum(axis=1) < LEAST] = np.nan
    return rho


def _rho_of_pair(part: Pair) -> FloatArray:
    """Spearman's rho in every row, shape (rows,); the sums are whole numbers, and so exact."""
    count = part.common.sum(axis=0, dtype=np.float64)
    mean = count * (count + 1.0) ** 2
    xy, xx, yy = (
        np.einsum("ij,ij->j", left, right) - mean
        for left, right in ((part.x, part.y), (part.x, part.x), (part.y, part.y))
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        rho: FloatArray = xy / np.sqrt(xx * yy)
    rho[count < LEAST] = np.nan
    return rho


def _alike(values: FloatArray, there: BoolArray, judged: BoolArray) -> Alike:
    ordered = [Ordered.of(values[:, j]) for j in range(values.shape[1])]
    twice = np.stack([each.twice() for each in ordered], axis=1)
    mean = there.sum(axis=1)[:, None, None] + 1.0
    ranks = np.where(there[:, None, :] & judged[:, :, None], (twice - mean) / 2.0, 0.0)
    return Alike(ranks, there, judged.astype(float))


def _pairs(values: FloatArray, there: BoolArray, firsts: int) -> Iterator[Pair]:
    rows, judges, m = values.shape
    counts = np.int16 if m < np.iinfo(np.int16).max // 2 else np.int32
    masks = np.ascontiguousarray(there.transpose(1, 2, 0)).astype(counts)
    ordered = [Ordered.of(values[:, j]).by_model() for j in range(judges)]
    running = np.zeros((m + 1, rows), counts)
    for a in range(firsts):
        for b in range(a + 1, judges):
            common = masks[a] * masks[b]
            x, y = (_ranked_among(common, ordered[j], running) for j in (a, b))
            yield Pair(a, b, x, y, common)


def _ranked_among(
    common: npt.NDArray[Any], ordered: Ordered, running: npt.NDArray[Any]
) -> FloatArray:
    """Twice the average rank among the ``common`` cells, by counting them in a judge's order."""
    placed = common.take(ordered.order, mode="clip")
    for k in range(len(placed)):  # along rows of memory: a running sum by numpy takes ten times it
        np.add(running[k], placed[k], out=running[k + 1])
    twice = running.take(ordered.low, mode="clip")
    twice += running.take(ordered.high, mode="clip")
    twice += 1
    twice *= common
    return twice.astype(np.float64)
