"""Texts in, unit vectors out, by vectors of words that were taken from MiniLM: no model is run."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from crowdselect import files
from crowdselect.landscape.encoder import Vectors, unit_rows
from crowdselect.registry import option

TOKENS = Path(__file__).parent / "static_tokens.npz"
"""Made by scripts/make_static_encoder.py; static_tokens.md says from what."""
ENOUGH = 50
"""Texts from which on their common direction is known, and taken out."""
FLOOR = 0.1
"""Least weight of a word, so that a text of words that stand everywhere has a vector."""
_WORD = re.compile(r"[^\W_]+|[^\w\s]|_")
_APART = re.compile(r"([\u3400-\u9fff\uf900-\ufaff])")
"""Signs of a script without spaces: each is a word."""
_LONGEST = 100
"""Letters of a word that is looked up: longer ones are keys and blobs."""


@dataclass(frozen=True)
class Static:
    """A text's vector is the sum of its words' vectors, rare words counting more.

    A word's vector is the sum of its word pieces', and a piece's what all-MiniLM-L6-v2 makes of it
    alone, its 256 main components (as model2vec distils). Words are weighted by how few of the
    texts hold them, and the texts' mean and first component are taken out (Arora et al. 2017):
    what all instructions share would otherwise make all of them neighbours.
    """

    name: ClassVar[str] = "static"
    title: ClassVar[str] = "Static (MiniLM's word vectors; no language model is run)"
    whole_corpus: ClassVar[bool] = True

    longest: int = option(200, "Words of a text that count, from its beginning.", low=1)

    def identity(self) -> dict[str, Any]:
        """The vectors and every option."""
        tokens = files.sha256_file(TOKENS)[:16]
        return {"name": self.name, "version": 1, "tokens": tokens, "longest": self.longest}

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """Encode ``texts`` as one corpus; a text without a known word has no vector."""
        from sklearn.feature_extraction.text import CountVectorizer

        counter = CountVectorizer(
            analyzer=lambda text: words_of(text)[: self.longest], dtype=np.float32
        )
        try:
            counts = counter.fit_transform(texts)
        except ValueError:  # scikit-learn's way to say that there is no word
            return np.full((len(texts), 2), np.nan, np.float32)
        vectors = word_vectors(counter.get_feature_names_out().tolist())
        holding = np.bincount(counts.indices, minlength=counts.shape[1])
        weights = np.log((len(texts) + 1) / (holding + 1)) + FLOOR
        sums = np.asarray(counts @ (vectors * weights[:, None]).astype(np.float32))
        return _without_the_common(unit_rows(sums))


def words_of(text: str) -> list[str]:
    """Words and signs as BERT's tokenizer parts them: small letters without accents."""
    plain = unicodedata.normalize("NFD", _APART.sub(r" \1 ", text.lower()))
    kept = "".join(c for c in plain if not unicodedata.combining(c))
    return _WORD.findall(kept)


def word_vectors(words: Sequence[str]) -> npt.NDArray[np.float32]:
    """Shape (n, 256): the sum of each word's pieces; 0 for a word of unknown ones."""
    places, vectors = _tokens()
    found = np.zeros((len(words), vectors.shape[1]), np.float32)
    for row, word in enumerate(words):
        if len(word) <= _LONGEST:
            for place in pieces(word, places):
                found[row] += vectors[place]
    return found


def pieces(word: str, places: Mapping[str, int]) -> list[int]:
    """The longest known beginnings, one after the other (WordPiece); empty: there is none."""
    found, start = [], 0
    while start < len(word):
        mark = "##" if start else ""
        ends = range(len(word), start, -1)
        end = next((e for e in ends if mark + word[start:e] in places), None)
        if end is None:
            return []
        found.append(places[mark + word[start:end]])
        start = end
    return found


@functools.lru_cache(maxsize=1)
def _tokens() -> tuple[dict[str, int], npt.NDArray[np.float32]]:
    """Piece -> row, and the pieces' vectors, kept as whole numbers with a factor per row."""
    with np.load(TOKENS, allow_pickle=False) as kept:
        names = kept["tokens"].tobytes().decode("utf-8").split("\n")
        vectors = kept["vectors"].astype(np.float32) * kept["factors"].astype(np.float32)[:, None]
    return {name: row for row, name in enumerate(names)}, vectors


def _without_the_common(rows: Vectors) -> Vectors:
    """Unit rows without their mean and their first component; as they are where they are few."""
    known = np.isfinite(rows[:, 0])
    if known.sum() < ENOUGH:
        return rows
    centred = rows[known].astype(np.float64)
    centred -= centred.mean(axis=0)
    values, directions = np.linalg.eigh(centred.T @ centred)
    if values[-1] < 1e-6:  # equal texts
        return rows
    first = directions[:, -1]
    out = np.full(rows.shape, np.nan)
    out[known] = centred - np.outer(centred @ first, first)
    return unit_rows(out)
