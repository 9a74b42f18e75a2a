"""Cluster cards: name, size, means of metrics, the most typical and the hardest instructions.

All cards are one component: a card is clicked, or pressed by key, and nothing else is drawn anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import streamlit as st
from markupsafe import Markup

from crowdselect import pipeline
from crowdselect.dashboard import reads
from crowdselect.dashboard.cache import cached
from crowdselect.dashboard.scatter import category_colour
from crowdselect.dashboard.text import number, percent, plural, shorten
from crowdselect.landscape import typical_rows
from crowdselect.metrics import BASE
from crowdselect.store import Crowd
from crowdselect.values import Clustering, IntArray, Recipe

KEY = "map cards"
PROGRAM = """
// The cards come as escaped HTML; what is left to do here is to say which one was chosen.
export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".cards")
  if (root.dataset.html !== data.html) {
    root.innerHTML = data.html
    root.dataset.html = data.html
  }
  const choose = (event) => {
    const card = event.target.closest("[data-label]")
    if (!card) return
    event.preventDefault()
    setTriggerValue("open", Number(card.dataset.label))
  }
  root.onclick = choose
  root.onkeydown = (event) => {
    if (event.key === "Enter" || event.key === " ") choose(event)
  }
}
"""
SHOWN = 2
"""Typical and hardest instructions per card."""
STYLE = Markup(
    "<style>"
    ".cs-cards{display:grid;gap:.6rem;grid-template-columns:repeat(auto-fill,minmax(270px,1fr))}"
    ".cs-cards [data-label]{border:1px solid color-mix(in srgb,currentColor 18%,transparent);"
    "border-radius:6px;padding:.55rem .7rem;min-width:0;overflow-wrap:anywhere}"
    ".cs-cards [data-label]{cursor:pointer}"
    ".cs-cards [data-label]:is(:hover,:focus-visible){outline:2px solid #2B78C5}"
    ".cs-cards i{display:inline-block;width:.7em;height:.7em;border-radius:50%;margin-right:.4em}"
    ".cs-cards small{opacity:.8;display:block}"
    ".cs-cards h4{margin:.55rem 0 0;padding:0;font-size:.85em;font-weight:600}"
    ".cs-cards p{margin:.3rem 0 0;font-size:.92em}"
    "</style>"
)
CARD = Markup(
    '<div data-label="{label}" tabindex="0" role="button" aria-label="Rows of {name}">'
    '<b><i style="background:{colour}"></i>{name}</b><small>{size}</small>'
    "<small>{means}</small>{texts}</div>"
)
LINES = Markup("<h4>{title}</h4>{lines}")
LINE = Markup("<p>{text}</p>")


@dataclass(frozen=True)
class Card:
    """What one card says."""

    label: int
    name: str
    size: int
    share: float
    means: Mapping[str, float]
    typical: tuple[int, ...]
    """Rows closest to the centre."""
    hardest: tuple[int, ...]
    """Rows with the highest difficulty."""
    said: str = ""
    """Its share by hand, in words."""


@cached(recipe=(*reads.MEASURED, *pipeline.CLUSTERED))
def cards_of(crowd: Crowd, recipe: Recipe) -> list[Card]:
    """The cards in order of cluster size."""
    clusters = reads.clustering(crowd, recipe)
    if clusters is None:
        return []
    names = [i.name for i in reads.metric_infos(crowd) if i.name in BASE]
    columns = {name: reads.column(crowd, recipe, name) for name in names}
    typical = typical_rows(reads.vectors(crowd, recipe.encoder), clusters.labels, SHOWN)
    return [_card(clusters, label, columns, typical[label], crowd.n) for label in range(clusters.k)]


def _card(
    clusters: Clustering,
    label: int,
    columns: Mapping[str, np.ndarray],
    typical: IntArray,
    n: int,
) -> Card:
    rows = np.flatnonzero(clusters.labels == label)
    hardest = rows[:0]
    if "difficulty" in columns and len(rows):
        own = np.nan_to_num(columns["difficulty"][rows], nan=-np.inf)
        hardest = rows[np.argsort(-own, kind="stable")[:SHOWN]]
    means = {
        name: float(np.nanmean(values[rows])) if np.isfinite(values[rows]).any() else float("nan")
        for name, values in columns.items()
    }
    return Card(
        label,
        clusters.names[label],
        len(rows),
        len(rows) / max(n, 1),
        means,
        tuple(int(r) for r in typical[:SHOWN]),
        tuple(int(r) for r in hardest),
        share_words(clusters, label),
    )


def share_words(clusters: Clustering, label: int) -> str:
    """What edits say about how much of a cluster is taken; empty: nothing."""
    if clusters.caps.get(label) == 0:
        return ", left out"
    weight, cap = clusters.weights.get(label), clusters.caps.get(label)
    words = f", weight {number(weight)}" if weight is not None else ""
    return words + (f", at most {cap:,}" if cap is not None else "")


def show(
    crowd: Crowd,
    cards: list[Card],
    theme: str,
    on_open: Callable[[], None],
    hues: tuple[int, ...] = (),
) -> None:
    """Draw the cards; ``on_open`` is called when one was clicked, and :func:`opened` says which."""
    html = str(cards_html(crowd, cards, theme, hues))
    _component()(data={"html": html}, key=KEY, on_open_change=on_open)


def opened() -> int | None:
    """The cluster whose card was clicked; for the callback."""
    label = st.session_state[KEY].get("open")
    return None if label is None else int(label)


@cache
def _component() -> Any:
    return st.components.v2.component(
        "crowdselect_cards", html="<div class='cards'></div>", js=PROGRAM, isolate_styles=False
    )


def cards_html(crowd: Crowd, cards: list[Card], theme: str, hues: tuple[int, ...] = ()) -> Markup:
    """All cards as one block of escaped HTML; ``hues``: the colour of each label, else its own."""
    rows = sorted({r for card in cards for r in (*card.typical, *card.hardest)})
    texts = dict(zip(rows, crowd.instruction_texts(rows), strict=True)) if rows else {}
    drawn = [
        CARD.format(
            label=card.label,
            colour=category_colour(
                hues[card.label] if hues else card.label, "dark" if theme == "dark" else "light"
            ),
            name=card.name,
            size=f"{plural(card.size, 'instruction')}, {percent(card.share, 1)}{card.said}",
            means=", ".join(f"{name} {number(value, 2)}" for name, value in card.means.items()),
            texts=_lines("Typical", card.typical, texts) + _lines("Hardest", card.hardest, texts),
        )
        for card in cards
    ]
    return STYLE + Markup('<div class="cs-cards">{}</div>').format(Markup("").join(drawn))


def _lines(title: str, rows: tuple[int, ...], texts: Mapping[int, str]) -> Markup:
    if not rows:
        return Markup("")
    lines = [LINE.format(text=shorten(" ".join(texts[r].split()), 150)) for r in rows]
    return LINES.format(title=title, lines=Markup("").join(lines))
