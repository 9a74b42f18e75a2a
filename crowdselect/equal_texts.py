"""When two texts are the same: the one definition of an exact duplicate."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt


def normal_text(text: str) -> str:
    """Return ``text`` as duplicates are compared: case and white space do not count.

    Unicode's case folding (``Straße`` is ``STRASSE``) and Unicode's white space, of which every
    run is one blank and none stands at an end.
    """
    return " ".join(text.casefold().split())


def exact_duplicates(texts: Iterable[str]) -> npt.NDArray[np.int64]:
    """Return each text's duplicate group, shape (n,); -1 for a text that occurs once.

    Keeps 16 bytes of each text, not the texts.
    """
    first: dict[bytes, int] = {}
    codes = np.fromiter((first.setdefault(_digest(t), len(first)) for t in texts), dtype=np.int64)
    alone = np.bincount(codes, minlength=len(first)) == 1
    return np.where(alone[codes], -1, codes)


def count_repeats(groups: npt.NDArray[np.int64]) -> int:
    """Return how many texts repeat an earlier one, from the groups of :func:`exact_duplicates`."""
    codes = groups[groups >= 0]
    return len(codes) - len(np.unique(codes))


def _digest(text: str) -> bytes:
    normal = normal_text(text).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(normal, digest_size=16).digest()
