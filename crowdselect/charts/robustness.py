"""What remains of a selection when one model, family or judge is left out."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from crowdselect.charts.style import Palette, figure, listing_height, plain_all


def robustness(frame: pd.DataFrame, p: Palette) -> go.Figure:
    """Dots of the Jaccard index, most fragile on top of each kind.

    ``frame``: ``kind`` (``judge``, ``family``, ``model``), ``left_out``, ``jaccard`` in [0, 1].
    """
    order = {"judge": 0, "family": 1, "model": 2}
    rows = frame.assign(_kind=frame["kind"].map(order)).sort_values(["_kind", "jaccard"])
    labels = plain_all(
        [f"{k}: {name}" for k, name in zip(rows["kind"], rows["left_out"], strict=True)], 48
    )
    fig = figure(
        p, height=listing_height(len(rows)), x="Jaccard index with the full selection", names=labels
    )
    fig.add_scatter(
        x=rows["jaccard"],
        y=labels,
        mode="markers",
        marker={"size": 9, "color": [p.categories[order[k]] for k in rows["kind"]]},
        hovertemplate="without %{y}<br>Jaccard %{x:.3f}<extra></extra>",
    )
    fig.update_xaxes(range=[0, 1.02])
    fig.update_yaxes(autorange="reversed", type="category")
    return fig
