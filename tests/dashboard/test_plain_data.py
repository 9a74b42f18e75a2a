"""Training data without a crowd is browsed, scored columns carry weights, and rows are selected."""

import numpy as np
import pandas as pd
import pytest

from crowdselect import pipeline
from crowdselect.store import ScoreInfo
from tests.crowds import write_jsonl
from tests.dashboard.conftest import go
from tests.dashboard.test_workflows import click

PAGES = ("crowd", "explore", "map", "select", "review", "report", "instruction")


@pytest.fixture
def plain(workspace, tmp_path):
    """A workspace with forty rows of instruction and output, scored by some measure."""
    words = ("river", "stone", "bread", "garden", "winter", "letter", "engine", "shadow")
    rows = [
        {"instruction": f"Tell me about a {words[i % 8]} and number {i}.", "output": f"So: {i}",
         "language": "en" if i % 3 else "de"}
        for i in range(40)
    ]  # fmt: skip
    pipeline.ingest(workspace, "sft", [write_jsonl(tmp_path / "d.jsonl", rows)], name="plain")
    crowd = pipeline.open_crowd(workspace, "plain")
    frame = pd.DataFrame({"id": crowd.ids, "made": np.arange(40) % 13})
    crowd.write_scores("made", frame, ScoreInfo(name="made", title="Made up", direction="higher"))
    crowd.close()
    return workspace


def test_every_page_shows_it(plain, open_page):
    at = open_page(plain, "crowd", crowd="plain")
    for page in PAGES:
        go(at, page)
        assert not at.exception, (page, at.exception)
        errors = [e.value for e in at.error]
        assert not errors, (page, errors)


def test_rows_are_selected_by_a_scored_column(plain, open_page):
    at = open_page(plain, "select", crowd="plain", budget=5, **{"w.made": 1, "clusters": 0})
    assert not at.exception
    assert not at.error, [e.value for e in at.error]
    assert [slider.label for slider in at.slider] == ["made"]
    click(at, "Save selection")
    assert not at.exception
    (saved,) = pipeline.list_selections(plain)
    crowd = pipeline.open_crowd(plain, "plain")
    rows = crowd.rows(pipeline.load_selection(plain, saved.id).ids)
    assert set(rows % 13) <= {12, 11}
