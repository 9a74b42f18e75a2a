"""Three instructions that came in and three that did not, each with the reason in plain words."""

from __future__ import annotations

import numpy as np

from crowdselect.chosen import Selection
from crowdselect.dashboard import reads
from crowdselect.dashboard.report.story import Told
from crowdselect.dashboard.text import shorten
from crowdselect.metrics import METRICS, parse_column
from crowdselect.store import Crowd
from crowdselect.values import FloatArray, IntArray, Recipe

SHOWN = 3
CHARS = 170
"""Of an instruction, so that three of each kind fit on the page."""
PLAIN = {
    "difficulty": ("is harder for the models than", "is easier for the models than"),
    "separability": (
        "separates good models from poor ones better than",
        "separates good models from poor ones less well than",
    ),
    "stability": (
        "favours larger models more reliably than",
        "favours larger models less reliably than",
    ),
}
"""Metric -> what a high and what a low value says of an instruction; "90 of 100" follows."""
CLEAR = 70
"""From this percentile on a value is worth naming."""


def came_in(crowd: Crowd, chosen: Selection) -> list[Told]:
    """The first, the middle and the last of the chosen."""
    rows = crowd.rows(chosen.ids)
    return _told(crowd, chosen.recipe, _spaced(rows), wanted=True)


def left_out(crowd: Crowd, chosen: Selection) -> list[Told]:
    """The nearest miss, the middle and the farthest of what competed and was not chosen."""
    rest = np.setdiff1d(np.arange(crowd.n), crowd.rows(chosen.ids))
    scores = _scores(crowd, chosen.recipe)
    if scores is None:
        kept = rest[reads.filtered(crowd, chosen.recipe)[rest]]
        return _told(crowd, chosen.recipe, _spaced(kept if len(kept) else rest), wanted=False)
    competing = rest[~np.isnan(scores[rest])]
    ranked = competing[np.argsort(-scores[competing], kind="stable")]
    return _told(crowd, chosen.recipe, _spaced(ranked if len(ranked) else rest), wanted=False)


def _spaced(rows: IntArray) -> IntArray:
    places = np.unique(np.linspace(0, len(rows) - 1, min(SHOWN, len(rows))).astype(int))
    return rows[places] if len(rows) else rows


def _scores(crowd: Crowd, recipe: Recipe) -> FloatArray | None:
    """The weighted sums (n,), NaN for rows that do not compete; None: chosen without weights."""
    if recipe.strategy != "crowdselect":
        return None
    return reads.session(crowd).reselector(recipe).scores(recipe.weights)


def _told(crowd: Crowd, recipe: Recipe, rows: IntArray, *, wanted: bool) -> list[Told]:
    texts = crowd.instruction_texts(rows) if len(rows) else []
    return [
        Told(shorten(" ".join(text.split()), CHARS), _reason(crowd, recipe, int(row), wanted))
        for row, text in zip(rows, texts, strict=True)
    ]


def _reason(crowd: Crowd, recipe: Recipe, row: int, wanted: bool) -> str:
    identity = str(crowd.ids[row])
    if identity in recipe.pins:
        return "Put in by hand."
    if identity in recipe.bans:
        return "Left out by hand."
    if not reads.filtered(crowd, recipe)[row]:
        return "Set aside beforehand: it does not meet what was asked of every instruction."
    if recipe.strategy == "random":
        return "Drawn by chance." if wanted else "Not drawn."
    if recipe.strategy != "crowdselect":
        return "Among the first of its order." if wanted else "Others came before it."
    clauses = _clauses(crowd, recipe, row, wanted)
    if not wanted:
        start = "Others fit better" if not recipe.clusters else "Others on its subject fit better"
        return f"{start}: it {' and '.join(clauses)}." if clauses else f"{start}."
    if not clauses:
        return "The best there was, though it does not stand out."
    return f"It {' and '.join(clauses)}."


def _clauses(crowd: Crowd, recipe: Recipe, row: int, wanted: bool) -> list[str]:
    """Up to two values that speak for the row (or, where it is not ``wanted``, against it)."""
    found: list[tuple[float, str]] = []
    for name, weight in recipe.weights.items():
        percentile = float(reads.percentiles(crowd, recipe, name)[row])
        if not weight or np.isnan(percentile):
            continue
        fits = percentile if weight > 0 else 100 - percentile
        against = 100 - fits
        strength = fits if wanted else against
        if strength >= CLEAR:
            high = percentile >= 50
            share = round(percentile if high else 100 - percentile)
            found.append((abs(weight) * strength, f"{_words(name, high)} {min(share, 99)} of 100"))
    return [words for _, words in sorted(found, key=lambda pair: -pair[0])[:2]]


def _words(name: str, high: bool) -> str:
    metric = parse_column(name).metric
    if metric in PLAIN:
        return PLAIN[metric][0 if high else 1]
    title = METRICS[metric].title.lower() if metric in METRICS else metric
    return f"has {'more' if high else 'less'} {title} than"
