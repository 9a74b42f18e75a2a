"""The exported report is one file that escapes text and asks nobody for anything."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from crowdselect.charts.share_shift import share_shift
from crowdselect.charts.style import LIGHT
from crowdselect.dashboard.report.html import html_report
from crowdselect.dashboard.report.story import Chapter, Example, Fact, FirstPage, Story, Told

EVIL = '<script>alert(1)</script><img src="http://127.0.0.1/x.png">'


@pytest.fixture
def story():
    figure = share_shift([EVIL, "b"], np.array([1.0, 2]), np.array([2.0, 1]), LIGHT)
    return Story(
        title=EVIL,
        subtitle="sub",
        first=FirstPage(
            question=EVIL,
            answer=EVIL,
            basis=EVIL,
            figure=None,
            alt="",
            dates=EVIL,
            costs=[Fact(EVIL, EVIL, EVIL)],
            came_in=[Told(EVIL, EVIL)],
            left_out=[],
            doubts=[EVIL],
        ),
        facts=[Fact("chosen", "10", EVIL)],
        chapters=[
            Chapter("Clusters", [EVIL], figure=figure, alt=EVIL),
            Chapter("Recipe", table=pd.DataFrame({EVIL: [EVIL]}), code=EVIL),
        ],
        examples=[Example(1, EVIL, EVIL, EVIL, EVIL, EVIL)],
        glossary=[(EVIL, EVIL)],
        colophon=EVIL,
    )


def without_plotly(page: str) -> str:
    return re.sub(r"<script>/\*\*.*?</script>", "", page, count=1, flags=re.DOTALL)


def test_text_is_escaped_everywhere(story):
    page = without_plotly(html_report(story).decode())
    assert "<script>alert" not in page
    assert "<img" not in page
    assert page.count("&lt;script&gt;alert(1)") >= 24


def test_nothing_is_fetched(story):
    page = html_report(story).decode()
    assert "default-src 'none'" in page
    body = without_plotly(page)
    assert not re.search(r"(?:src|href)\s*=\s*[\"']?(?:https?:)?//", body)
    assert "<link" not in body


def test_plotly_is_in_the_file_once_and_only_when_needed(story):
    assert html_report(story).decode().count("plotly.js v") == 1
    plain = replace(story, chapters=[Chapter("c", ["x"])])
    assert len(html_report(plain)) < 12_000


def test_the_same_story_gives_the_same_bytes(story):
    assert html_report(story) == html_report(story)
