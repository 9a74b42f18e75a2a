"""Ways in which judges go wrong: length, family, copied columns."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from crowdselect.audit.ranks import row_correlation, row_ranks, sample_rows
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
    parts = [
        _length_bias_of(name, matrix.values[rows], lengths[rows])
        for name, matrix in matrices.items()
    ]
    columns = ["judge", "length", "rank", "low", "high", "rho"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def _length_bias_of(judge: str, values: FloatArray, lengths: FloatArray) -> pd.DataFrame:
    rho = row_correlation(values, lengths)
    rank = row_ranks(values)
    valid = ~(np.isnan(rank) | np.isnan(lengths))
    data = pd.DataFrame({"rank": rank[valid], "length": lengths[valid]})
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
    differences: dict[str, list[FloatArray]] = {name: [] for name in names}
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            gap = _rank_gap(matrices[a].values[rows], matrices[b].values[rows])
            differences[a].append(gap)
            differences[b].append(-gap)
    result = pd.DataFrame(index=families, columns=names, dtype=float)
    for name in names:
        gap = np.concatenate(differences[name])
        for family in families:
            cells = gap[:, [j for j, m in enumerate(models) if m.family == family]]
            valid = cells[~np.isnan(cells)]
            result.loc[family, name] = valid.mean() if len(valid) else np.nan
    return result


def _rank_gap(a: FloatArray, b: FloatArray) -> FloatArray:
    common = ~(np.isnan(a) | np.isnan(b))
    gap: FloatArray = row_ranks(np.where(common, a, np.nan)) - row_ranks(
        np.where(common, b, np.nan)
    )
    return gap


def identical_columns(matrices: Mapping[str, RewardMatrix], *, least: int = 10) -> pd.DataFrame:
    """Pairs of models whose rewards by one judge are equal wherever both exist.

    Returns ``judge``, ``model_a``, ``model_b``, ``rows`` compared; only pairs with at least
    ``least`` common rows, not all of one value.
    """
    found = []
    for name, matrix in matrices.items():
        values = matrix.values
        for i in range(values.shape[1]):
            for j in range(i + 1, values.shape[1]):
                common = ~(np.isnan(values[:, i]) | np.isnan(values[:, j]))
                a, b = values[common, i], values[common, j]
                if len(a) >= least and np.array_equal(a, b) and np.ptp(a) > 0:
                    pair = (name, matrix.models[i].name, matrix.models[j].name, len(a))
                    found.append(pair)
    return pd.DataFrame(found, columns=["judge", "model_a", "model_b", "rows"])
