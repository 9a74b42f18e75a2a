"""Where the points are dense, as one plotly picture: for browsers without WebGL2."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from crowdselect.charts.plane import add_density
from crowdselect.charts.style import Palette, figure, plain
from crowdselect.dashboard.scatter.values import Axes, PointSet
from crowdselect.values import BoolArray

BINS = 200
MOST_SELECTED = 2_000


def density_figure(
    points: PointSet,
    selected: BoolArray | None,
    p: Palette,
    *,
    axes: Axes | None = None,
    height: int = 640,
) -> go.Figure:
    """A 2-D histogram (200 x 200, square root of counts) with the selected points on top.

    ``selected``: shape (n,), or None. At most 2,000 of them are drawn, evenly spaced by row, as
    SVG: plotly's ``scattergl`` would need the WebGL that is missing. A lasso or box drawn on it
    comes back as a polygon.
    """
    fig = figure(p, height=height, x=plain(axes.x) if axes else "", y=plain(axes.y) if axes else "")
    x0, x1, y0, y1 = points.bounds
    spread = [[x0, x1 or 1], [y0, y1 or 1]]
    add_density(fig, p, *np.histogram2d(points.x, points.y, bins=BINS, range=spread))
    if selected is not None:
        fig.add_scatter(**_selected(points, selected, p))
    fig.update_layout(dragmode="lasso", showlegend=False)
    fig.update_xaxes(visible=axes is not None, range=[x0, x1], fixedrange=False)
    fig.update_yaxes(visible=axes is not None, range=[y0, y1], fixedrange=False)
    if axes is None:
        fig.update_yaxes(scaleanchor="x")
    return fig


def _selected(points: PointSet, selected: BoolArray, p: Palette) -> dict[str, Any]:
    rows = np.flatnonzero(selected)
    if len(rows) > MOST_SELECTED:
        rows = rows[np.linspace(0, len(rows) - 1, MOST_SELECTED).astype(np.int64)]
    return {
        "x": points.x[rows],
        "y": points.y[rows],
        "mode": "markers",
        "marker": {"size": 5, "color": p.selection, "line": {"width": 0.5, "color": p.surface}},
        "hoverinfo": "skip",
    }


def polygon_of(event: Any) -> tuple[tuple[float, float], ...] | None:
    """The lasso or box of a ``st.plotly_chart(..., on_select="rerun")`` event."""
    selection = (event or {}).get("selection") or {}
    if lasso := selection.get("lasso"):
        return tuple(zip(map(float, lasso[0]["x"]), map(float, lasso[0]["y"]), strict=True))
    if box := selection.get("box"):
        (x0, x1), (y0, y1) = box[0]["x"], box[0]["y"]
        return ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
    return None
