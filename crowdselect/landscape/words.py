"""Words of a text in any script: what the LSA encoder and the cluster labels count."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Scripts written without spaces: Thai, Japanese, Chinese.
_UNSPACED = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"([{_UNSPACED}]+)|([^\W_{_UNSPACED}]+(?:'[^\W\d_]+)?)")

# Words that every instruction may hold, whatever it is about.
_INSTRUCTION_WORDS = frozenset(
    {"answer", "answers", "ask", "asked", "can't", "did", "didn't", "does", "doesn't", "don't"}
    | {"example", "examples", "explain", "following", "give", "given", "i'd", "i'm", "i've"}
    | {"it's", "just", "let's", "like", "make", "need", "please", "potential", "provide"}
    | {"that's", "use", "used", "using", "want", "won't", "write", "you're"}
)


def words(text: str) -> list[str]:
    """Return the lower-case words of ``text`` in order (Unicode NFKC; numbers count as words).

    Where a script has no spaces, the overlapping pairs of characters stand for words.
    """
    folded = unicodedata.normalize("NFKC", text).lower().replace("’", "'")
    found: list[str] = []
    for run, word in _WORD.findall(folded):
        if word:
            found.append(word)
        else:
            found.extend(run[i : i + 2] for i in range(max(1, len(run) - 1)))
    return found


@lru_cache(maxsize=1)
def stop_words() -> frozenset[str]:
    """English function words, and words that fit any instruction; never a label."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return frozenset(ENGLISH_STOP_WORDS) | _INSTRUCTION_WORDS
