"""Score against budget: a line with a band of intervals per arm."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from crowdselect.charts.style import Palette, figure, plain, plain_all

DASHES = ("solid", "dash", "dot", "dashdot", "longdash")


def budget_curves(frame: pd.DataFrame, label: str, p: Palette) -> go.Figure:
    """Lines with whiskers; ``frame``: ``arm``, ``budget`` (rows), ``score``, ``low``, ``high``."""
    fig = figure(p, height=340, x="rows trained on", y=plain(label, 60), legend=True)
    arms = list(dict.fromkeys(frame["arm"]))
    for place, (arm, name) in enumerate(zip(arms, plain_all(arms, 32), strict=True)):
        rows = frame[frame["arm"] == arm].sort_values("budget")
        colour = p.categories[place % len(p.categories)]
        fig.add_scatter(
            x=rows["budget"],
            y=rows["score"],
            name=name,
            mode="lines+markers",
            line={"color": colour, "dash": DASHES[place // len(p.categories) % len(DASHES)]},
            error_y={
                "type": "data",
                "symmetric": False,
                "array": rows["high"] - rows["score"],
                "arrayminus": rows["score"] - rows["low"],
                "color": colour,
                "thickness": 1,
                "width": 3,
            },
            hovertemplate="%{fullData.name}<br>%{x:,} rows: %{y:.3f}<extra></extra>",
        )
    return fig
