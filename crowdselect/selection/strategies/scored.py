"""A score for strategies that combine scores with diversity, and the vectors they need."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from crowdselect.errors import InputError
from crowdselect.ranks import DECIMALS
from crowdselect.selection.pool import Pool
from crowdselect.selection.reselect import active_weights, weighted_sum
from crowdselect.values import FloatArray


def weighted_parts(pool: Pool) -> tuple[FloatArray, dict[str, FloatArray]]:
    """Return the weighted sum (n,) and per metric what it adds (n,)."""
    active = active_weights(pool.weights)
    columns = [pool.table.normalised(name) for name in active]
    parts = {n: w * c + 0.0 for (n, w), c in zip(active.items(), columns, strict=True)}
    total = weighted_sum(np.stack(columns), list(active.values()))
    return np.round(total, DECIMALS) + 0.0, parts


def weighted_names(weights: Mapping[str, float]) -> tuple[str, ...]:
    """Return the metrics whose weight is not zero; none is fine."""
    return tuple(name for name, weight in sorted(weights.items()) if weight)


def vectors_of(pool: Pool, strategy: str) -> npt.NDArray[np.float32]:
    """Return the pool's vectors, or raise InputError."""
    if pool.vectors is None:
        raise InputError(
            f"The strategy {strategy!r} needs embeddings and there are none.",
            "Compute the landscape first: `crowdselect landscape CROWD`.",
        )
    return pool.vectors
