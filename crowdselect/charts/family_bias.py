"""Judges that favour a family: each judge's ranking of a family against the other judges'."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from crowdselect.charts.style import Palette, figure, listing_height, plain_all


def family_bias(matrix: pd.DataFrame, p: Palette) -> go.Figure:
    """Heat map: families by judges, rank difference in percentage points, + = favoured."""
    bound = max(5.0, float(matrix.abs().max().max()) * 100) if matrix.size else 5.0
    values = matrix.to_numpy() * 100
    fig = figure(p, height=listing_height(len(matrix), extra=110), measured=True)
    fig.add_heatmap(
        z=values,
        x=plain_all(list(matrix.columns), 28),
        y=plain_all(list(matrix.index)),
        zmin=-bound,
        zmax=bound,
        colorscale=[list(stop) for stop in p.diverging],
        text=[["" if v != v else f"{v:+.1f}" for v in row] for row in values],
        texttemplate="%{text}",
        showscale=False,
        xgap=2,
        ygap=2,
        hovertemplate="%{y}<br>%{x}<br>%{z:+.1f} points<extra></extra>",
    )
    fig.update_yaxes(autorange="reversed", showgrid=False)
    fig.update_xaxes(showgrid=False, side="top")
    return fig
