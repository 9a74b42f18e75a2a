"""Answers are escaped, sorted by reward, and nothing is left out."""

import numpy as np
import pandas as pd
import pytest

from crowdselect.dashboard.instruction.answers import answers_html, sort_answers


@pytest.fixture
def answers():
    return pd.DataFrame(
        {
            "model": ["a", "<b>", "c", "d"],
            "family": ["f", None, "f", "f"],
            "size_b": [1.0, np.nan, 7.0, 70.0],
            "response": ["fine", "<script>alert(1)</script>", None, ""],
            "j1": [0.2, 0.9, np.nan, np.nan],
            "j2": [1.0, 2.0, np.nan, 5.0],
        }
    )


def test_best_first_missing_last(answers):
    assert sort_answers(answers, "j1")["model"].tolist() == ["<b>", "a", "d", "c"]
    assert sort_answers(answers, "j2")["model"].tolist() == ["d", "<b>", "a", "c"]
    assert sort_answers(answers, None)["model"].tolist() == ["a", "<b>", "d", "c"]


def test_every_answer_is_shown_as_text(answers):
    page = str(answers_html(answers, ("j1", "j2")))
    assert page.count("<article>") == 4
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "no answer" in page
    assert "an empty answer" in page


def test_rewards_of_every_judge_are_named(answers):
    assert "rewards 0.2 / 1" in str(answers_html(answers, ("j1", "j2")))
    assert "reward 0.2" in str(answers_html(answers, ("j1",)))
