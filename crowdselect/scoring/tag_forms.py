"""Many spellings of a tag become one (InsTag, arXiv 2308.07074, section 3.2).

The paper drops rare tags, joins those with the same stems, those with close meanings and those that
always come together. Here the rare ones are dropped last, so that spellings add up first; English
stems are those of Snowball.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import numpy as np

from crowdselect.errors import require
from crowdselect.values import FloatArray

Tags = tuple[str, ...]
SUPPORT = 40
CONFIDENCE = 0.99
"""A tag that has at least SUPPORT samples and comes with another in this part of them joins it."""
_APART = re.compile(r"[\W_]+")


def same_stems(tags: Iterable[Tags]) -> dict[str, str]:
    """Tag -> the commonest spelling with the same stems, whatever case and punctuation."""
    require("snowballstemmer", feature="Joining the spellings of a tag", extra="server")
    import snowballstemmer

    stem = snowballstemmer.stemmer("english").stemWord
    counts = Counter(tag for each in tags for tag in each)
    groups: dict[str, list[str]] = {}
    for tag in counts:
        words = _APART.sub(" ", tag.lower()).split()
        groups.setdefault(" ".join(map(stem, words)), []).append(tag)
    # A tag of signs alone, such as "?", says nothing that another could share.
    return {
        tag: _name(group, counts) if key else tag for key, group in groups.items() for tag in group
    }


def same_meaning(
    tags: Iterable[Tags], vectors: Mapping[str, FloatArray], distance: float
) -> dict[str, str]:
    """Tag -> the commonest of the tags whose vectors lie within ``distance``, step by step.

    DBSCAN over cosine distances, as in the paper; ``vectors`` are unit vectors of shape (d,).
    """
    from sklearn.cluster import DBSCAN

    counts = Counter(tag for each in tags for tag in each)
    known = sorted(tag for tag in counts if tag in vectors)
    if not known:
        return {}
    rows = np.stack([vectors[tag] for tag in known])
    # On unit vectors cosine distance d is a Euclidean one of sqrt(2 d), which a tree can search.
    radius = float(np.sqrt(2 * distance)) + 1e-9
    labels = DBSCAN(eps=radius, min_samples=1).fit_predict(rows)
    groups: dict[int, list[str]] = {}
    for tag, label in zip(known, labels, strict=True):
        groups.setdefault(int(label), []).append(tag)
    return {tag: _name(group, counts) for group in groups.values() for tag in group}


def always_together(tags: Iterable[Tags]) -> dict[str, str]:
    """Tag -> the commoner tag that it comes with nearly always; only tags that join another."""
    rows = list(tags)
    counts = Counter(tag for each in rows for tag in each)
    frequent = {tag for tag, n in counts.items() if n >= SUPPORT}
    pairs = Counter(
        pair for each in rows for pair in combinations(sorted(frequent.intersection(each)), 2)
    )
    joined: dict[str, str] = {}
    for (a, b), n in sorted(pairs.items(), key=lambda item: (-item[1], item[0])):
        rare, common = sorted((a, b), key=lambda tag: (counts[tag], tag))
        if n >= CONFIDENCE * counts[rare] and rare not in joined and common not in joined:
            joined[rare] = common
    return joined


def rename(tags: Iterable[Tags], names: Mapping[str, str]) -> list[Tags]:
    """Every tag under its new name, each once, in order."""
    return [tuple(dict.fromkeys(names.get(tag, tag) for tag in each)) for each in tags]


def frequent_only(tags: Sequence[Tags], min_count: int) -> list[Tags]:
    """Without the tags that fewer than ``min_count`` samples have."""
    counts = Counter(tag for each in tags for tag in each)
    return [tuple(tag for tag in each if counts[tag] >= min_count) for each in tags]


def _name(group: Sequence[str], counts: Mapping[str, int]) -> str:
    return min(group, key=lambda tag: (-counts[tag], len(tag), tag))
