"""Put metrics on one scale: exact mid-ranks, or the published scikit-learn chain."""

from __future__ import annotations

import warnings

import numpy as np

from crowdselect.ranks import normalise
from crowdselect.values import FloatArray

__all__ = ["normalise", "normalise_sklearn"]


def normalise_sklearn(values: FloatArray) -> FloatArray:
    """Return the published chain: StandardScaler, MinMaxScaler, QuantileTransformer (uniform).

    With ``n_quantiles = min(n, 1000)`` as published, and ``subsample=None``, because the library's
    default draws 10,000 rows without a seed. Ties at an end are pinned to 0 or 1, a constant column
    gives 0; NaN stays NaN. For comparison with the published code only. Shape (n,), float64.
    """
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler, QuantileTransformer, StandardScaler

    if np.isnan(values).all():
        return np.full(len(values), np.nan)
    chain = make_pipeline(
        StandardScaler(),
        MinMaxScaler(),
        QuantileTransformer(n_quantiles=min(len(values), 1000), subsample=None),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        result = chain.fit_transform(np.asarray(values, dtype=np.float64).reshape(-1, 1))
    return np.asarray(result[:, 0], dtype=np.float64)
