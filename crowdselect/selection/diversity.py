"""Diverse subsets of a cloud of vectors: the largest volume (DPP), and NovelSum's greedy."""

from __future__ import annotations

import numpy as np

from crowdselect.progress import Progress, silent
from crowdselect.selection.coverage import Vectors, distance_blocks
from crowdselect.values import FloatArray, IntArray

_FLAT = 1e-10
"""A row that adds less than this share of a volume lies in the span of the picks."""
_NEVER_ZERO = 1e-9


def largest_volume(
    vectors: Vectors,
    budget: int,
    *,
    bandwidth: float = 0.5,
    gains: FloatArray | None = None,
    first: int = 0,
    progress: Progress = silent,
) -> tuple[IntArray, FloatArray]:
    """Greedily maximise log det of the kernel of the picks, plus what each pick is worth.

    The kernel is exp(-d² / (2 bandwidth²)) of Euclidean distances, as inner products alone would
    have no more dimensions than a vector. Fast greedy MAP by incremental Cholesky rows (Chen et
    al. 2018, arXiv 1709.05135): rows x budget² operations, rows x budget numbers of memory.

    Parameters
    ----------
    gains
        Shape (n,): added to a row's log volume; None: nothing, the volume alone decides.
    first
        So many rows at the beginning are picked to begin with.

    Returns
    -------
    tuple
        The picks in order, and for each its log volume given the picks before, plus its worth.
        Of equals the lower index goes first. Stops early when every other row is a copy.
    """
    n = len(vectors)
    worth = np.zeros(n) if gains is None else gains
    rows = np.zeros((min(budget, n), n))
    left = np.ones(n)
    open_ = np.ones(n, dtype=bool)
    order: list[int] = []
    values: list[float] = []
    exact = vectors.astype(np.float64)
    norms = np.einsum("ij,ij->i", exact, exact)
    while len(order) < min(budget, n):
        step = len(order)
        volume = np.log(np.maximum(left, _FLAT))
        usable = open_ & (left > _FLAT)
        if step < first:
            x = step
        elif usable.any():
            x = int(np.where(usable, np.round(volume + worth, 9), -np.inf).argmax())
        else:
            break
        order.append(x)
        values.append(float(volume[x] + worth[x]))
        open_[x] = False
        squared = np.maximum(norms + norms[x] - 2.0 * (exact @ exact[x]), 0.0)
        kernel = np.exp(-squared / (2 * bandwidth**2))
        rows[step] = (kernel - rows[:step, x] @ rows[:step]) / np.sqrt(max(left[x], _FLAT))
        left = np.maximum(left - rows[step] ** 2, 0.0)
        progress(len(order), min(budget, n), "largest volume")
    return np.array(order, dtype=np.int64), np.array(values)


def local_density(
    vectors: Vectors, neighbours: int, power: float, parts: IntArray | None = None,
    progress: Progress = silent,
) -> FloatArray:  # fmt: skip
    """One over the mean squared distance to the nearest rows, to a power; shape (n,).

    As NovelSum's code has it: copies of a row count once, the row itself does not.
    """
    density = np.empty(len(vectors))
    done = 0
    for members, block, distances in distance_blocks(vectors, parts):
        _, kept = np.unique(vectors[members], axis=0, return_index=True)
        squared = np.sort(distances[:, kept] ** 2, axis=1)[:, 1 : neighbours + 1]
        mean = squared.mean(axis=1) if squared.shape[1] else np.zeros(len(block))
        density[block] = 1.0 / (mean + _NEVER_ZERO) ** power
        done += len(block)
        progress(done, len(vectors), "local density")
    return density


def most_novel(
    vectors: Vectors,
    density: FloatArray,
    budget: int,
    *,
    proximity: float = 1.0,
    first: int = 1,
    progress: Progress = silent,
) -> tuple[IntArray, FloatArray]:
    """NovelSelect's greedy (arXiv 2502.17184): always the row of the greatest novelty.

    The novelty of a row is the mean, over the picks, of the cosine distance times the sum of both
    densities, each weighted by one over its place (nearest first) to the power ``proximity``.

    ``first`` rows at the beginning are picked to begin with, at least one. Returns the picks in
    order and each one's novelty when it was picked (the first has none: NaN). Rows are of length
    1. Each row's distances stay sorted, so a step costs rows x picks; memory is that too.
    """
    n = len(vectors)
    exact = vectors.astype(np.float64)
    open_ = np.ones(n, dtype=bool)
    near = np.full((min(budget, n) + 1, n), np.inf)
    order: list[int] = []
    values: list[float] = []
    novelty = np.full(n, np.nan)
    while len(order) < min(budget, n):
        step = len(order)
        if step < max(1, first):
            x = step
        else:
            x = int(np.where(open_, np.round(novelty, 9), -np.inf).argmax())
        order.append(x)
        values.append(float(novelty[x]))
        open_[x] = False
        away = np.maximum(1.0 - exact @ exact[x], 0.0) * (density + density[x])
        near[: step + 1] = _inserted(near[:step], away)
        places = np.arange(1, step + 2, dtype=np.float64)
        novelty = (places**-proximity @ near[: step + 1]) / (step + 1)
        progress(len(order), min(budget, n), "novelty")
    return np.array(order, dtype=np.int64), np.array(values)


def _inserted(ascending: FloatArray, values: FloatArray) -> FloatArray:
    """Columns of ascending numbers, shape (k, n), with one more number each: (k + 1, n)."""
    if not len(ascending):
        return values[None]
    merged = np.vstack([np.minimum(ascending, values), values[None]])
    np.maximum(merged[1:], ascending, out=merged[1:])
    return merged
