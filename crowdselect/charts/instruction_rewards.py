"""One instruction's rewards: bars by family, from the smallest model to the largest."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from crowdselect.charts.style import Palette, figure, plain, plain_all


def instruction_rewards(frame: pd.DataFrame, judge: str, p: Palette) -> go.Figure:
    """Bars grouped by family in order of size.

    ``frame``: ``model``, ``family`` (None = unknown), ``size_b``, ``reward`` (NaN = missing).
    """
    rows = frame.assign(family=frame["family"].fillna("no family")).sort_values(
        ["family", "size_b", "model"], na_position="last"
    )
    colours = {f: p.categories[i % 8] for i, f in enumerate(dict.fromkeys(rows["family"]))}
    fig = figure(p, height=300, y=f"reward, {plain(judge, 40)}")
    fig.add_bar(
        x=[plain_all(list(rows["family"]), 16), _sizes(rows)],
        y=rows["reward"],
        marker={"color": [colours[f] for f in rows["family"]]},
        customdata=plain_all(list(rows["model"])),
        hovertemplate="%{customdata}<br>reward %{y:.4g}<extra></extra>",
    )
    fig.update_xaxes(tickfont={"size": 11}, tickangle=0 if len(rows) < 16 else -90)
    return fig


def _sizes(rows: pd.DataFrame) -> list[str]:
    labels = [
        plain(model, 14) if pd.isna(size) else f"{size:g}B"
        for model, size in zip(rows["model"], rows["size_b"], strict=True)
    ]
    return plain_all(labels, 14)
