"""What training took against what it reached: a dot with whiskers per arm."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from crowdselect.charts.style import Palette, figure, plain, plain_all

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star", "hexagon")


def cost_gain(frame: pd.DataFrame, cost: str, gain: str, p: Palette) -> go.Figure:
    """Dots with whiskers; ``frame``: ``name``, ``cost``, ``score``, ``low``, ``high``."""
    fig = figure(p, height=340, x=plain(cost, 60), y=plain(gain, 60), legend=True)
    names = plain_all(list(frame["name"]), 32)
    for place, (row, name) in enumerate(zip(frame.to_dict("records"), names, strict=True)):
        colour = p.categories[place % len(p.categories)]
        fig.add_scatter(
            x=[row["cost"]],
            y=[row["score"]],
            name=name,
            mode="markers",
            marker={"size": 10, "color": colour, "symbol": SYMBOLS[place % len(SYMBOLS)]},
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [row["high"] - row["score"]],
                "arrayminus": [row["score"] - row["low"]],
                "color": colour,
                "thickness": 1,
                "width": 3,
            },
            hovertemplate="%{fullData.name}<br>%{x:,}: %{y:.3f}<extra></extra>",
        )
    return fig
