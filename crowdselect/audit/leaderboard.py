"""Models by mean reward, with intervals and quantiles."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from scipy import special

from crowdselect.values import RewardMatrix

LEVEL = 0.95
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def leaderboard(matrix: RewardMatrix) -> pd.DataFrame:
    """One row per model, best mean first.

    Columns: ``model``, ``family``, ``size_b`` (billions), ``n`` (rewards), ``mean`` with its 95 %
    Student t interval over instructions ``low`` and ``high``, ``q05`` to ``q95``, and ``best``,
    the share of instructions on which the model has the highest reward (ties count for each).
    Unit of the rewards: the judge's. A model without rewards has NaN everywhere and n = 0.
    """
    # An empty crowd is one row without rewards: the reductions below need a row.
    values = matrix.values if len(matrix.values) else np.full((1, len(matrix.models)), np.nan)
    present = ~np.isnan(values)
    n = present.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a model or a row without rewards
        mean = np.nanmean(values, axis=0)
        error = np.nanstd(values, axis=0, ddof=1) / np.sqrt(n)
        half = error * special.stdtrit(np.maximum(n - 1, 1), (1 + LEVEL) / 2)
        quantiles = np.nanquantile(values, QUANTILES, axis=0)
        top = values == np.nanmax(values, axis=1, keepdims=True)
    rows = max(int(present.any(axis=1).sum()), 1)
    frame = pd.DataFrame(
        {
            "model": [m.name for m in matrix.models],
            "family": [m.family for m in matrix.models],
            "size_b": [np.nan if m.size_b is None else m.size_b for m in matrix.models],
            "n": n,
            "mean": mean,
            "low": mean - half,
            "high": mean + half,
            **{f"q{round(q * 100):02d}": quantiles[i] for i, q in enumerate(QUANTILES)},
            "best": np.where(n > 0, top.sum(axis=0) / rows, np.nan),
        }
    )
    return frame.sort_values("mean", ascending=False, na_position="last", ignore_index=True)
