"""Texts in, unit vectors out, by the words they share: no language model, nothing to install."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from crowdselect.landscape.encoder import Vectors, unit_rows
from crowdselect.landscape.words import stop_words, words
from crowdselect.registry import option

_REST = 64
"""Numbers that are added for texts that the main components do not hold."""
_HELD = 0.01
"""A text shorter than this share of its length in the main components is not held by them."""


@dataclass(frozen=True)
class Lsa:
    """Latent semantic analysis: TF-IDF of words and word pairs, then truncated SVD.

    No language model: texts are near where they share words. Deterministic, any language,
    nothing to download. Deerwester et al. 1990; scikit-learn's TruncatedSVD. Texts whose words are
    too rare to be in it are told apart by their letters, in numbers of their own.
    """

    name: ClassVar[str] = "lsa"
    title: ClassVar[str] = "LSA (shared words; no language model)"
    whole_corpus: ClassVar[bool] = True

    dimensions: int = option(128, "Length of a vector.", low=2, high=1024)
    seed: int = option(42, "Seed of the randomised SVD.")

    def identity(self) -> dict[str, Any]:
        """Every option counts."""
        options = {"dimensions": self.dimensions, "seed": self.seed}
        return {"name": self.name, "version": 2, **options}

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """Encode ``texts`` as one corpus; a text without any word has no vector."""
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfVectorizer

        counter = TfidfVectorizer(
            analyzer=_terms, min_df=2 if len(texts) >= 1000 else 1, max_features=100_000,
            sublinear_tf=True, dtype=np.float32,
        )  # fmt: skip
        if not any(map(_terms, texts[:1000])) and not any(map(_terms, texts)):
            return np.full((len(texts), 2), np.nan, np.float32)
        try:
            counts = counter.fit_transform(texts)
        except ValueError:  # scikit-learn's way to say that no word occurs twice
            return _with_rest(texts, np.zeros((len(texts), 1), np.float32))
        size = min(self.dimensions, *counts.shape)
        if size < 2:
            return _with_rest(texts, counts.toarray())
        svd = TruncatedSVD(size, algorithm="randomized", random_state=self.seed)
        return _with_rest(texts, svd.fit_transform(counts))


def _with_rest(texts: Sequence[str], components: npt.NDArray[Any]) -> Vectors:
    """Unit rows; texts that are not in ``components`` get numbers that no other text has.

    Such are prompts made from a template with a word each that no other text holds, or holds with
    them: the vocabulary or the main components leave them out. Their letters, three by three, are
    hashed, so that what is written alike is near.
    """
    from sklearn.feature_extraction.text import HashingVectorizer

    held = np.linalg.norm(components, axis=1) > _HELD
    rest = np.flatnonzero([not h and bool(words(t)) for h, t in zip(held, texts, strict=True)])
    if not len(rest):
        return unit_rows(np.where(held[:, None], components, 0.0))
    letters = HashingVectorizer(
        analyzer="char_wb", ngram_range=(3, 3), n_features=_REST, alternate_sign=False
    )
    more = np.zeros((len(texts), _REST), np.float32)
    more[rest] = letters.transform([" ".join(words(texts[i])) for i in rest.tolist()]).toarray()
    return unit_rows(np.hstack([np.where(held[:, None], components, 0.0), more]))


def _terms(text: str) -> list[str]:
    found = words(text)
    # A text of function words alone is still told apart by them.
    kept = [word for word in found if word not in stop_words()] or found
    return kept + [f"{a} {b}" for a, b in itertools.pairwise(kept)]
