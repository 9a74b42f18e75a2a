"""UpSet plot: how many instructions each combination of selections shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from crowdselect.charts.style import FONT, Palette, plain_all


def upset(
    names: Sequence[str], sizes: Mapping[frozenset[int], int], p: Palette, *, most: int = 24
) -> go.Figure:
    """Bars of intersection sizes over a matrix of dots (Lex et al. 2014).

    ``sizes``: the number of instructions that are in exactly the selections of the key (indices
    into ``names``). At most ``most`` combinations are drawn, the largest first.
    """
    ordered = sorted(sizes.items(), key=lambda item: (-item[1], sorted(item[0])))[:most]
    labels = plain_all(names, 24)
    columns = list(range(len(ordered)))
    fig = make_subplots(
        rows=2, cols=1, shared_xaxes=True, row_heights=[0.62, 0.38], vertical_spacing=0.04
    )
    fig.add_bar(
        x=columns,
        y=[n for _, n in ordered],
        text=[f"{n:,}" for _, n in ordered],
        textposition="outside",
        cliponaxis=False,
        marker={"color": p.selection},
        hovertemplate="%{y:,} instructions<extra></extra>",
        row=1,
        col=1,
    )
    _dots(fig, labels, [members for members, _ in ordered], p)
    fig.update_layout(
        height=230 + 26 * len(labels),
        margin={"l": 8, "r": 8, "t": 24, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": FONT, "size": 13, "color": p.text},
        showlegend=False,
        dragmode=False,
    )
    fig.update_xaxes(visible=False, fixedrange=True)
    fig.update_yaxes(gridcolor=p.grid, automargin=True, fixedrange=True)
    fig.update_yaxes(
        autorange="reversed",
        tickvals=list(range(len(labels))),
        ticktext=labels,
        showgrid=False,
        zeroline=False,
        row=2,
        col=1,
    )
    return fig


def _dots(
    fig: go.Figure, labels: Sequence[str], members: Sequence[frozenset[int]], p: Palette
) -> None:
    inside = [[(c, r) for r in range(len(labels)) if r in m] for c, m in enumerate(members)]
    outside = [[(c, r) for r in range(len(labels)) if r not in m] for c, m in enumerate(members)]
    for points, colour in ((outside, p.grid), (inside, p.selection)):
        flat = [point for column in points for point in column]
        fig.add_scatter(
            x=[c for c, _ in flat],
            y=[r for _, r in flat],
            mode="markers",
            marker={"size": 11, "color": colour},
            hoverinfo="skip",
            row=2,
            col=1,
        )
    for column in inside:
        if len(column) > 1:
            fig.add_scatter(
                x=[c for c, _ in column],
                y=[r for _, r in column],
                mode="lines",
                line={"color": p.selection, "width": 2},
                hoverinfo="skip",
                row=2,
                col=1,
            )
