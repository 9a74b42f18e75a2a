"""Where rewards are missing: models by stretches of rows."""

from __future__ import annotations

import itertools

import numpy as np
import plotly.graph_objects as go

from crowdselect.charts.style import Palette, figure, listing_height, plain_all
from crowdselect.values import FloatArray


def missingness(share: FloatArray, models: list[str], edges: list[int], p: Palette) -> go.Figure:
    """Heat map of the missing share.

    ``share``: shape (models, stretches), in [0, 1]; ``edges``: the stretches' first rows and the
    end, one more than there are stretches.
    """
    stretches = [f"rows {a + 1:,} to {b:,}" for a, b in itertools.pairwise(edges)]
    names = plain_all(models)
    title = "rows of the crowd, in order"
    fig = figure(p, height=listing_height(len(models)), x=title, names=names)
    fig.add_heatmap(
        z=np.asarray(share) * 100,
        x=[(a + b) / 2 for a, b in itertools.pairwise(edges)],
        y=names,
        customdata=[stretches] * len(models),
        zmin=0,
        zmax=max(float(np.max(share, initial=0.0)) * 100, 1.0),
        colorscale=[list(stop) for stop in p.sequential],
        colorbar={"title": "", "ticksuffix": " %", "thickness": 10, "len": 0.9},
        xgap=0,
        ygap=1,
        hovertemplate="%{y}<br>%{customdata}<br>%{z:.1f} % missing<extra></extra>",
    )
    fig.update_yaxes(autorange="reversed")
    return fig
