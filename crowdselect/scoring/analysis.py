"""What a ranking by levels chose: the analysis of SelectIT (arXiv 2402.16705, section 5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from crowdselect.scoring.ratings import level_shares, top_share
from crowdselect.values import BoolArray, FloatArray

STEPS = 10


@dataclass(frozen=True)
class Slice:
    """Some consecutive ranks."""

    begin: float
    """Share of the ranking before it, in [0, 1]."""
    end: float
    n: int
    mean_score: float
    mean_length: float
    """In the unit of the lengths given."""
    calc_share: float
    """Share of samples that ask for a calculation, in [0, 1]."""


@dataclass(frozen=True)
class Analysis:
    """Who is where in the ranking, and which level put them there."""

    n: int
    """Samples with a score."""
    ranks: tuple[Slice, ...]
    """Tenths of the ranking, best first."""
    budgets: tuple[Slice, ...]
    """The best 10 %, 20 % ... 100 %."""
    share: float
    """Of the ranking, for the two below."""
    contributions: Mapping[str, float]
    """Level -> the part of its own best ``share`` that the final selection holds."""
    overlaps: Mapping[str, float]
    """``A & B`` -> Jaccard similarity of the two levels' best ``share``."""


def analyse(
    final: FloatArray,
    levels: Mapping[str, FloatArray],
    lengths: FloatArray,
    calculation: BoolArray,
    share: float = 0.2,
) -> Analysis:
    """Describe the ranking by ``final`` (higher first; of equals the earlier row).

    Parameters
    ----------
    final, lengths, calculation
        Shape (n,). Rows whose ``final`` is NaN are not ranked.
    levels
        Name -> shape (n,): the scores of each level alone.
    """
    rows = np.flatnonzero(~np.isnan(final))
    order = rows[np.lexsort((rows, -final[rows]))]
    edges = [len(order) * step // STEPS for step in range(STEPS + 1)]

    def part(first: int, last: int) -> Slice:
        chosen = order[edges[first] : edges[last]]
        known = len(chosen) > 0
        return Slice(
            begin=first / STEPS,
            end=last / STEPS,
            n=len(chosen),
            mean_score=float(final[chosen].mean()) if known else float("nan"),
            mean_length=float(lengths[chosen].mean()) if known else float("nan"),
            calc_share=float(calculation[chosen].mean()) if known else float("nan"),
        )

    best = {name: top_share(values, share) for name, values in levels.items()}
    return Analysis(
        n=len(order),
        ranks=tuple(part(step, step + 1) for step in range(STEPS)),
        budgets=tuple(part(0, step + 1) for step in range(STEPS)),
        share=share,
        contributions=level_shares(dict(levels), final, share),
        overlaps={
            f"{a} & {b}": float((best[a] & best[b]).sum() / max((best[a] | best[b]).sum(), 1))
            for a, b in combinations(best, 2)
        },
    )
