"""Models by mean reward of one judge, each with its interval."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from crowdselect.charts.style import Palette, figure, listing_height, plain, plain_all


def leaderboard(frame: pd.DataFrame, judge: str, p: Palette) -> go.Figure:
    """Dots with whiskers, best on top.

    ``frame``: one row per model with ``model``, ``family``, ``mean``, ``low``, ``high`` (the
    judge's unit) and ``n`` (rewards counted).
    """
    rows = frame.sort_values("mean", ascending=True, na_position="first")
    names = plain_all(list(rows["model"]))
    title = f"mean reward, {plain(judge, 60)}"
    fig = figure(p, height=listing_height(len(rows)), x=title, names=names)
    fig.add_scatter(
        x=rows["mean"],
        y=names,
        mode="markers",
        marker={"size": 9, "color": p.selection},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": rows["high"] - rows["mean"],
            "arrayminus": rows["mean"] - rows["low"],
            "color": p.muted,
            "thickness": 1.5,
            "width": 3,
        },
        customdata=[
            [plain(f), int(n), lo, hi]
            for f, n, lo, hi in zip(
                rows["family"].fillna("family unknown"),
                rows["n"],
                rows["low"],
                rows["high"],
                strict=True,
            )
        ],
        hovertemplate="%{y}<br>%{customdata[0]}<br>mean %{x:.4g}<br>95 % %{customdata[2]:.4g} to "
        "%{customdata[3]:.4g}<br>%{customdata[1]:,} rewards<extra></extra>",
    )
    return fig
