"""Benchmark scores by category, runs side by side."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from crowdselect.charts.style import Palette, figure, listing_height, plain, plain_all


def category_scores(frame: pd.DataFrame, label: str, p: Palette) -> go.Figure:
    """One dot per run and category; ``frame``: ``run``, ``category``, ``score``."""
    categories = list(dict.fromkeys(frame["category"]))
    shown = dict(zip(categories, plain_all(categories), strict=True))
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
            hovertemplate="%{y}<br>%{x:.4g}<extra></extra>",
        )
    fig.update_yaxes(autorange="reversed", type="category")
    return fig
