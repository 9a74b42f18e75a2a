"""How the crowd's rewards spread: the three metrics as quantiles and small histograms in text."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from crowdselect.metrics import METRICS, MetricInputs
from crowdselect.values import FloatArray, Model, RewardMatrix

_BARS = " ▁▂▃▄▅▆▇█"
_BINS = 16
_METRICS = ("difficulty", "separability", "stability")


def histogram(values: FloatArray, bins: int = _BINS) -> str:
    """Bars of equal-width bins from the least to the greatest finite value.

    >>> histogram(np.array([0.0, 0.0, 0.0, 0.0, 0.4, 1.0, 1.0]), bins=3)
    '█▂▄'
    """
    counts, _ = np.histogram(values[np.isfinite(values)], bins)
    heights = np.ceil(counts * 8 / max(counts.max(), 1)).astype(int)
    return "".join(_BARS[height] for height in heights)


def spread_table(matrices: dict[str, pd.DataFrame], models: Sequence[Model]) -> str:
    """Return a Markdown table: judge, metric, quantiles, histogram.

    ``matrices`` holds one frame per judge: an instruction per row, a model per column.
    """
    lines = [
        "| judge | metric | least | 10 % | median | 90 % | greatest | histogram |",
        "|---|---|---:|---:|---:|---:|---:|---|",
    ]
    for judge, frame in matrices.items():
        values = frame[[model.name for model in models]].to_numpy(float)
        rewards = RewardMatrix(judge, frame.index.to_numpy(object), tuple(models), values)
        for name in _METRICS:
            scores = METRICS[name]()(MetricInputs(rewards=rewards))
            marks = np.nanquantile(scores, [0.0, 0.1, 0.5, 0.9, 1.0])
            cells = " | ".join(f"{mark:.2f}" for mark in marks)
            lines.append(f"| {judge} | {name} | {cells} | {histogram(scores)} |")
    return "\n".join(lines)


def larger_is_better(frame: pd.DataFrame, models: Sequence[Model]) -> str:
    """Return how often the next larger model of a family has the higher mean reward."""
    means = frame.mean()
    families: dict[str, list[Model]] = {}
    for model in models:
        families.setdefault(str(model.family), []).append(model)
    steps = [
        means[larger.name] > means[smaller.name]
        for members in families.values()
        for ordered in [sorted(members, key=lambda model: model.size_b or 0.0)]
        for smaller, larger in pairwise(ordered)
    ]
    return f"{sum(steps)} of {len(steps)}"
