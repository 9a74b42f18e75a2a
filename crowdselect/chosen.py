"""What a recipe chose: a selection, as arrays, as a table and as rows to train on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa

from crowdselect.errors import InputError, require
from crowdselect.values import FloatArray, IdArray, IntArray, Recipe

if TYPE_CHECKING:
    import pandas as pd

CONTRIBUTION = "contribution_"
"""What a column of contributions begins with; the metric's name follows."""


class TrainingRows(Protocol):
    """What knows the texts: a selection in a format of ``FORMATS``, as its file would hold it."""

    def __call__(self, selection: Selection, form: str, options: Mapping[str, Any]) -> pa.Table:
        """One row per example, in rank order."""


@dataclass(frozen=True)
class Selection:
    """A recipe's outcome: the chosen rows in rank order, each with its reason."""

    recipe: Recipe
    ids: IdArray
    """Shape (b,), rank order."""
    scores: FloatArray
    """Shape (b,): the weighted sum (or the strategy's own score), rounded to 12 decimals."""
    contributions: Mapping[str, FloatArray]
    """Per metric: weight times normalised value, shape (b,); they add up to the score."""
    clusters: IntArray
    """Shape (b,)."""
    reasons: tuple[str, ...]
    """One sentence per row: why it is in."""
    models: tuple[str | None, ...]
    """Whose response is trained on."""
    report: Mapping[str, Any] = field(default_factory=dict)
    """Counts: pool, eligible, per-cluster take, tie block at the cut, warnings ..."""
    training_rows: TrainingRows | None = field(default=None, repr=False, compare=False)
    """Reads the crowd's texts; None: a selection that was made by hand."""

    def to_table(self) -> pa.Table:
        """The rows as an Arrow table, in rank order: what ``selection.parquet`` holds."""
        columns = {
            "rank": pa.array(np.arange(1, len(self.ids) + 1)),
            "id": pa.array([str(i) for i in self.ids], pa.string()),
            "score": pa.array(self.scores, pa.float64()),
            "cluster": pa.array(self.clusters, pa.int64()),
            "model": pa.array(self.models, pa.string()),
            "reason": pa.array(self.reasons, pa.string()),
        }
        for name, values in self.contributions.items():
            columns[CONTRIBUTION + name] = pa.array(values, pa.float64())
        return pa.table(columns)

    def to_frame(self) -> pd.DataFrame:
        """The rows as a pandas DataFrame, in rank order.

        Columns: ``rank`` (1 = the best), ``id``, ``score``, ``cluster``, ``model`` (whose response
        is trained on), ``reason``, and ``contribution_METRIC`` per metric.

        >>> selection.to_frame()[["rank", "id", "model"]]
           rank  id     model
        0     1  q4  other-3b
        1     2  q0  other-3b
        2     3  q7  other-3b
        """
        frame: pd.DataFrame = self.to_table().to_pandas()
        return frame

    def to_dataset(self, form: str = "messages", **options: Any) -> Any:
        """The rows to train on as a ``datasets.Dataset``, in rank order.

        ``form`` is a format of ``export`` and ``options`` are its own: the rows are those that
        ``export`` would write to its file. Selected instructions without a response are left out.

        Raises MissingDependencyError without the extra ``hub``; InputError for an unknown format or
        where there is no response to train on.

        >>> dataset = selection.to_dataset("alpaca")
        >>> dataset[0]["instruction"], dataset[0]["output"]
        ('Question 4', 'other-3b answers 4')
        """
        require("datasets", feature="A selection as a dataset", extra="hub")
        from datasets import Dataset

        if self.training_rows is None:
            raise InputError(
                "This selection knows no crowd whose texts could be read.",
                "Take one that select or load_selection gave.",
            )
        return Dataset(self.training_rows(self, form, options))
