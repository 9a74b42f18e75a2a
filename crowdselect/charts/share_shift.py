"""Shares of groups (clusters, best models) in the pool and in the selection."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from crowdselect.charts.style import Palette, figure, listing_height, plain_all
from crowdselect.values import FloatArray


def share_shift(
    labels: Sequence[str], pool: FloatArray, chosen: FloatArray, p: Palette
) -> go.Figure:
    """A dumbbell per group: grey = share of the pool, blue = share of the selection (per cent)."""
    names = plain_all(labels, 24)
    pool_share = pool / max(float(pool.sum()), 1.0) * 100
    chosen_share = chosen / max(float(chosen.sum()), 1.0) * 100
    fig = figure(p, height=listing_height(len(names), extra=64), legend=True, names=names)
    lines_x: list[float | None] = []
    lines_y: list[str | None] = []
    for name, a, b in zip(names, pool_share, chosen_share, strict=True):
        lines_x += [a, b, None]
        lines_y += [name, name, None]
    fig.add_scatter(
        x=lines_x,
        y=lines_y,
        mode="lines",
        line={"color": p.grid, "width": 3},
        showlegend=False,
        hoverinfo="skip",
    )
    for share, name, colour in (
        (pool_share, "pool", p.pool),
        (chosen_share, "selection", p.selection),
    ):
        fig.add_scatter(
            x=share,
            y=names,
            name=name,
            mode="markers",
            marker={"size": 9, "color": colour},
            hovertemplate=f"%{{y}}<br>{name}: %{{x:.1f}} %<extra></extra>",
        )
    fig.update_xaxes(ticksuffix=" %", rangemode="tozero")
    fig.update_yaxes(autorange="reversed", type="category")
    return fig
