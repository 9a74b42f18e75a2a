"""A mixture of a crowd: the values of a column of its data as groups with shares."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from crowdselect.errors import InputError, NotFoundError
from crowdselect.mixture import Mix
from crowdselect.registry import did_you_mean
from crowdselect.store import Crowd
from crowdselect.values import Clustering

MOST_VALUES = 1_000
NO_VALUE = "(none)"
"""What the group of rows without a value is called; a mixture names it by an empty text."""


def mixed(crowd: Crowd, mix: Mix) -> Clustering:
    """A group per value of the column, the largest first, of equal size by name.

    Raises NotFoundError for a column or value that the data has not, InputError for a column with
    more than MOST_VALUES different values.
    """
    columns = crowd.extra_columns()
    if mix.column not in columns:
        known = did_you_mean(mix.column, columns) if columns else "It keeps no further column."
        raise NotFoundError(f"The crowd {crowd.name} has no column {mix.column!r}.", known)
    values = pd.Series([value_text(value) for value in columns[mix.column].tolist()], dtype=object)
    counts = values.value_counts()
    if len(counts) > MOST_VALUES:
        raise InputError(
            f"The column {mix.column!r} has {len(counts):,} different values.",
            f"Take a column with at most {MOST_VALUES:,} for a mixture.",
        )
    names = sorted(counts.index, key=lambda value: (-int(counts[value]), value))
    unknown = next((value for value in mix.shares if value not in counts.index), None)
    if unknown is not None:
        raise NotFoundError(
            f"No instruction has {unknown!r} in the column {mix.column!r}.",
            did_you_mean(unknown, names),
        )
    label = {name: i for i, name in enumerate(names)}
    shares = {label[name]: mix.shares.get(name, 0.0) for name in names} if mix.shares else {}
    return Clustering(
        ids=crowd.ids,
        labels=values.map(label).to_numpy(np.int64),
        names=tuple(name or NO_VALUE for name in names),
        encoder="",
        seed=0,
        inertia=0.0,
        weights=shares,
    )


def value_text(value: Any) -> str:
    """A value of the data as a mixture names it: 3 and not 3.0; none is an empty text."""
    if value is None or value != value:
        return ""
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return str(value)
