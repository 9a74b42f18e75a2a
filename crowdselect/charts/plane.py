"""The map as one static figure: for the report, and where WebGL2 is missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from crowdselect.charts.style import Palette, figure
from crowdselect.values import BoolArray, FloatArray

Floats = npt.NDArray[np.floating[Any]]
BINS = 160
MOST_CHOSEN = 2_000


def add_density(fig: go.Figure, p: Palette, counts: FloatArray, xs: Floats, ys: Floats) -> None:
    """A 2-D histogram (numpy's counts and edges) as a picture: square roots of the counts."""
    counts[counts == 0] = np.nan
    fig.add_heatmap(
        z=np.sqrt(counts.T).astype(np.float32),
        x=((xs[:-1] + xs[1:]) / 2).astype(np.float32),
        y=((ys[:-1] + ys[1:]) / 2).astype(np.float32),
        colorscale=[[0, p.grid], [1, p.pool]],
        showscale=False,
        hoverinfo="skip",
    )


def plane(
    xy: npt.NDArray[np.float32], chosen: BoolArray, p: Palette, *, height: int = 460
) -> go.Figure:
    """Density of all points (binned, at most BINS x BINS) with the chosen ones on top.

    ``xy``: shape (n, 2); ``chosen``: shape (n,). At most MOST_CHOSEN of them are drawn,
    evenly by row, as SVG: the figure must open where there is no WebGL.
    """
    finite = np.isfinite(xy).all(axis=1)
    fig = figure(p, height=height, measured=True)
    if finite.any():
        x, y = xy[finite, 0], xy[finite, 1]
        bins = int(np.clip(2 * np.sqrt(len(x)), 20, BINS))
        add_density(fig, p, *np.histogram2d(x, y, bins=bins))
    rows = np.flatnonzero(chosen & finite)
    if len(rows) > MOST_CHOSEN:
        rows = rows[np.linspace(0, len(rows) - 1, MOST_CHOSEN).astype(int)]
    fig.add_scatter(
        x=xy[rows, 0],
        y=xy[rows, 1],
        mode="markers",
        marker={"size": 4, "color": p.selection},
        hoverinfo="skip",
    )
    fig.update_xaxes(visible=False)
    fig.update_yaxes(visible=False, scaleanchor="x")
    return fig
