"""Ways in which judges go wrong: length, family, copied columns."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from crowdselect.audit.ranks import Ranked, common_ranks, row_correlation, sample_rows
from crowdselect.values import FloatArray, RewardMatrix

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
    measured = Ranked.of(lengths[rows])
    parts = [
        _length_bias_of(name, matrix.values[rows], measured) for name, matrix in matrices.items()
    ]
    columns = ["judge", "length", "rank", "low", "high", "rho"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def _length_bias_of(judge: str, values: FloatArray, lengths: Ranked) -> pd.DataFrame:
    ranked = Ranked.of(values)
    rho = row_correlation(ranked, lengths)
    rank = ranked.ranks
    valid = ~(np.isnan(rank) | lengths.missing)
    data = pd.DataFrame({"rank": rank[valid], "length": lengths.values[valid]})
    data["tenth"] = pd.qcut(data["length"], TENTHS, duplicates="drop", labels=False)
    groups = data.groupby("tenth", dropna=True)
    frame = groups.agg(
        length=("length", "median"),
        rank=("rank", "mean"),
        sd=("rank", "std"),
        count=("rank", "size"),
    )
    half = 1.96 * frame["sd"].fillna(0.0) / np.sqrt(frame["count"])
    return pd.DataFrame(
        {
            "judge": judge,
            "length": frame["length"],
            "rank": frame["rank"],
            "low": frame["rank"] - half,
            "high": frame["rank"] + half,
            "rho": float(np.nanmean(rho)) if (~np.isnan(rho)).any() else np.nan,
        }
    ).reset_index(drop=True)


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
    ranked = {name: Ranked.of(matrix.values[rows]) for name, matrix in matrices.items()}
    sums = pd.DataFrame(0.0, index=families, columns=names)
    counts = pd.DataFrame(0, index=families, columns=names)
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            ours_a, ours_b = common_ranks(ranked[a], ranked[b])
            gap = ours_a - ours_b
            there = ~np.isnan(gap)
            by_model = np.where(there, gap, 0.0).sum(axis=0), there.sum(axis=0)
            for family in families:
                ours = [j for j, m in enumerate(models) if m.family == family]
                total, count = (float(part[ours].sum()) for part in by_model)
                sums.loc[family, [a, b]] += [total, -total]
                counts.loc[family, [a, b]] += int(count)
    return sums / counts.where(counts > 0)


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
