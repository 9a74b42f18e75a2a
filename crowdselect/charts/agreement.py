"""How far the judges agree: rank correlations, printed in the cells."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from crowdselect.charts.style import Palette, figure, plain_all


def agreement(matrix: pd.DataFrame, p: Palette, what: str = "Spearman") -> go.Figure:
    """Heat map of a correlation; ``matrix``: judges by judges, in [-1, 1], NaN = unknown."""
    names = plain_all(list(matrix.columns), 28)
    fig = figure(p, height=max(200, 56 * len(names) + 110), measured=True)
    fig.add_heatmap(
        z=matrix.to_numpy(),
        x=names,
        y=names,
        zmin=-1,
        zmax=1,
        colorscale=[list(stop) for stop in p.diverging],
        text=[["" if v != v else f"{v:.2f}" for v in row] for row in matrix.to_numpy()],
        texttemplate="%{text}",
        showscale=False,
        xgap=2,
        ygap=2,
        hovertemplate=f"%{{y}}<br>%{{x}}<br>{what} %{{z:.3f}}<extra></extra>",
    )
    fig.update_yaxes(autorange="reversed", showgrid=False)
    fig.update_xaxes(showgrid=False)
    return fig
