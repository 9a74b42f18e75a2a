"""Texts in, unit vectors out, by the words they share: no language model, nothing to install."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from crowdselect.landscape.encoder import Vectors, unit_rows
from crowdselect.landscape.words import stop_words, words
from crowdselect.registry import option


@dataclass(frozen=True)
class Lsa:
    """Latent semantic analysis: TF-IDF of words and word pairs, then truncated SVD.

    No language model: texts are near where they share words. Deterministic, any language,
    nothing to download. Deerwester et al. 1990; scikit-learn's TruncatedSVD.
    """

    name: ClassVar[str] = "lsa"
    title: ClassVar[str] = "LSA (shared words; no language model)"
    whole_corpus: ClassVar[bool] = True

    dimensions: int = option(128, "Length of a vector.", low=2, high=1024)
    seed: int = option(42, "Seed of the randomised SVD.")

    def identity(self) -> dict[str, Any]:
        """Every option counts."""
        return {"name": self.name, "dimensions": self.dimensions, "seed": self.seed}

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """Encode ``texts`` as one corpus; a text without any counted word has no vector."""
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfVectorizer

        counter = TfidfVectorizer(
            analyzer=_terms, min_df=2 if len(texts) >= 1000 else 1, max_features=100_000,
            sublinear_tf=True, dtype=np.float32,
        )  # fmt: skip
        if not any(map(_terms, texts[:1000])) and not any(map(_terms, texts)):
            return np.full((len(texts), 2), np.nan, np.float32)
        counts = counter.fit_transform(texts)
        size = min(self.dimensions, *(side - 1 for side in counts.shape))
        if size < 2:
            return unit_rows(counts.toarray())
        svd = TruncatedSVD(size, algorithm="randomized", random_state=self.seed)
        return unit_rows(svd.fit_transform(counts))


def _terms(text: str) -> list[str]:
    found = words(text)
    # A text of function words alone is still told apart by them.
    kept = [word for word in found if word not in stop_words()] or found
    return kept + [f"{a} {b}" for a, b in itertools.pairwise(kept)]
