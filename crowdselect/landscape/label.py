"""Texts and cluster labels in, a short readable name per cluster out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from crowdselect.landscape.neighbours import largest
from crowdselect.landscape.words import stop_words, words
from crowdselect.values import FloatArray, IntArray

_VOCABULARY = 20_000
_JOIN = " · "
_LONGEST = 40
"""Letters of a word that may name a cluster: more is a key, a hash or a blob."""
_CONSIDERED = 60
"""Terms of a cluster that are looked at for its name."""
COUNTING = 1
"""Which rules count: what was counted by others is counted again."""


class ClusterLabels:
    """The words of the texts, counted once, to name the clusters of any number of partitions."""

    def __init__(self, texts: Sequence[str]) -> None:
        from sklearn.feature_extraction.text import CountVectorizer

        counter = CountVectorizer(
            analyzer=_terms, binary=True, dtype=np.float32, max_features=_VOCABULARY,
            min_df=2 if len(texts) >= 50 else 1,
        )  # fmt: skip
        try:
            self._counts: Any = counter.fit_transform(texts)
            self._vocabulary: list[str] = counter.get_feature_names_out().tolist()
        except ValueError:
            # scikit-learn's way to say that no text holds a word worth counting.
            self._counts, self._vocabulary = None, []

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """What was counted, as arrays to keep: see :meth:`from_arrays`."""
        if self._counts is None:
            nothing = np.empty(0, np.int32)
            return {"indices": nothing, "starts": nothing, "vocabulary": np.empty(0, np.str_)}
        return {
            "indices": self._counts.indices,
            "starts": self._counts.indptr,
            "vocabulary": np.array(self._vocabulary, np.str_),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """The labels of the texts whose :meth:`arrays` these are."""
        from scipy.sparse import csr_matrix

        made = cls.__new__(cls)
        indices, starts = arrays["indices"], arrays["starts"]
        made._vocabulary = arrays["vocabulary"].tolist()
        shape = (len(starts) - 1, len(made._vocabulary))
        ones = np.ones(len(indices), np.float32)
        made._counts = csr_matrix((ones, indices, starts), shape=shape) if len(starts) else None
        return made

    def names(self, labels: IntArray, n_terms: int = 3) -> tuple[str, ...]:
        """Return one unique name per label 0..k-1; ``labels`` has shape (n,), -1 is left out."""
        k = int(labels.max(initial=-1)) + 1
        ranked = self._ranked(labels, k) if k and self._vocabulary else [()] * k
        names: list[str] = []
        for label, terms in enumerate(ranked):
            names.append(_unique(terms, n_terms, label, names))
        return tuple(names)

    def _ranked(self, labels: IntArray, k: int) -> Sequence[Iterable[str]]:
        """The terms of each cluster, most distinctive first."""
        width = len(self._vocabulary)
        # One bin per cluster and term: a tenth of the time of a product of sparse matrices.
        bins = np.repeat(labels * width, np.diff(self._counts.indptr))
        bins += self._counts.indices
        clustered = bins if labels.min() >= 0 else bins[bins >= 0]
        counts = np.bincount(clustered, minlength=k * width).reshape(k, width).astype(np.float64)
        weights = class_tf_idf(counts)
        return [self._terms_of(row) for row in weights]

    def _terms_of(self, weights: FloatArray) -> Iterator[str]:
        """Terms by falling weight, without those that repeat a stronger one (plural, pair).

        One after another, because a name takes the first few.
        """
        kept: list[str] = []
        for column in largest(np.where(weights > 0, weights, -np.inf), _CONSIDERED):
            term = self._vocabulary[column]
            if not any(_alike(term, other) for other in kept):
                kept.append(term)
                yield term


def class_tf_idf(counts: FloatArray) -> FloatArray:
    """Class-based TF-IDF of ``counts`` (k classes, terms): how distinctive a term is of a class.

    Grootendorst 2022 (BERTopic), equation 4, with the BM25 form of the second factor: share of
    the class times log(1 + (A - f + 0.5) / (f + 0.5)), where f counts the term over all classes
    and A is the mean number of words per class.
    """
    totals = counts.sum(axis=1, keepdims=True)
    frequency = counts.sum(axis=0)
    average = totals.mean()
    rarity = np.log1p(np.maximum(average - frequency + 0.5, 0) / (frequency + 0.5))
    weights: FloatArray = counts / np.maximum(totals, 1) * rarity
    return weights


def _unique(terms: Iterable[str], n_terms: int, label: int, taken: Sequence[str]) -> str:
    """Join the first terms, more of them where the name is taken; a number where none is left."""
    joined: list[str] = []
    for term in terms:
        joined.append(term)
        if len(joined) >= n_terms and _JOIN.join(joined) not in taken:
            return _JOIN.join(joined)
    name = _JOIN.join(joined)
    return name if name and name not in taken else f"{name or 'cluster'} {label}"


def _terms(text: str) -> list[str]:
    """Words worth a label: no function words, no numbers, no single letters of an alphabet."""
    return [
        word
        for word in words(text)
        if word not in stop_words()
        and not word.isnumeric()
        and len(word) <= _LONGEST
        and (len(word) > 2 or not word.isascii())
    ]


def _alike(a: str, b: str) -> bool:
    """Tell whether one word is the other's inflection, as far as the spelling shows it."""
    short, long = sorted((a, b), key=len)
    return len(short) > 3 and long.startswith(short[:-1]) and len(long) - len(short) <= 3
