"""Rank correlation between model size and reward inside each family, for every instruction."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from crowdselect.metrics.base import blocks
from crowdselect.ranks import DECIMALS
from crowdselect.values import FloatArray, IntArray, RewardMatrix

Ties = Literal["average", "reference"]
Counts = npt.NDArray[np.int32]
Whole = npt.NDArray[Any]


@dataclass(frozen=True)
class Family:
    """One family's columns from the smallest model to the largest."""

    name: str
    columns: IntArray
    sizes: FloatArray


@dataclass(frozen=True)
class FamilyCorrelations:
    """Spearman's rho of every instruction and family, for histograms and reports."""

    families: tuple[str, ...]
    rho: FloatArray
    """Shape (n, families); NaN where a family has fewer than two usable rewards."""
    members: Counts
    """Shape (n, families): how many models of the family have a reward."""
    constant: tuple[int, ...]
    """Per family: instructions on which all of its (at least two) models have one reward."""


def families_of(rewards: RewardMatrix) -> tuple[Family, ...]:
    """Return the families that can be ranked: at least two models of differing known sizes.

    Inside a family models stand from small to large; equal sizes keep their column order. Families
    are sorted by name.
    """
    members: dict[str, list[int]] = {}
    for j, model in enumerate(rewards.models):
        if model.family is not None and model.size_b is not None:
            members.setdefault(model.family, []).append(j)

    def size(j: int) -> tuple[float, int, str]:
        model = rewards.models[j]
        return (float(model.size_b or 0.0), model.order, model.name)

    families = []
    for name in sorted(members):
        columns = sorted(members[name], key=size)
        sizes = np.array([rewards.models[j].size_b for j in columns], dtype=np.float64)
        if len(np.unique(sizes)) > 1:
            families.append(Family(name, np.array(columns), sizes))
    return tuple(families)


def family_correlations(rewards: RewardMatrix, ties: Ties = "average") -> FamilyCorrelations:
    """Return Spearman's rho between size and reward per instruction and family.

    ``average``: ties share their average rank (as ``scipy.stats.spearmanr``), missing rewards are
    left out, a family whose rewards are all equal has rho 0 ("no evidence") and is counted.
    ``reference``: as the published code, ordinal ranks in which a tie goes to the larger model and
    a missing reward ranks best.
    """
    families = families_of(rewards)
    n = len(rewards.values)
    rho = np.empty((n, len(families)), order="F")
    members = np.empty((n, len(families)), dtype=np.int32, order="F")
    constant = np.zeros(len(families), dtype=np.int64)
    for rows, part in correlation_blocks(rewards, ties):
        rho[rows], members[rows] = part.rho, part.members
        constant += part.constant
    names = tuple(f.name for f in families)
    return FamilyCorrelations(names, rho, members, tuple(constant.tolist()))


def correlation_blocks(
    rewards: RewardMatrix, ties: Ties = "average"
) -> Iterator[tuple[slice, FamilyCorrelations]]:
    """Yield what :func:`family_correlations` returns, block by block of the rows."""
    families = families_of(rewards)
    names = tuple(f.name for f in families)
    for rows, block in blocks(rewards.values):
        rho = np.empty((block.shape[1], len(families)), order="F")
        members = np.empty(rho.shape, dtype=np.int32, order="F")
        constant = [0] * len(families)
        for f, family in enumerate(families):
            values = [block[j] for j in family.columns]
            if ties == "reference":
                rho[:, f] = _ordinal_rho(values)
                members[:, f] = len(values)
            else:
                rho[:, f], members[:, f], constant[f] = _average_rho(values, family.sizes)
        yield rows, FamilyCorrelations(names, rho, members, tuple(constant))


def _average_rho(values: list[FloatArray], sizes: FloatArray) -> tuple[FloatArray, Counts, int]:
    """Spearman's rho of each instruction, its number of rewards, and how many are constant.

    Twice a centred average rank is a whole number, ``d_i = sum_j sign(x_i - x_j)``; comparisons
    with NaN are false, so missing rewards drop out by themselves. rho is Pearson's correlation of
    d with e, the same of the sizes: exact whole numbers up to the last division.
    """
    k, n = len(values), len(values[0])
    there = [x == x for x in values]
    complete = all(t.all() for t in there)
    kind: Any = np.int8 if k <= 127 else np.int64
    d = np.zeros((k, n), dtype=kind)
    e = np.zeros((k, 1 if complete else n), dtype=kind)
    for i, j in itertools.combinations(range(k), 2):
        sign = (values[j] > values[i]).view(np.int8) - (values[j] < values[i]).view(np.int8)
        d[j] += sign
        d[i] -= sign
        if sizes[j] > sizes[i]:
            both = 1 if complete else (there[i] & there[j]).view(np.int8)
            e[j] += both
            e[i] -= both
    own, size, together = _products(d, e)
    flat = (own == 0) & (size > 0)
    scale = np.sqrt(own.astype(np.float64) * size)
    scale[flat] = 1.0
    rho = np.divide(together, scale, out=np.full(n, np.nan), where=size > 0)
    count = np.full(n, k, dtype=np.int32)
    if not complete:
        count = np.sum(there, axis=0, dtype=np.int32)
    return np.round(rho, DECIMALS) + 0.0, count, int(np.count_nonzero(flat))


def _products(d: Whole, e: Whole) -> tuple[Whole, Whole, Whole]:
    """Return d.d, e.e and d.e over the first axis, without overflow."""
    kind: Any = np.int16 if len(d) <= 30 else np.int64  # k * (k - 1)^2 fits
    d, e = d.astype(kind), e.astype(kind)
    own, size, together = d[0] * d[0], e[0] * e[0], d[0] * e[0]
    for a, b in zip(d[1:], e[1:], strict=True):
        own += a * a
        size += b * b
        together += a * b
    return own, size, together


def _ordinal_rho(values: list[FloatArray]) -> FloatArray:
    """Spearman's rho of ordinal ranks: a tie goes to the later (larger) model, NaN ranks best."""
    k = len(values)
    filled = [np.where(np.isnan(x), np.inf, x) for x in values]
    d = np.zeros((k, len(values[0])))
    for i, j in itertools.combinations(range(k), 2):
        sign = np.where(filled[i] > filled[j], -1.0, 1.0)
        d[j] += sign
        d[i] -= sign
    places = 2.0 * np.arange(k) - (k - 1)
    rho: FloatArray = (places[:, None] * d).sum(axis=0) / float(places @ places)
    return np.round(rho, DECIMALS) + 0.0
