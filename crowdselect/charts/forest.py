"""A forest plot: differences to one baseline with their intervals, and what can be told apart."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from crowdselect.charts.style import Palette, figure, listing_height, plain, plain_all


def forest(frame: pd.DataFrame, label: str, p: Palette) -> go.Figure:
    """Dots with whiskers around the line of no difference.

    ``frame``: ``name``, ``value``, ``low``, ``high``, ``p`` (corrected) and ``verdict``
    (``better``, ``worse``, or ``unclear`` where the correction leaves nothing).
    """
    names = plain_all(list(frame["name"]), 44)
    fig = figure(
        p, height=listing_height(len(names)) + 30, x=plain(label, 90), names=names, legend=True
    )
    colours = {"better": p.gain, "worse": p.loss, "unclear": p.muted}
    symbols = {"better": "circle", "worse": "circle", "unclear": "circle-open"}
    said = {"better": "better", "worse": "worse", "unclear": "not distinguishable"}
    for verdict in colours:
        rows = frame.reset_index(drop=True).query("verdict == @verdict")
        if rows.empty:
            continue
        fig.add_scatter(
            x=rows["value"],
            y=[names[i] for i in rows.index],
            name=said[verdict],
            mode="markers",
            marker={"size": 10, "color": colours[verdict], "symbol": symbols[verdict],
                    "line": {"width": 2, "color": colours[verdict]}},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": rows["high"] - rows["value"],
                "arrayminus": rows["value"] - rows["low"],
                "color": colours[verdict],
                "thickness": 1.5,
                "width": 4,
            },
            customdata=rows[["low", "high", "p"]].to_numpy(),
            hovertemplate="%{y}<br>%{x:+.3f} (95 % %{customdata[0]:+.3f} to %{customdata[1]:+.3f})"
            "<br>p = %{customdata[2]:.2g} after Holm's correction<extra></extra>",
        )  # fmt: skip
    fig.add_vline(x=0, line={"color": p.muted, "width": 1, "dash": "dot"})
    fig.update_yaxes(autorange="reversed", type="category", categoryorder="array",
                     categoryarray=names)  # fmt: skip
    return fig
