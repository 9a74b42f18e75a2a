"""Answers are escaped, sorted by reward, and nothing is left out."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdselect.dashboard.instruction.answers import Marked, answers_html, grouped, sort_answers
from crowdselect.dashboard.instruction.markdown import LOOKS, as_html


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
    for look in LOOKS:
        page = str(answers_html(answers, ("j1", "j2"), look=look))
        assert page.count("<article") == 4
        assert "<script" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert "no answer" in page
        assert "an empty answer" in page


def test_rewards_stand_beside_their_judge(answers):
    page = str(answers_html(answers, ("j1", "j2")))
    assert "j1 0.2 \N{MIDDLE DOT} j2 1<" in page
    assert "j1 \N{EN DASH}" not in page


def test_equal_answers_share_a_card_and_what_is_trained_on_is_marked(answers):
    answers.loc[2, "response"] = "fine\n"
    assert grouped(answers) == [[0, 2], [1], [3]]
    marked = Marked(trained=2, why="trained on, tied best of 2", references=["fine", "4"])
    page = str(answers_html(answers, ("j1",), marked))
    assert page.count("<article") == 4  # the reference 4 is nobody's answer
    assert page.count('class="trained"') == 1
    assert "2 models, the same answer" in page
    assert page.index("3. c") < page.index("1. a")  # the one that is trained on stands first
    assert page.count("tied best of 2") == 1
    assert page.count("equals the reference") == 1
    by_hand = str(answers_html(answers, ("j1",), Marked(trained="<i>by hand</i>")))
    assert "&lt;i&gt;by hand&lt;/i&gt;" in by_hand
    assert "Written by hand" in by_hand


HOSTILE = """# Title

```python
print("<b>")
```

![x](http://192.0.2.1/a.png) [y](http://192.0.2.1) <http://192.0.2.1> <img src=x> `c` **d**

[z]: http://192.0.2.1 "t"
[z]
"""


def test_markdown_is_rendered_without_addresses_and_foreign_markup():
    page = str(as_html(HOSTILE, "rendered"))
    assert "<h1>Title</h1>" in page
    assert "<strong>d</strong>" in page
    assert "print(&quot;&lt;b&gt;&quot;)" in page
    for tag in ("<img", "<a ", "href=", "src=&quot;http"):
        assert tag not in page


def test_code_is_set_apart_and_the_source_stays_the_source():
    text = str(as_html(HOSTILE, "text"))
    assert text.count("<pre") == 1
    assert "```" not in text
    assert "# Title" in text
    open_ended = str(as_html("see\n```\nx < 1", "text"))
    assert open_ended == 'see\n<pre class="c"><code>x &lt; 1</code></pre>'
    source = as_html(HOSTILE, "source")
    assert source.striptags().split() == HOSTILE.split()


@given(st.text(alphabet='a<>[]()!`~*_#|\\\n "&:/-h', max_size=60), st.sampled_from(LOOKS))
def test_no_text_brings_a_tag_with_an_address(text, look):
    page = str(as_html(text, look))
    assert not re.search(r"<(img|a|script|iframe)\b|<[^>]*\s(href|src|on\w+)\s*=", page)
