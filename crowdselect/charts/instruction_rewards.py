"""One instruction's rewards: bars by family, from the smallest model to the largest."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from crowdselect.charts.style import Palette, figure, listing_height, plain, plain_all, size_words


def instruction_rewards(frame: pd.DataFrame, judge: str, p: Palette) -> go.Figure:
    """Bars one below the other, families together and coloured in turn.

    ``frame``: ``model``, ``family`` (None = unknown), ``size_b``, ``reward`` (NaN = missing).
    """
    rows = frame.assign(family=frame["family"].fillna("no family")).sort_values(
        ["family", "size_b", "model"], na_position="last"
    )
    families = list(dict.fromkeys(rows["family"]))
    colours = {f: (p.selection, p.baseline)[i % 2] for i, f in enumerate(families)}
    names = plain_all([_label(row) for row in rows.itertuples()], 30)
    title = f"reward, {plain(judge, 40)}"
    fig = figure(p, height=listing_height(len(rows), extra=50), x=title, names=names)
    fig.add_bar(
        x=rows["reward"],
        y=names,
        orientation="h",
        marker={"color": [colours[f] for f in rows["family"]]},
        customdata=plain_all(list(rows["model"])),
        hovertemplate="%{customdata}<br>reward %{x:.4g}<extra></extra>",
    )
    fig.update_yaxes(autorange="reversed", type="category", showgrid=False)
    fig.update_layout(bargap=0.25)
    return fig


def _label(row: Any) -> str:
    """Family and size, or the model's name where they are unknown."""
    if row.family == "no family" or pd.isna(row.size_b):
        return str(row.model)
    return f"{row.family} {size_words(row.size_b)}"
