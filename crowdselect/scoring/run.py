"""Samples and a scorer -> metric columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from crowdselect.engines import HERE, Pool
from crowdselect.errors import InputError
from crowdselect.lm.passes import Sample
from crowdselect.lm.run import run_pass
from crowdselect.lm.shards import ROWS, shard_folder
from crowdselect.progress import Progress, silent
from crowdselect.registry import describe
from crowdselect.scoring.base import INPUTS, VECTORS, Column, Scorer
from crowdselect.values import FloatArray

Embed = Callable[[Sequence[str]], npt.NDArray[np.floating[Any]]]
"""Texts -> unit vectors, shape (n, d)."""


@dataclass(frozen=True)
class ScoreTable:
    """What a scorer found."""

    ids: tuple[str, ...]
    columns: Mapping[str, Column]
    made: Mapping[str, object]
    """Scorer, options and passes, for the manifest."""
    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Sample id -> tags, where the scorer tags."""
    report: Mapping[str, Any] = field(default_factory=dict)
    """What the scorer says about its columns."""

    @property
    def missing(self) -> dict[str, int]:
        """Column -> samples without a value."""
        return {name: int(np.isnan(c.values).sum()) for name, c in self.columns.items()}

    def frame(self) -> pd.DataFrame:
        """``id``, a column per metric, ``<column>__reason`` and ``tags`` where there are any."""
        data: dict[str, object] = {"id": list(self.ids)}
        for name, column in self.columns.items():
            data[name] = column.values
            if any(column.reasons):
                data[f"{name}__reason"] = list(column.reasons)
        if self.tags:
            data["tags"] = [self.tags.get(i) for i in self.ids]
        return pd.DataFrame(data)


def score(
    samples: Sequence[Sample],
    scorer: Scorer,
    cache: Path,
    progress: Progress = silent,
    *,
    pool: Pool = HERE,
    shard_rows: int = ROWS,
    inputs: Mapping[str, FloatArray] | None = None,
    embed: Embed | None = None,
) -> ScoreTable:
    """Score every sample; passes and shards that ``cache`` holds are not made again.

    ``inputs`` are the crowd's own columns that the scorer asks for, shape (n,) each;
    ``embed`` turns texts into unit vectors, for a scorer that compares meanings.

    Raises InputError for no samples, a missing input or a missing ``embed``, and what the
    scorer's models raise.
    """
    if not samples:
        raise InputError("There is nothing to score.", "Give a crowd or file with responses.")
    given = inputs or {}
    for name in scorer.inputs():
        if name not in given:
            raise InputError(
                f"{scorer.name} computes from the column {name!r}, which is not there.",
                "Score a crowd that has it, or name another column.",
            )
    found: dict[str, Mapping[str, Sequence[Any]]] = {
        INPUTS: {name: values.tolist() for name, values in given.items()}
    }
    for work in scorer.passes():
        shards = shard_folder(cache, work, samples, shard_rows)
        run_pass(work, samples, shards, progress, pool)
        found[work.key] = shards.read()
    if texts := scorer.texts(samples, found):
        if embed is None:
            raise InputError(f"{scorer.name} compares meanings.", "Give a function that embeds.")
        found[VECTORS] = {"text": texts, "vector": list(embed(texts))}
    made = {**describe(scorer), "passes": [work.key for work in scorer.passes()]}
    ids = tuple(s.id for s in samples)
    columns = scorer.columns(samples, found)
    report = scorer.report(samples, found, columns)
    return ScoreTable(ids, columns, made, scorer.tags(samples, found), report)
