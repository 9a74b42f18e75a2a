"""What the report tells: plain values, so that the page and the HTML file say the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go


@dataclass(frozen=True)
class Fact:
    """One number of the opening."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Chapter:
    """A heading, sentences, and at most one figure or table."""

    title: str
    sentences: Sequence[str] = ()
    figure: go.Figure | None = None
    alt: str = ""
    """The figure in one sentence."""
    table: pd.DataFrame | None = None
    code: str = ""


@dataclass(frozen=True)
class Example:
    """One chosen instruction with the answer it is trained on."""

    rank: int
    id: str
    instruction: str
    answer: str | None
    model: str | None
    reason: str


@dataclass(frozen=True)
class Story:
    """A selection as a stakeholder reads it."""

    title: str
    subtitle: str
    facts: Sequence[Fact]
    chapters: Sequence[Chapter]
    examples: Sequence[Example]
    colophon: str
