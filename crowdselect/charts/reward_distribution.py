"""How each model's rewards spread: boxes from quantiles, so no reward leaves the server."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from crowdselect.charts.style import Palette, figure, listing_height, plain, plain_all


def reward_distribution(frame: pd.DataFrame, judge: str, p: Palette) -> go.Figure:
    """Boxes from the 5th, 25th, 50th, 75th and 95th percentile, best median on top.

    ``frame``: one row per model with ``model``, ``q05``, ``q25``, ``q50``, ``q75``, ``q95``.
    """
    rows = frame.sort_values("q50", ascending=True, na_position="first")
    names = plain_all(list(rows["model"]))
    title = f"reward, {plain(judge, 60)}"
    fig = figure(p, height=listing_height(len(rows)), x=title, names=names)
    fig.add_box(
        y=names,
        q1=rows["q25"],
        median=rows["q50"],
        q3=rows["q75"],
        lowerfence=rows["q05"],
        upperfence=rows["q95"],
        orientation="h",
        line={"color": p.selection, "width": 1.5},
        fillcolor="rgba(90,150,210,0.25)",
        hoverinfo="x+y",
    )
    return fig
