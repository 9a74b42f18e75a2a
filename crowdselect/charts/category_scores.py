"""Benchmark scores by category, runs side by side."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from crowdselect.charts.style import Palette, figure, listing_height, plain, plain_all

USEFUL = 10
"""Fewer questions than this say next to nothing about a category."""


def useful(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The rows of categories with enough questions in every run, and the other categories."""
    fewest = frame.groupby("category", sort=False)["n"].min()
    few = [str(category) for category in fewest.index[fewest < USEFUL]]
    return frame[~frame["category"].isin(few)], few


def category_scores(frame: pd.DataFrame, label: str, p: Palette) -> go.Figure:
    """One dot with its interval per run and category, and how many questions each has.

    ``frame``: ``run``, ``category``, ``score``, ``low``, ``high``, ``n``.
    """
    categories = list(dict.fromkeys(frame["category"]))
    asked = frame.groupby("category", sort=False)["n"].max()
    titles = [f"{c} ({asked[c]:,})" for c in categories]
    shown = dict(zip(categories, plain_all(titles), strict=True))
    fig = figure(
        p,
        height=listing_height(len(categories), extra=90),
        x=plain(label, 80),
        legend=True,
        names=list(shown.values()),
    )
    symbols = ("circle", "diamond", "square", "triangle-up", "x", "cross")
    for i, (run, rows) in enumerate(frame.groupby("run", sort=False)):
        fig.add_scatter(
            x=rows["score"],
            y=[shown[c] for c in rows["category"]],
            name=plain(run, 32),
            mode="markers",
            marker={"size": 9, "color": p.categories[i % 8], "symbol": symbols[i % 6]},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": rows["high"] - rows["score"],
                "arrayminus": rows["score"] - rows["low"],
                "color": p.categories[i % 8],
                "thickness": 1.2,
                "width": 3,
            },
            customdata=rows[["low", "high", "n"]].to_numpy(),
            hovertemplate="%{y}<br>%{x:.4g} (95 % %{customdata[0]:.4g} to %{customdata[1]:.4g})"
            "<br>%{customdata[2]:,} questions<extra></extra>",
        )
    fig.update_yaxes(autorange="reversed", type="category")
    return fig
