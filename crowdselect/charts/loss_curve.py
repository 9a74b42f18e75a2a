"""Training loss over steps, one line per run."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from crowdselect.charts.style import Palette, figure, plain


def loss_curve(frame: pd.DataFrame, p: Palette) -> go.Figure:
    """Lines of the loss; ``frame``: ``run``, ``step``, ``loss``, ``kind`` (``train``/``eval``)."""
    fig = figure(p, height=300, x="step", y="loss", legend=True, measured=True)
    runs = list(dict.fromkeys(frame["run"]))
    for (run, kind), rows in frame.groupby(["run", "kind"], sort=False):
        colour = p.categories[runs.index(run) % len(p.categories)]
        fig.add_scatter(
            x=rows["step"],
            y=rows["loss"],
            name=plain(run if kind == "train" else f"{run}, held out", 44),
            mode="lines" if len(rows) > 1 else "markers",
            line={"color": colour, "width": 2, "dash": "solid" if kind == "train" else "dot"},
            hovertemplate="step %{x:,}<br>loss %{y:.4f}<extra></extra>",
        )
    return fig
