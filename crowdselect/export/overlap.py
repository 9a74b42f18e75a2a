"""Which texts share long runs of words with a benchmark (decontamination).

Two texts overlap when they share ``words`` consecutive words (13 by default, as in the GPT-3
paper, arXiv 2005.14165, appendix C), after Unicode compatibility normalisation, case folding and
with punctuation and white space ignored; a Chinese, Japanese or Korean character counts as a word.
A benchmark text of fewer words than that overlaps only with a text that is equal to it as a whole.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from crowdselect.export.references import References
from crowdselect.progress import Progress, silent

WORDS = 13
_CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_WORD = re.compile(f"[{_CJK}]|[^\\W{_CJK}]+")
_ASCII = "".join(c if _WORD.fullmatch(c) else " " for c in map(chr, range(128)))
"""What each ASCII character counts as, for ``str.translate``."""
_CHUNK = 4096
_SHOWN = 60
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Overlap:
    """One text that shares words with a benchmark text."""

    row: int
    """Position in the texts that were checked."""
    file: str
    reference: str
    """The benchmark text's id."""
    words: int
    """Length of the first shared run; longer ones are cut at 60."""
    shared: str
    """The shared words, normalised."""


def words_of(text: str) -> list[str]:
    """The words that count: normalised, case-folded, without punctuation."""
    if text.isascii():  # the same words several times faster
        return text.lower().translate(_ASCII).split()
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def find_overlaps(
    texts: Sequence[str],
    references: Sequence[References],
    *,
    words: int = WORDS,
    progress: Progress = silent,
) -> list[Overlap]:
    """The first overlap of each text, in the order of ``texts``.

    Runs of words are compared by 64-bit hashes in numpy and every hit is verified word by word,
    so that a collision cannot flag a text.
    """
    index = _Index(references, words)
    found: list[Overlap] = []
    for start in range(0, len(texts), _CHUNK):
        progress(start, len(texts), "checking against benchmarks")
        found += index.search(texts[start : start + _CHUNK], start)
    progress(len(texts), len(texts), "checking against benchmarks")
    return found


class _Index:
    """The benchmarks' runs of words, hashed and sorted."""

    def __init__(self, references: Sequence[References], words: int) -> None:
        self.words = words
        self.vocabulary: dict[str, int] = {}
        self.names: list[str] = [""]
        self.whole: dict[tuple[int, ...], tuple[str, str]] = {}
        self.sources: list[tuple[str, str]] = []
        long: list[list[int]] = []
        for file in references:
            for item in file.items:
                codes = [self._learn(word) for word in words_of(item.text)]
                if len(codes) >= words:
                    long.append(codes)
                    self.sources.append((file.file, item.id))
                elif codes:
                    self.whole.setdefault(tuple(codes), (file.file, item.id))
        self.text, self.owner = _concatenate(long, words)
        hashes, valid = self._hashes(self.text)
        at = np.flatnonzero(valid)
        order = np.argsort(hashes[at], kind="stable")
        self.at, self.hashes = at[order], hashes[at][order]

    def _learn(self, word: str) -> int:
        code = self.vocabulary.setdefault(word, len(self.names))
        if code == len(self.names):
            self.names.append(word)
        return code

    def _hashes(self, text: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.uint64], Any]:
        """The hash of the run starting at each position, and whether the run is whole and known."""
        n = len(text) - self.words + 1
        if n <= 0:
            return np.empty(0, np.uint64), np.empty(0, bool)
        hashes = np.zeros(n, np.uint64)
        known = np.ones(n, bool)
        mixed = _mix(text)
        for shift in range(self.words):
            hashes = hashes * _MULTIPLIER + mixed[shift : shift + n]
            known &= text[shift : shift + n] > 0
        return hashes, known

    def search(self, texts: Sequence[str], first_row: int) -> list[Overlap]:
        """The first overlap of each of ``texts``, whose first one is row ``first_row``."""
        get = self.vocabulary.get
        coded = [list(map(get, words_of(text), repeat(0))) for text in texts]
        found = {row: hit for row, codes in enumerate(coded) if (hit := self._as_whole(codes))}
        found |= self._by_runs(coded)
        return [
            Overlap(first_row + row, *source, len(codes), " ".join(self.names[c] for c in codes))
            for row, (source, codes) in sorted(found.items())
        ]

    def _as_whole(self, codes: list[int]) -> tuple[tuple[str, str], list[int]] | None:
        source = self.whole.get(tuple(codes)) if len(codes) < self.words else None
        return (source, codes) if source else None

    def _by_runs(self, coded: list[list[int]]) -> dict[int, tuple[tuple[str, str], list[int]]]:
        text, owner = _concatenate(coded, self.words)
        hashes, valid = self._hashes(text)
        if not len(self.hashes) or not len(hashes):
            return {}
        known = np.flatnonzero(valid)
        nearest = np.searchsorted(self.hashes, hashes[known])
        place = np.minimum(nearest, len(self.hashes) - 1)
        same = self.hashes[place] == hashes[known]
        found: dict[int, tuple[tuple[str, str], list[int]]] = {}
        for hit, theirs in zip(known[same].tolist(), self.at[place[same]].tolist(), strict=True):
            row = int(owner[hit])
            length = 0 if row in found else self._shared(text, hit, theirs)
            if length >= self.words:
                codes = text[hit : hit + length].tolist()
                found[row] = (self.sources[self.owner[theirs]], codes)
        return found

    def _shared(self, text: npt.NDArray[np.int64], ours: int, theirs: int) -> int:
        """Length of the run of equal words that starts at both places, up to _SHOWN."""
        limit = max(self.words, _SHOWN)
        a, b = text[ours : ours + limit], self.text[theirs : theirs + limit]
        n = min(len(a), len(b))
        differs = np.flatnonzero((a[:n] != b[:n]) | (a[:n] == 0))
        return int(differs[0]) if len(differs) else n


def _concatenate(
    coded: Sequence[Sequence[int]], words: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """All texts in one array, each followed by a 0 (no word), and the owner of each place."""
    flat: list[int] = []
    for codes in coded:
        flat += codes
        flat.append(0)
    flat += [0] * words
    lengths = np.array([len(codes) + 1 for codes in coded], dtype=np.int64)
    return np.array(flat, dtype=np.int64), np.repeat(np.arange(len(coded)), lengths)


def _mix(codes: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """Spread small integers over 64 bits (the finaliser of splitmix64)."""
    x = codes.astype(np.uint64) * _MULTIPLIER
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
