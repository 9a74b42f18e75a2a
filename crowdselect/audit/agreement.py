"""How far judges agree."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from crowdselect.audit.pairs import mean_correlation
from crowdselect.audit.ranks import sample_rows
from crowdselect.values import RewardMatrix


def judge_agreement(matrices: Mapping[str, RewardMatrix], *, seed: int = 0) -> pd.DataFrame:
    """Mean over instructions of Spearman's rho between two judges' rewards, judges by judges.

    The question answered: do they order the answers to the same instruction alike? Computed on
    the models both judged, on at most 20,000 instructions (seeded). NaN: never comparable.
    """
    names = list(matrices)
    if not names:
        return pd.DataFrame(index=names, columns=names, dtype=float)
    rows = sample_rows(matrices[names[0]].ids, seed)
    rho = mean_correlation([matrix.values[rows] for matrix in matrices.values()])
    return pd.DataFrame(rho, index=names, columns=names)
