"""Does a judge pay for length: reward rank within an instruction against answer length."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from crowdselect.charts.style import Palette, figure, log_ticks, plain


def length_bias(frame: pd.DataFrame, p: Palette) -> go.Figure:
    """One line per judge over the tenths of answer length; 0.5 everywhere = no bias.

    ``frame``: ``judge``, ``length`` (median characters of the tenth), ``rank`` (mean rank of the
    reward among the answers to the same instruction, 0 = worst, 1 = best), ``low``, ``high``.
    """
    fig = figure(p, height=300, x="answer length, characters", y="mean reward rank", legend=True)
    for i, (judge, rows) in enumerate(frame.groupby("judge", sort=False)):
        colour = p.categories[i % len(p.categories)]
        fig.add_scatter(
            x=rows["length"],
            y=rows["rank"],
            name=plain(judge, 44),
            mode="lines+markers",
            line={"color": colour, "width": 2, "dash": ("solid", "dash", "dot")[i % 3]},
            marker={"size": 6},
            error_y={
                "type": "data",
                "symmetric": False,
                "array": rows["high"] - rows["rank"],
                "arrayminus": rows["rank"] - rows["low"],
                "thickness": 1,
                "width": 2,
            },
            hovertemplate="about %{x:,.0f} characters<br>mean rank %{y:.3f}<extra></extra>",
        )
    fig.add_hline(y=0.5, line={"color": p.muted, "width": 1, "dash": "dot"})
    fig.update_xaxes(type="log", **log_ticks(frame["length"].to_numpy()))
    return fig
