"""One metric over the pool, with the selected part of every bar."""

from __future__ import annotations

import plotly.graph_objects as go

from crowdselect.charts.style import Palette, figure
from crowdselect.values import FloatArray


def metric_histogram(
    edges: FloatArray, pool: FloatArray, chosen: FloatArray, label: str, p: Palette
) -> go.Figure:
    """Bars of counts: the selection in front of the pool."""
    centres = (edges[:-1] + edges[1:]) / 2
    widths = edges[1:] - edges[:-1]
    fig = figure(p, height=190, x=label)
    for counts, name, colour in ((pool, "pool", p.pool), (chosen, "selection", p.selection)):
        fig.add_bar(
            x=centres,
            y=counts,
            width=widths * 0.94,
            name=name,
            marker={"color": colour, "opacity": 0.55 if name == "pool" else 1.0},
            hovertemplate=f"{name}: %{{y:,}}<br>%{{x:.4g}}<extra></extra>",
        )
    fig.update_layout(barmode="overlay", bargap=0)
    return fig
