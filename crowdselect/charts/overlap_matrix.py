"""How far selections overlap: Jaccard indices, printed in the cells."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from crowdselect.charts.style import Palette, figure, plain_all
from crowdselect.values import FloatArray


def overlap_matrix(names: Sequence[str], jaccard: FloatArray, p: Palette) -> go.Figure:
    """Heat map of the Jaccard index, shape (s, s), in [0, 1]."""
    labels = plain_all(names, 24)
    fig = figure(p, height=max(220, 46 * len(labels) + 110), measured=True)
    fig.add_heatmap(
        z=jaccard,
        x=labels,
        y=labels,
        zmin=0,
        zmax=1,
        colorscale=[list(stop) for stop in p.sequential],
        text=[[f"{v:.2f}" for v in row] for row in jaccard],
        texttemplate="%{text}",
        showscale=False,
        xgap=2,
        ygap=2,
        hovertemplate="%{y}<br>%{x}<br>Jaccard %{z:.3f}<extra></extra>",
    )
    fig.update_yaxes(autorange="reversed", showgrid=False)
    fig.update_xaxes(showgrid=False)
    return fig
