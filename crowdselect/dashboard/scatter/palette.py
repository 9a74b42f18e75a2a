"""Colours of the large scatter, chosen so that colour-blind readers can tell them apart.

The categories were picked one after another from a grid in OKLCH, each as far as possible (in
OKLab, the least of normal, protan, deutan and tritan vision after Machado et al. 2009) from those
before it, from the grey of missing values and with enough contrast to the page. So the first are
the easiest to tell apart. **The rule:** category ``i`` has colour ``i mod 24``; a 25th category
repeats the first colour, and then the labels and the hover text tell which is which.
"""

from __future__ import annotations

from typing import Final, Literal

ThemeName = Literal["light", "dark"]

CATEGORIES: Final[dict[ThemeName, tuple[str, ...]]] = {
    "light": (
        *("#0B5FA5", "#B01003", "#E9780D", "#5B8DF9", "#7D2759", "#B57DA7", "#99576C", "#F1A278"),
        *("#23BCFE", "#D9471B", "#8158DA", "#C36D68", "#244F7C", "#9A67B8", "#D87FD1", "#98374A"),
        *("#777D3B", "#D4B629", "#A69E59", "#107C8B", "#5826A7", "#15957B", "#FB829F", "#8D1920"),
    ),
    "dark": (
        *("#5AA9F0", "#EBA503", "#31EEE8", "#9F7604", "#5571E7", "#FC6983", "#C8DB90", "#8074A9"),
        *("#BE90B9", "#8EC2FD", "#FACB39", "#CD8817", "#39A678", "#974DBF", "#A1C26B", "#8382E2"),
        *("#51825B", "#D2A2CD", "#93E6BD", "#B7568C", "#9E7FC0", "#4DD099", "#6BAC53", "#6F9352"),
    ),
}
"""24 colours per theme; see the module docstring for the rule beyond."""

SEQUENTIAL: Final[dict[ThemeName, tuple[str, ...]]] = {
    "light": ("#B8DE29", "#55C667", "#20A387", "#2D708E", "#404788", "#440154"),
    "dark": ("#453781", "#33638D", "#238A8D", "#3CBB75", "#95D840", "#FDE725"),
}
"""Viridis (Smith and van der Walt 2015), low to high; trimmed where it would fade into the page and
turned so that *high* stands out most from it."""

NEUTRAL: Final[dict[ThemeName, str]] = {"light": "#A3ACB5", "dark": "#55606B"}
"""Points without a value, and all points where nothing colours them."""


def category_colour(index: int, theme: ThemeName = "light") -> str:
    """Colour (``#RRGGBB``) of the category ``index``, the same as in the scatter's legend."""
    colours = CATEGORIES[theme]
    return colours[index % len(colours)]
