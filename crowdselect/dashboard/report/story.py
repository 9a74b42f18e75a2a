"""What the report tells: plain values, so that the page and the HTML file say the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go


@dataclass(frozen=True)
class Fact:
    """One number with its name."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Chapter:
    """A heading, sentences, and at most one figure and one table."""

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
class Told:
    """An instruction and why it came in, or did not."""

    instruction: str
    reason: str


@dataclass(frozen=True)
class FirstPage:
    """What somebody decides by who does not know this field: one page, no term of the trade."""

    question: str
    answer: str
    """One sentence."""
    basis: str
    """The interval and the test that it rests on; empty: nothing was compared."""
    figure: go.Figure | None
    """The differences with their intervals; None: nothing was compared."""
    alt: str
    dates: str
    costs: Sequence[Fact]
    came_in: Sequence[Told]
    left_out: Sequence[Told]
    doubts: Sequence[str]


@dataclass(frozen=True)
class Story:
    """A selection as a stakeholder reads it: the first page, then the details."""

    title: str
    subtitle: str
    first: FirstPage
    facts: Sequence[Fact]
    chapters: Sequence[Chapter]
    examples: Sequence[Example]
    glossary: Sequence[tuple[str, str]]
    """Terms of the details and what they mean."""
    colophon: str
