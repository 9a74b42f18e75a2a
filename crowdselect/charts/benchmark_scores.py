"""Runs by benchmark score with intervals; also differences against a reference."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from crowdselect.charts.style import Palette, figure, listing_height, plain, plain_all


def benchmark_scores(
    frame: pd.DataFrame, label: str, p: Palette, *, zero: bool = False
) -> go.Figure:
    """Dots with whiskers; ``frame``: ``name``, ``score``, ``low``, ``high``, ``n``.

    ``zero`` draws the line of no difference (for paired differences).
    """
    names = plain_all(list(frame["name"]), 44)
    fig = figure(p, height=listing_height(len(names)), x=plain(label, 80), names=names)
    fig.add_scatter(
        x=frame["score"],
        y=names,
        mode="markers",
        marker={"size": 10, "color": p.selection},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": frame["high"] - frame["score"],
            "arrayminus": frame["score"] - frame["low"],
            "color": p.muted,
            "thickness": 1.5,
            "width": 4,
        },
        customdata=frame[["low", "high", "n"]].to_numpy(),
        hovertemplate="%{y}<br>%{x:.4g} (95 % %{customdata[0]:.4g} to %{customdata[1]:.4g})"
        "<br>%{customdata[2]:,} questions<extra></extra>",
    )
    if zero:
        fig.add_vline(x=0, line={"color": p.muted, "width": 1, "dash": "dot"})
    fig.update_yaxes(autorange="reversed", type="category")
    return fig
