"""The look of every figure: two palettes that colour-blind readers can tell apart, one layout."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from crowdselect.values import FloatArray

FONT = "'Source Sans', 'Source Sans 3', 'Segoe UI', system-ui, sans-serif"
CHAR_PX = 6.5
LONGEST = 40
NUMBER = 8
"""Characters of an axis's numbers, at most."""
LOG_STEPS = ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 7))
LEAST_TICKS = 3
ROW_PX = 22
"""Height of one line of a chart that lists things."""


@dataclass(frozen=True)
class Palette:
    """Colours by meaning; the same meaning has the same hue in both themes."""

    name: str
    text: str
    muted: str
    """Secondary text, whiskers, reference lines."""
    grid: str
    surface: str
    """The page behind the figure; marks get an outline of this colour where they overlap."""
    pool: str
    """Everything that could be chosen."""
    selection: str
    """What is chosen."""
    baseline: str
    """What it is compared with: random, the last saved selection."""
    gain: str
    loss: str
    categories: tuple[str, ...]
    """The first of the large scatter's that keep a contrast of 3:1 with the surface."""
    sequential: tuple[tuple[float, str], ...]
    diverging: tuple[tuple[float, str], ...]


LIGHT = Palette(
    name="light",
    text="#1B2733",
    muted="#5B6876",
    grid="#E3E8ED",
    surface="#FFFFFF",
    pool="#8A97A5",
    selection="#0B5FA5",
    baseline="#B86E00",
    gain="#007A5A",
    loss="#C04A00",
    categories=(
        "#0B5FA5",
        "#B01003",
        "#5B8DF9",
        "#7D2759",
        "#B57DA7",
        "#99576C",
        "#D9471B",
        "#8158DA",
    ),
    sequential=((0.0, "#EEF4FA"), (0.5, "#5B9BD0"), (1.0, "#083A66")),
    diverging=((0.0, "#B35806"), (0.5, "#F4F4F4"), (1.0, "#0B5FA5")),
)

DARK = Palette(
    name="dark",
    text="#E6EBF0",
    muted="#9DABB9",
    grid="#2C3845",
    surface="#10171F",
    pool="#77858F",
    selection="#5AA9F0",
    baseline="#F0A53A",
    gain="#2FC49B",
    loss="#FF8A4C",
    categories=(
        "#5AA9F0",
        "#EBA503",
        "#31EEE8",
        "#9F7604",
        "#5571E7",
        "#FC6983",
        "#C8DB90",
        "#8074A9",
    ),
    sequential=((0.0, "#16222E"), (0.5, "#2F78BD"), (1.0, "#BFE0FF")),
    diverging=((0.0, "#FF8A4C"), (0.5, "#1D2731"), (1.0, "#5AA9F0")),
)


def palette(name: str | None) -> Palette:
    """The palette called ``dark``, else the light one."""
    return DARK if name == "dark" else LIGHT


def plain(text: object, limit: int = 40) -> str:
    """Text from data as a figure may show it: no markup, no TeX, at most ``limit`` characters."""
    words = " ".join(str(text).split())
    short = words if len(words) <= limit else words[: limit - 1] + "\N{HORIZONTAL ELLIPSIS}"
    return html.escape(short, quote=False).replace("$", "&#36;")


def plain_all(texts: Sequence[object], limit: int = 40) -> list[str]:
    """:func:`plain` for every text; equal results are told apart by an invisible suffix."""
    seen: dict[str, int] = {}
    result = []
    for text in texts:
        label = plain(text, limit)
        count = seen[label] = seen.get(label, -1) + 1
        result.append(label + "\N{ZERO WIDTH SPACE}" * count)
    return result


def size_words(size_b: float) -> str:
    """A model's size, given in billions of parameters, in words: ``7B``, ``4.6M``, ``68K``."""
    for unit, scale in (("B", 1.0), ("M", 1e-3), ("K", 1e-6)):
        if size_b >= scale:
            return f"{size_b / scale:.3g}{unit}"
    return f"{size_b * 1e9:.0f}"


def log_ticks(values: Sequence[float] | FloatArray) -> dict[str, Any]:
    """Round ticks over the range of ``values`` for a log axis: as few as tell the scale."""
    own = np.asarray(values, dtype=np.float64)
    own = own[np.isfinite(own) & (own > 0)]
    if not len(own):
        return {}
    low, high = own.min(), own.max()
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    ticks: list[float] = []
    for steps in LOG_STEPS:
        ticks = [s * 10.0**e for e in decades for s in steps]
        if sum(low <= tick <= high for tick in ticks) >= LEAST_TICKS:
            break
    return {"tickvals": ticks, "ticktext": [f"{tick:,.6g}" for tick in ticks]}


def listing_height(rows: int, *, extra: int = 70, least: int = 120) -> int:
    """Height in pixels of a figure with one line per thing."""
    return max(least, rows * ROW_PX + extra)


def _room(names: Sequence[str], title: str) -> int:
    """Pixels for the labels to the left."""
    longest = max((len(html.unescape(name)) for name in names), default=NUMBER)
    return round(min(longest, LONGEST) * CHAR_PX) + 19 + (18 if title else 0)


def figure(
    p: Palette,
    *,
    height: int = 280,
    x: str = "",
    y: str = "",
    legend: bool = False,
    names: Sequence[str] = (),
    measured: bool = False,
) -> go.Figure:
    """An empty figure with our layout: transparent, quiet grid, axis titles, no toolbar noise.

    ``names`` are the labels to the left, which the margin makes room for. ``measured`` lets plotly
    measure all labels instead, which draws everything twice: for figures that nobody moves.
    """
    axis = {
        "gridcolor": p.grid,
        "zerolinecolor": p.grid,
        "linecolor": p.grid,
        "tickfont": {"size": 12, "color": p.text},
        "automargin": measured,
        "fixedrange": True,
    }
    title = {"size": 12, "color": p.muted}
    layout = {
        "height": height,
        "margin": {
            "l": 8 if measured else _room(names, y),
            "r": 16,
            "t": 28 if legend else 8,
            "b": 8 if measured else 24 + (20 if x else 0),
        },
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 13, "color": p.text},
        "showlegend": legend,
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1.0,
            "yanchor": "bottom",
            "font": {"size": 12},
            "itemclick": False,
            "itemdoubleclick": False,
        },
        "hoverlabel": {"font": {"family": FONT, "size": 12}, "align": "left"},
        "xaxis": {**axis, "title": {"text": x, "font": title}},
        "yaxis": {**axis, "ticklabelstandoff": 5, "title": {"text": y, "font": title}},
        "dragmode": False,
    }
    # A slider draws four figures per movement; validating our own layout each time would take
    # five times as long as drawing them. The tests validate every figure.
    return go.Figure({"layout": layout}, _validate=False)
