"""The story as one HTML file: no request leaves it, plotly.js is in it once, text is escaped."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import jinja2
import plotly.graph_objects as go
import plotly.io
import plotly.offline
from markupsafe import Markup

from crowdselect.dashboard.report.story import Story

TEMPLATE = Path(__file__).with_name("report.html.j2")


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["figure_id"] = id
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8"))


def html_report(story: Story) -> bytes:
    """The file's bytes (UTF-8); the same story gives the same bytes."""
    of_chapters = (chapter.figure for chapter in story.chapters)
    figures = [f for f in (story.first.figure, *of_chapters) if f is not None]
    drawn = {id(f): _figure(f, i) for i, f in enumerate(figures)}
    page = _template().render(
        story=story,
        drawn=drawn,
        plotly=Markup(plotly.offline.get_plotlyjs()) if figures else "",  # noqa: S704 - a library
    )
    return page.encode("utf-8")


def _figure(fig: go.Figure, number: int) -> Markup:
    """The figure's own HTML; plotly writes its JSON with ``<``, ``>`` and ``&`` escaped."""
    html = plotly.io.to_html(
        fig,
        include_plotlyjs=False,
        full_html=False,
        div_id=f"figure-{number}",
        config={"displayModeBar": False, "responsive": True},
    )
    return Markup(html)  # noqa: S704 - made by plotly from escaped JSON
