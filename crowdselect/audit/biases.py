"""Ways in which judges go wrong: length, family, copied columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from crowdselect.audit.pairs import Alike, compared, mean_correlation
from crowdselect.audit.ranks import row_ranks, sample_rows
from crowdselect.values import FloatArray, IntArray, RewardMatrix

TENTHS = 10


def length_bias(
    matrices: Mapping[str, RewardMatrix], lengths: FloatArray, *, seed: int = 0
) -> pd.DataFrame:
    """Rank of the reward among the answers to one instruction, by tenth of answer length.

    ``lengths``: characters per answer, shape (n, m), NaN = no answer. Returns ``judge``,
    ``length`` (median of the tenth), ``rank`` in [0, 1] with its 95 % normal interval ``low`` and
    ``high``, and ``rho``, the judge's mean within-instruction Spearman correlation of reward and
    length. At most 20,000 instructions (seeded).
    """
    first = next(iter(matrices.values()), None)
    rows = np.arange(0) if first is None else sample_rows(first.ids, seed)
    measured = lengths[rows]
    known, code = np.unique(measured, return_inverse=True)  # characters: far fewer than answers
    values = [matrix.values[rows] for matrix in matrices.values()]
    rho = mean_correlation([measured, *values], with_first=True)[0, 1:]
    parts = [
        _by_tenth(name, row_ranks(values[j]).ravel(), known, code.ravel()).assign(rho=rho[j])
        for j, name in enumerate(matrices)
    ]
    columns = ["judge", "length", "rank", "low", "high", "rho"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def _by_tenth(judge: str, rank: FloatArray, known: FloatArray, code: IntArray) -> pd.DataFrame:
    """Mean rank by tenth of length; ``code`` says which of the ``known`` lengths an answer has."""
    valid = ~(np.isnan(rank) | np.isnan(known[code]))
    rank, code = rank[valid], code[valid]
    count = np.bincount(code, minlength=len(known)).astype(float)
    sums = np.bincount(code, rank, len(known)), np.bincount(code, rank * rank, len(known))
    there = count > 0
    tenth = _tenths(known[there], count[there])
    rows = []
    for part in np.unique(tenth):
        ours = np.flatnonzero(there)[tenth == part]
        n, total, squares = (float(each[ours].sum()) for each in (count, *sums))
        spread = max(squares - total * total / n, 0.0) / max(n - 1, 1)
        half = 1.96 * float(np.sqrt(spread / n))
        mean = total / n
        (middle,) = _quantiles(known[ours], count[ours], np.array([0.5]))
        rows.append((judge, middle, mean, mean - half, mean + half))
    return pd.DataFrame(rows, columns=["judge", "length", "rank", "low", "high"])


def _tenths(known: FloatArray, count: FloatArray) -> IntArray:
    """In which tenth of all values each of ``known``, ascending and ``count`` times there, lies."""
    if not len(known):
        return np.empty(0, np.int64)
    edges = np.unique(_quantiles(known, count, np.linspace(0.0, 1.0, TENTHS + 1)))
    return np.maximum(np.searchsorted(edges, known) - 1, 0)


def _quantiles(known: FloatArray, count: FloatArray, at: FloatArray) -> FloatArray:
    """Quantiles of values of which ``known``, ascending, are there ``count`` times each.

    Linear between neighbours, as numpy's.
    """
    ends = np.cumsum(count)
    place = at * (ends[-1] - 1)
    below = np.floor(place)
    low, high = (
        known[np.minimum(np.searchsorted(ends, each, side="right"), len(known) - 1)]
        for each in (below, below + 1)
    )
    between: FloatArray = low + (high - low) * (place - below)
    return between


def family_bias(matrices: Mapping[str, RewardMatrix], *, seed: int = 0) -> pd.DataFrame:
    """How much better a judge ranks a family's answers than the other judges do.

    Families by judges; the mean difference of the within-instruction rank in [0, 1] over the cells
    that both judges scored, averaged over the other judges. Positive: the judge favours the
    family. Empty with fewer than two judges.
    """
    names = list(matrices)
    if len(names) < 2:
        return pd.DataFrame()
    models = matrices[names[0]].models
    families = list(dict.fromkeys(m.family for m in models if m.family is not None))
    rows = sample_rows(matrices[names[0]].ids, seed)
    gaps, cells = _rank_gaps([matrix.values[rows] for matrix in matrices.values()])
    sums = pd.DataFrame(0.0, index=families, columns=names)
    counts = pd.DataFrame(0.0, index=families, columns=names)
    for family in families:
        ours = [j for j, m in enumerate(models) if m.family == family]
        sums.loc[family] = gaps[:, ours].sum(axis=1)
        counts.loc[family] = cells[:, ours].sum(axis=1)
    return sums / counts.where(counts > 0)


def _rank_gaps(judges: Sequence[FloatArray]) -> tuple[FloatArray, FloatArray]:
    """How much higher each judge ranks each model than the others do, and over how many cells.

    Sums over rows and the other judges of the difference of ranks scaled to [0, 1], shape
    (judges, models); rows of one common cell have no ranks.
    """
    gaps = np.zeros((len(judges), judges[0].shape[1]))
    cells = np.zeros_like(gaps)
    for part in compared(judges):
        if isinstance(part, Alike):
            count = part.there.sum(axis=1)
            scaled = part.ranks / np.maximum(count - 1, 1)[:, None, None]
            others = part.judged.sum(axis=1, keepdims=True) - part.judged
            of_all = scaled.sum(axis=1, keepdims=True)  # where a judge scored nothing it adds 0
            gaps += np.einsum("rj,rjm->jm", part.judged * others, scaled)
            gaps -= np.einsum("rj,rjm->jm", part.judged, of_all - scaled)
            cells += (part.judged * others * (count > 1)[:, None]).T @ part.there
        else:
            count = part.common.sum(axis=0, dtype=np.float64)
            gap = (part.x - part.y) @ (0.5 / np.maximum(count - 1.0, 1.0))
            gaps[part.a] += gap
            gaps[part.b] -= gap
            cells[[part.a, part.b]] += part.common @ (count > 1).astype(float)
    return gaps, cells


def identical_columns(matrices: Mapping[str, RewardMatrix], *, least: int = 10) -> pd.DataFrame:
    """Pairs of models whose rewards by one judge are equal wherever both exist.

    Returns ``judge``, ``model_a``, ``model_b``, ``rows`` compared; only pairs with at least
    ``least`` common rows, not all of one value.
    """
    found = []
    for name, matrix in matrices.items():
        values = matrix.values
        for i, j in _alike_at_first(values):
            common = ~(np.isnan(values[:, i]) | np.isnan(values[:, j]))
            a, b = values[common, i], values[common, j]
            if len(a) >= least and np.array_equal(a, b) and np.ptp(a) > 0:
                found.append((name, matrix.models[i].name, matrix.models[j].name, len(a)))
    return pd.DataFrame(found, columns=["judge", "model_a", "model_b", "rows"])


def _alike_at_first(values: FloatArray, rows: int = 64) -> list[tuple[int, int]]:
    """Pairs of columns (i < j) that do not differ in the first rows: few of real rewards."""
    left, right = values[:rows, :, None], values[:rows, None, :]
    differ = ((left != right) & ~np.isnan(left) & ~np.isnan(right)).any(axis=0)
    return [(int(i), int(j)) for i, j in zip(*np.nonzero(np.triu(~differ, 1)), strict=True)]
