"""Training data without a crowd is browsed, scored columns carry weights, and rows are selected."""

import json

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


def test_a_call_of_a_tool_is_shown_as_one_and_never_as_html(workspace, tmp_path, open_page):
    tool = {"type": "function", "function": {"name": "<b>f</b>"}}
    row = {"id": "r", "tools": [tool], "messages": [
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": "", "tool_calls": [
            {"function": {"name": "<b>f</b>", "arguments": {"x": "<script>"}}}]},
        {"role": "tool", "content": "<img src=x>"},
        {"role": "assistant", "content": "", "tool_calls": [
            {"function": {"name": "g", "arguments": {"y": "<script>"}}}]},
    ]}  # fmt: skip
    (tmp_path / "t.jsonl").write_text(json.dumps(row))
    pipeline.ingest(workspace, "sft", [tmp_path / "t.jsonl"], name="t")
    at = open_page(workspace, "instruction", **{"instruction.id": "r"})
    assert not at.exception
    codes = [element.value for element in at.code]
    assert '{\n "x": "<script>"\n}' in codes
    assert any('"name": "<b>f</b>"' in code for code in codes)
    said = [element.value for element in at.text]
    assert {"q", "<img src=x>"} <= set(said)
    marked = " ".join(str(e.value) for e in (*at.markdown, *at.caption))
    assert "calls \\<b\\>f" in marked
    (shown,) = (e.proto.body for e in at.get("html") if "<article" in e.proto.body)
    assert "&lt;tool_call&gt;" in shown
    assert "&lt;script&gt;" in shown
    for markup in ("<script", "<img"):
        assert markup not in marked + shown
