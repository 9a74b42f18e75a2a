"""The pre-experienced step of IFD (arXiv 2308.12032, section 2.2): which samples come first.

A model that has seen a few diverse samples knows the form of an instruction. They are chosen by
what the untrained model makes of the instructions: their mean last hidden states are clustered, and
from each cluster come samples of middling perplexity.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from crowdselect.lm.language_model import LanguageModel, ModelSpec
from crowdselect.lm.passes import Columns, Pass, Sample, Worker
from crowdselect.values import FloatArray, IntArray

PER_CLUSTER = 10
MIDDLE = (25, 75)
"""Percentiles of perplexity inside a cluster."""


@dataclass(frozen=True)
class InstructionPass(Pass):
    """One model reads every instruction: its mean last hidden state, and its mean token loss."""

    spec: dict[str, Any]
    max_tokens: int

    @property
    def label(self) -> str:
        """The pass in a few words."""
        return f"reading instructions with {self.spec['model']}"

    def worker(self, keep: Path) -> Worker:
        """Load the model."""
        return _InstructionReader(self)


class _InstructionReader:
    def __init__(self, work: InstructionPass) -> None:
        self._lm = LanguageModel(ModelSpec.parse(work.spec, "the model's options"))
        self._limit = min(work.max_tokens, self._lm.longest)

    def __call__(self, samples: Sequence[Sample]) -> Columns:
        rows = [self._lm.ids(sample.question)[: self._limit] for sample in samples]
        usable = [i for i, ids in enumerate(rows) if len(ids) > 1]
        vectors: list[list[float] | None] = [None] * len(rows)
        losses: list[float | None] = [None] * len(rows)
        if usable:
            kept = [rows[i] for i in usable]
            means = self._lm.mean_hidden(kept)
            found = self._lm.losses(kept, [1] * len(kept)).mean
            for place, i in enumerate(usable):
                vectors[i], losses[i] = means[place].tolist(), float(found[place])
        return {"vector": vectors, "loss": losses}


def own_order(samples: Sequence[Sample]) -> IntArray:
    """The samples in an order that is theirs: by a hash of what they say, then by id. Shape (n,).

    The same samples are drawn from so whatever the order of their file.
    """

    def key(row: int) -> tuple[str, str]:
        sample = samples[row]
        said = "\0".join((sample.question, sample.response))
        return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest(), sample.id

    return np.array(sorted(range(len(samples)), key=key), dtype=np.int64)


def diverse_middle(vectors: FloatArray, losses: FloatArray, wanted: int, seed: int = 0) -> IntArray:
    """Rows to train on first, in ascending order; at most ``wanted``.

    ``wanted / 10`` k-means clusters; inside each, ten rows evenly spaced among those whose loss
    lies between the cluster's quartiles. A cluster of fewer than ten gives all it has, one with
    fewer than ten in the middle all of those, as in the published code (so fewer than ``wanted``
    may come out). Clusters depend on the order of the rows: give them in one that is their own,
    such as that of :func:`own_order`.

    Parameters
    ----------
    vectors
        Shape (n, d), finite.
    losses
        Shape (n,), nats per token; perplexity orders as they do.
    """
    if len(vectors) <= wanted:
        return np.arange(len(vectors))
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    k = max(1, wanted // PER_CLUSTER)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # equal texts: fewer clusters
        labels = KMeans(n_clusters=k, random_state=seed, n_init=1).fit_predict(vectors)
    share = min(PER_CLUSTER, wanted)
    chosen: list[int] = []
    for label in range(k):
        rows = np.flatnonzero(labels == label)
        if len(rows) >= share:
            low, high = np.percentile(losses[rows], MIDDLE)
            middle = rows[(losses[rows] >= low) & (losses[rows] <= high)]
            rows = middle if len(middle) else rows
        step = max(1, len(rows) // share)
        chosen += rows[::step][:share].tolist()
    return np.array(sorted(chosen), dtype=np.int64)
