"""Where the selection is cut, cluster by cluster, and how many rows tie there."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from crowdselect.charts.style import Palette, figure, listing_height, plain_all


def cut_line(frame: pd.DataFrame, p: Palette) -> go.Figure:
    """Per cluster the range of scores, the last score taken and the first one left.

    ``frame``: ``label``, ``low`` and ``high`` (range of eligible scores), ``taken`` (lowest score
    taken, NaN = none), ``left`` (highest score left, NaN = none), ``n_taken``, ``n``, ``ties``
    (rows with the score of the cut, taken or not).
    """
    names = plain_all(list(frame["label"]), 24)
    fig = figure(
        p, height=listing_height(len(names), extra=84), x="score", legend=True, names=names
    )
    spans_x: list[float | None] = []
    spans_y: list[str | None] = []
    for name, low, high in zip(names, frame["low"], frame["high"], strict=True):
        spans_x += [low, high, None]
        spans_y += [name, name, None]
    fig.add_scatter(
        x=spans_x,
        y=spans_y,
        mode="lines",
        line={"color": p.grid, "width": 4},
        hoverinfo="skip",
        showlegend=False,
    )
    fig.add_scatter(
        x=frame["left"],
        y=names,
        name="first left out",
        mode="markers",
        marker={
            "size": 9,
            "color": p.pool,
            "symbol": "line-ns",
            "line": {"width": 2, "color": p.pool},
        },
        hovertemplate="%{y}<br>highest score left out: %{x:.4f}<extra></extra>",
    )
    fig.add_scatter(
        x=frame["taken"],
        y=names,
        name="last taken",
        mode="markers",
        marker={"size": 10, "color": p.selection},
        customdata=frame[["n_taken", "n", "ties"]].to_numpy(),
        hovertemplate="%{y}<br>cut at %{x:.4f}<br>%{customdata[0]:,} of %{customdata[1]:,} taken"
        "<br>%{customdata[2]:,} rows share this score<extra></extra>",
    )
    fig.update_yaxes(autorange="reversed", type="category")
    return fig
