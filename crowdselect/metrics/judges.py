"""Several judges: the same metric under each, combined by rank; raw rewards never mix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from crowdselect.errors import InputError
from crowdselect.metrics.noise import equalise, rounding
from crowdselect.ranks import normalise
from crowdselect.values import FloatArray


def combine_judges(columns: Sequence[FloatArray]) -> FloatArray:
    """Return the mean mid-rank place in [0, 1] of one metric over several judges, shape (n,).

    Each column (n,) is the metric under one judge. Scales of judges differ by orders of magnitude,
    so each is normalised over the rows that this judge scored before they are averaged. A judge
    without a value for a row does not count for that row; a row without any is NaN.
    """
    if not columns:
        raise InputError("There are no judges to combine.", "Give at least one metric column.")
    total = np.zeros(len(columns[0]))
    count = np.zeros(len(columns[0]))
    for column in columns:
        place = normalise(column)
        there = ~np.isnan(place)
        total += np.where(there, place, 0.0)
        count += there
    mean = np.full(len(total), np.nan)
    np.divide(total, count, out=mean, where=count > 0)
    return equalise(mean, rounding(len(columns)))
