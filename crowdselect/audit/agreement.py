"""How far judges agree."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from crowdselect.audit.ranks import Ranked, row_correlation, sample_rows
from crowdselect.values import RewardMatrix


def judge_agreement(matrices: Mapping[str, RewardMatrix], *, seed: int = 0) -> pd.DataFrame:
    """Mean over instructions of Spearman's rho between two judges' rewards, judges by judges.

    The question answered: do they order the answers to the same instruction alike? Computed on
    the models both judged, on at most 20,000 instructions (seeded). NaN: never comparable.
    """
    names = list(matrices)
    result = pd.DataFrame(np.eye(len(names)), index=names, columns=names)
    if not names:
        return result
    rows = sample_rows(matrices[names[0]].ids, seed)
    ranked = {name: Ranked.of(matrix.values[rows]) for name, matrix in matrices.items()}
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            rho = row_correlation(ranked[a], ranked[b])
            valid = rho[~np.isnan(rho)]
            value = float(valid.mean()) if len(valid) else np.nan
            result.loc[a, b] = result.loc[b, a] = value
    return result
