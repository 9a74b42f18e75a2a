"""Win rates of Arena-Hard: weighted mean, Bradley-Terry, and the intervals of either version."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from crowdselect.benchmark.base import Item, Score
from crowdselect.benchmark.controlled import controlled_rate
from crowdselect.benchmark.statistics import LEVEL, Interval, cluster_bootstrap, resamples
from crowdselect.values import FloatArray

ROUNDS = 100
"""Bootstrap rounds of the published code."""

STYLE_NEEDS = 30
"""Questions below which five coefficients of style are not worth fitting."""


@dataclass(frozen=True)
class Battle:
    """A game with a verdict: ``score`` in [0, 1] is what the model got, against the anchor."""

    question: str
    score: float
    weight: float


def bradley_terry(wins: FloatArray, anchor: int, *, base: float = 1000.0) -> FloatArray:
    """Elo-scaled strengths (400 points = tenfold odds) by maximum likelihood.

    ``wins[i, j]``: weighted wins of i over j, ties half each; shape (m, m). The anchor gets
    ``base``. By the minorise-maximise iteration (Hunter 2004, eq. 3); a model that never won (or
    never lost) gets minus (plus) infinity. With one opponent the expected score is exactly the
    win rate, so v0.1's win rate is the weighted mean over the games that have a verdict.
    """
    played = wins + wins.T
    total = wins.sum(axis=1)
    strength = np.ones(len(wins))
    for _ in range(10_000):
        with np.errstate(divide="ignore", invalid="ignore"):
            share = played / (strength[:, None] + strength[None, :])
            np.fill_diagonal(share, 0.0)
            updated = total / np.nan_to_num(share).sum(axis=1)
            updated = np.nan_to_num(updated, posinf=0.0)
        updated /= updated.max()
        if np.allclose(updated, strength, rtol=1e-12, atol=0):
            break
        strength = updated
    with np.errstate(divide="ignore", invalid="ignore"):
        elo: FloatArray = base + 400 * np.log10(strength / strength[anchor])
    elo[anchor] = base
    return elo


def elo_of(rate: float) -> float:
    """Elo of a model with this win rate in [0, 1] over an anchor at 1000; NaN stays NaN."""
    if math.isnan(rate):
        return rate
    return float(bradley_terry(np.array([[0.0, 1 - rate], [rate, 0.0]]), 0)[1])


def published_interval(
    battles: Sequence[Battle], *, low: float, high: float, seed: int = 42
) -> Interval:
    """The interval as the published code makes it: mean and quantiles of 100 resamples.

    A battle of weight 3 is three battles, and each is resampled by itself, also the two games of
    one question: narrower than what the data support. Shown for comparison with published rows.
    """
    copies = np.array([b.score for b in battles for _ in range(round(b.weight))])
    if not len(copies):
        return Interval(math.nan, math.nan, math.nan)
    rng = np.random.default_rng(seed)
    means = rng.choice(copies, size=(ROUNDS, len(copies))).mean(axis=1)
    return Interval(float(means.mean()), *(float(np.quantile(means, q)) for q in (low, high)))


def arena_hard_scores(found: list[Score], items: Sequence[Item], seed: int) -> list[Score]:
    """Add the official methods' numbers to the headline and the categories, in percent."""
    games = [
        Battle(i.question, i.details["score"], i.details["weight"])
        for i in items
        if i.details.get("score") is not None
    ]
    whole = [Battle(i.question, i.value / 100, i.weight) for i in items if i.value is not None]
    headline = found[0]
    older = cluster_bootstrap(
        [100 * g.score for g in games],
        [g.question for g in games],
        weights=[g.weight for g in games],
        bounds=(0.0, 100.0),
        seed=seed,
    )
    v2 = published_interval(whole, low=0.05, high=0.95)
    v01 = published_interval(games, low=0.025, high=0.975)
    official = [
        ("win rate %, format of Arena-Hard v2 (90 %)", v2),
        ("win rate %, format of Arena-Hard v0.1 (95 %)", v01),
    ]
    ends = (older.value, older.low, older.high)
    elo = Interval(*(elo_of(end / 100) for end in ends))
    added = [
        replace(headline, metric="win rate %, Bradley-Terry as v0.1", interval=older),
        replace(headline, metric="Elo, Bradley-Terry (anchor 1000)", interval=elo),
        *_style_controlled(headline, items, seed),
        *(replace(headline, metric=name, interval=_percent(i)) for name, i in official),
        *_swap(headline, items, seed),
    ]
    return [headline, *added, *found[1:]]


def _percent(interval: Interval) -> Interval:
    return Interval(100 * interval.value, 100 * interval.low, 100 * interval.high)


def _style_controlled(headline: Score, items: Sequence[Item], seed: int) -> list[Score]:
    """The win rate at equal length and markdown; nothing below :data:`STYLE_NEEDS` questions.

    Arena-Hard v2 fits Bradley-Terry with features centred over a pool of models. One model has no
    pool, and centring on itself would take nothing out: 0 is where both answers are alike.
    """
    valid = [i for i in items if i.value is not None and "style" in i.details]
    names, places = np.unique([i.question for i in valid], return_inverse=True)
    if len(names) < STYLE_NEEDS:
        return []
    won = np.array([(i.value or 0.0) / 100 for i in valid])
    weights = np.array([i.weight for i in valid])
    rates = partial(controlled_rate, won, np.array([i.details["style"] for i in valid]))
    value = float(rates(weights[None])[0])
    draws = np.concatenate([rates(d[:, places] * weights) for d in resamples(len(names), seed)])
    ends = (float(end) for end in np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]))
    interval = _percent(Interval(value, *ends))
    return [replace(headline, metric="style-controlled win rate % (own)", interval=interval)]


def _swap(headline: Score, items: Sequence[Item], seed: int) -> list[Score]:
    """How often swapping the order changed who won: how far the judge can be trusted."""
    sides: dict[str, list[float]] = {}
    for item in items:
        if item.value is not None:
            sides.setdefault(item.question, []).append(float(np.sign(item.value - 50)))
    pairs = {q: s for q, s in sides.items() if len(s) == 2}
    if not pairs:
        return []
    changed = [100.0 * (a != b) for a, b in pairs.values()]
    interval = cluster_bootstrap(changed, list(pairs), seed=seed)
    return [replace(headline, metric="verdict changed when swapped %", interval=interval,
                    n=len(pairs), failed=0)]  # fmt: skip
