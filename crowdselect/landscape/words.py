"""Words of a text in any script: what the LSA encoder and the cluster labels count."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Scripts written without spaces: each character is a word of its own.
_UNSPACED = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+(?:['’][^\W\d_]+)?")

# Words that every instruction may hold, whatever it is about.
_INSTRUCTION_WORDS = frozenset(
    _WORD.findall(
        "answer answers ask asked can't did didn't does doesn't don't example examples explain"
        " following give given i'd i'm i've it's just let's like make need please potential"
        " provide that's use used using want won't write you're"
    )
)


def words(text: str) -> list[str]:
    """Return the lower-case words of ``text`` in order (Unicode NFKC; numbers count as words).

    Texts in scripts without spaces (Chinese, Japanese, Thai) give one word per character.
    """
    folded = unicodedata.normalize("NFKC", text).lower().replace("’", "'")
    return _WORD.findall(folded)


@lru_cache(maxsize=1)
def stop_words() -> frozenset[str]:
    """English function words, and words that fit any instruction; never a label."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return frozenset(ENGLISH_STOP_WORDS) | _INSTRUCTION_WORDS
