"""The one list of pages: navigation, pictures, benchmarks and tests read it.

A new page is a file in ``pages/`` that lays out, a folder here that does the work, and a line here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Page:
    """One page of the dashboard."""

    path: str
    """What its view settings begin with, and where it is (the first page also at the root)."""
    title: str
    file: str
    """In the folder ``pages``."""
    hidden: bool = False
    """It is reached from other pages, not from the navigation."""
    picture: Mapping[str, str] = field(default_factory=dict)
    """What the link of its picture in the documentation says beside crowd and encoder."""
    colourful: bool = False
    """Its picture has more colours than a palette holds."""
    per_crowd: bool = True
    """What it shows depends on the crowd: it is slower for a larger one, and measured."""


PAGES = (
    Page("crowd", "Crowd", "1_crowd.py"),
    Page("explore", "Explore", "2_explore.py", colourful=True),
    Page("map", "Map", "3_map.py", colourful=True),
    Page("select", "Select", "4_select.py"),
    Page("review", "Review", "review.py"),
    Page(
        "finetune", "Fine-tune", "5_finetune.py", picture={"finetune.tab": "Runs"}, per_crowd=False
    ),
    Page("benchmark", "Benchmark", "6_benchmark.py", per_crowd=False),
    Page("study", "Study", "8_study.py", per_crowd=False),
    Page("report", "Report", "7_report.py"),
    Page("instruction", "Instruction", "instruction.py", hidden=True),
)
"""In the order of the navigation; the first is shown where the address names none."""


def address(path: str) -> str:
    """Where the page ``path`` is, below the server's address."""
    return "" if path == PAGES[0].path else path
