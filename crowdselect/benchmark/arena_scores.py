"""Win rates of Arena-Hard: weighted mean, Elo, style-controlled, and either version's format."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from crowdselect.benchmark.base import Item, Score
from crowdselect.benchmark.controlled import controlled_interval
from crowdselect.benchmark.statistics import Interval, mean_interval

ROUNDS = 100
"""Bootstrap rounds of the published code."""

PERCENT = (0.0, 100.0)

STYLE_NEEDS = 30
"""Questions below which five coefficients of style are not worth fitting."""


@dataclass(frozen=True)
class Battle:
    """A game with a verdict: ``score`` in [0, 1] is what the model got, against the anchor."""

    question: str
    score: float
    weight: float


def elo_of(rate: float, *, base: float = 1000.0) -> float:
    """Elo of a model with this win rate in [0, 1] over an anchor at ``base``; NaN stays NaN.

    Bradley-Terry of two players in closed form: 400 points are tenfold odds. Against one opponent
    the expected score at the maximum likelihood is exactly the win rate, so v0.1's win rate is
    the weighted mean over the games that have a verdict. Never (always) won: minus (plus) infinity.
    """
    if math.isnan(rate):
        return rate
    if rate <= 0 or rate >= 1:
        return math.copysign(math.inf, rate - 0.5)
    return base + 400 * math.log10(rate / (1 - rate))


def published_interval(
    battles: Sequence[Battle], version: Literal["v2", "v0.1"], *, seed: int = 42
) -> Interval:
    """The figure as the published code makes it, from 100 resamples of single battles.

    v2 shows the mean of the resamples with their 5 and 95 % quantiles, v0.1 the value of the full
    data with the 2.5 and 97.5 % quantiles. A battle of weight 3 is three battles, and each is
    resampled by itself, also the two games of one question: narrower than what the data support.
    Shown for comparison with published rows.
    """
    copies = np.array([b.score for b in battles for _ in range(round(b.weight))])
    if not len(copies):
        return Interval(math.nan, math.nan, math.nan)
    rng = np.random.default_rng(seed)
    means = rng.choice(copies, size=(ROUNDS, len(copies))).mean(axis=1)
    tail = {"v2": 0.05, "v0.1": 0.025}[version]
    value = means.mean() if version == "v2" else copies.mean()
    return Interval(float(value), *(float(np.quantile(means, q)) for q in (tail, 1 - tail)))


def arena_hard_scores(found: list[Score], items: Sequence[Item], seed: int) -> list[Score]:
    """Add the official methods' numbers to the headline and the categories, in percent."""
    games = [
        Battle(i.question, i.details["score"], i.details["weight"])
        for i in items
        if i.details.get("score") is not None
    ]
    whole = [Battle(i.question, i.value / 100, i.weight) for i in items if i.value is not None]
    headline = found[0]
    older = mean_interval(
        [100 * g.score for g in games],
        [g.question for g in games],
        weights=[g.weight for g in games],
        bounds=PERCENT,
    )
    v2 = published_interval(whole, "v2", seed=seed)
    v01 = published_interval(games, "v0.1", seed=seed)
    official = [
        ("win rate %, format of Arena-Hard v2 (90 %)", v2),
        ("win rate %, format of Arena-Hard v0.1 (95 %)", v01),
    ]
    ends = (older.value, older.low, older.high)
    elo = Interval(*(elo_of(end / 100) for end in ends))
    added = [
        replace(headline, metric="win rate %, Bradley-Terry as v0.1", interval=older),
        replace(headline, metric="Elo, Bradley-Terry (anchor 1000)", interval=elo),
        *_style_controlled(headline, items),
        *(replace(headline, metric=name, interval=_percent(i)) for name, i in official),
        *_swap(headline, items),
    ]
    return [headline, *added, *found[1:]]


def _percent(interval: Interval) -> Interval:
    return Interval(100 * interval.value, 100 * interval.low, 100 * interval.high)


def _style_controlled(headline: Score, items: Sequence[Item]) -> list[Score]:
    """The win rate at equal length and markdown; nothing below :data:`STYLE_NEEDS` questions.

    Arena-Hard v2 fits Bradley-Terry with features centred over a pool of models. One model has no
    pool, and centring on itself would take nothing out: 0 is where both answers are alike.
    """
    valid = [i for i in items if i.value is not None and "style" in i.details]
    names = [i.question for i in valid]
    if len(set(names)) < STYLE_NEEDS:
        return []
    won = np.array([(i.value or 0.0) / 100 for i in valid])
    weights = np.array([i.weight for i in valid])
    features = np.array([i.details["style"] for i in valid])
    interval = _percent(controlled_interval(won, features, weights, names))
    return [replace(headline, metric="style-controlled win rate % (own)", interval=interval)]


def _swap(headline: Score, items: Sequence[Item]) -> list[Score]:
    """How often swapping the order changed who won: how far the judge can be trusted."""
    sides: dict[str, list[float]] = {}
    for item in items:
        if item.value is not None:
            sides.setdefault(item.question, []).append(float(np.sign(item.value - 50)))
    pairs = {q: s for q, s in sides.items() if len(s) == 2}
    if not pairs:
        return []
    changed = [100.0 * (a != b) for a, b in pairs.values()]
    interval = mean_interval(changed, list(pairs), bounds=PERCENT)
    return [replace(headline, metric="verdict changed when swapped %", interval=interval,
                    n=len(pairs), failed=0)]  # fmt: skip
