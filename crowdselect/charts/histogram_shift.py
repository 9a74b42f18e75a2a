"""A quantity's distribution in the pool and in the selection, on the same bins."""

from __future__ import annotations

import plotly.graph_objects as go

from crowdselect.charts.style import Palette, figure, log_ticks
from crowdselect.values import FloatArray


def histogram_shift(
    edges: FloatArray,
    pool: FloatArray,
    chosen: FloatArray,
    label: str,
    p: Palette,
    *,
    log: bool = False,
) -> go.Figure:
    """Two step outlines of shares (per cent); ``edges`` has one entry more than the counts."""
    fig = figure(p, height=240, x=label, legend=True)
    for counts, name, colour, fill in (
        (pool, "pool", p.pool, "tozeroy"),
        (chosen, "selection", p.selection, "none"),
    ):
        total = max(float(counts.sum()), 1.0)
        share = [*(counts / total * 100), 0.0]
        fig.add_scatter(
            x=edges,
            y=share,
            name=name,
            mode="lines",
            line={"shape": "hv", "color": colour, "width": 2},
            fill=fill,
            hovertemplate=f"{name}: %{{y:.1f}} %<extra></extra>",
        )
    fig.update_yaxes(ticksuffix=" %", rangemode="tozero")
    if log:
        fig.update_xaxes(type="log", **log_ticks(edges))
    fig.update_layout(hovermode="x")
    return fig
