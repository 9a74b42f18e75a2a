"""Vectors in, rows out: the most similar rows, and the most typical rows of each cluster."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from crowdselect.errors import InputError
from crowdselect.landscape.cluster import valid_rows
from crowdselect.landscape.encoder import Vectors
from crowdselect.values import FloatArray, IntArray

_BLOCK = 65_536


def nearest(vectors: Vectors, query: int | Vectors, n: int = 10) -> tuple[IntArray, FloatArray]:
    """Return the ``n`` rows most similar to ``query`` and their cosine similarities in [-1, 1].

    ``query`` is a row number (which itself is left out) or a vector of shape (d,). Rows without
    a vector never appear; equal similarities come in row order. ``vectors`` are unit rows.

    Raises InputError for a row without a vector or a vector of another length.
    """
    target = vectors[query] if isinstance(query, int | np.integer) else np.asarray(query)
    if target.shape != vectors.shape[1:] or not np.isfinite(target).all():
        raise InputError(
            f"{_called(query)} has no vector of {vectors.shape[1:]} numbers to compare with.",
            "Choose an instruction whose text is not empty.",
        )
    target = (target / np.linalg.norm(target)).astype(np.float32)
    similarity = np.empty(len(vectors), np.float32)
    for start in range(0, len(vectors), _BLOCK):
        similarity[start : start + _BLOCK] = vectors[start : start + _BLOCK] @ target
    similarity[np.isnan(similarity)] = -np.inf
    if isinstance(query, int | np.integer):
        similarity[query] = -np.inf
    rows = largest(similarity, n)
    return rows, np.clip(similarity[rows].astype(np.float64), -1.0, 1.0)


def typical_rows(vectors: Vectors, labels: IntArray, n: int = 5) -> tuple[IntArray, ...]:
    """Return for each cluster the ``n`` rows closest to its centroid, closest first.

    Fewer where the cluster is smaller; equal distances come in row order.
    """
    found = []
    valid = valid_rows(vectors)
    for label in range(int(labels.max(initial=-1)) + 1):
        members = np.flatnonzero((labels == label) & valid)
        rows = vectors[members]
        if not len(members):
            found.append(members)
            continue
        centre = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
        # |x - c|^2 up to the constant |c|^2; larger is closer.
        closeness = 2 * rows @ centre - np.einsum("ij,ij->i", rows, rows)
        found.append(members[largest(closeness, n)])
    return tuple(found)


def largest(values: npt.NDArray[np.floating[Any]], n: int) -> IntArray:
    """Return the positions of the ``n`` largest finite values, largest first, ties by position."""
    n = min(n, int(np.isfinite(values).sum()))
    if n < 1:
        return np.empty(0, np.int64)
    threshold = np.partition(values, len(values) - n)[len(values) - n]
    candidates = np.flatnonzero(values >= threshold)
    order = np.argsort(-values[candidates], kind="stable")
    return candidates[order[:n]]


def _called(query: int | Vectors) -> str:
    return f"Row {query}" if isinstance(query, int | np.integer) else "The query"
