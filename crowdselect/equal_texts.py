"""When two texts are the same: the one definition of an exact duplicate."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

_DIGEST = np.dtype([("high", "<u8"), ("low", "<u8")])


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
    digests = np.frombuffer(b"".join(map(_digest, texts)), dtype=_DIGEST)
    # By their halves: numbers are sorted many times faster than records.
    order = np.lexsort((digests["low"], digests["high"]))
    ordered = digests[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = ordered[1:] != ordered[:-1]
    starts = np.flatnonzero(new)
    sizes = np.diff(starts, append=len(order))
    # A group is called after its place among the groups in the order of their first texts.
    names = np.empty(len(starts), dtype=np.int64)
    names[np.argsort(order[starts])] = np.arange(len(starts))
    groups = np.empty(len(order), dtype=np.int64)
    groups[order] = np.repeat(np.where(sizes == 1, -1, names), sizes)
    return groups


def count_repeats(groups: npt.NDArray[np.int64]) -> int:
    """Return how many texts repeat an earlier one, from the groups of :func:`exact_duplicates`."""
    codes = groups[groups >= 0]
    return len(codes) - len(np.unique(codes))


def set_apart(texts: Sequence[str], count: int) -> npt.NDArray[np.bool_]:
    """Tell which ``count`` of ``texts`` are kept apart for testing, shape (n,).

    It follows from the texts alone, wherever they stand: whoever keeps fewer apart keeps some of
    the same. Equal texts stay together, so there may be a few more.
    """
    keys = [_digest(text).hex() for text in texts]
    taken = first_groups(keys, count)
    return np.fromiter((key in taken for key in keys), dtype=np.bool_, count=len(keys))


def first_groups(keys: Sequence[str], wanted: int) -> set[str]:
    """Return the smallest of ``keys`` that together stand at ``wanted`` places or a few more."""
    found: set[str] = set()
    taken = 0
    for key, places in sorted(Counter(keys).items()):
        if taken >= wanted:
            break
        found.add(key)
        taken += places
    return found


def _digest(text: str) -> bytes:
    normal = normal_text(text).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(normal, digest_size=16).digest()
