"""Hostile text cannot become markup, and differences are found by words."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdselect.dashboard.text import (
    WORD_JOINER,
    diff_html,
    md,
    n_of_m,
    number,
    percent,
    plural,
    shorten,
)

HOSTILE = [
    "<script>alert(1)</script>",
    "![x](http://127.0.0.1/x.png)",
    "$$\\LaTeX$$",
    ":material/delete:",
    ":red[x]",
    "[a](javascript:alert(1))",
    "`code` **bold** _it_ ~s~ # h",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_md_escapes_every_punctuation_mark(text):
    escaped = md(text).replace(WORD_JOINER, "")
    assert re.sub(r"\\[!-/:-@\[-`{-~]", "", escaped).isalnum() or " " in escaped
    assert re.sub(r"\\(.)", r"\1", escaped) == text


def test_md_breaks_addresses_up_so_that_none_becomes_a_link():
    shown = re.sub(r"\\(.)", r"\1", md("see http://a.example/x, www.b.example or c@d.example"))
    assert "://" not in shown
    assert "www." not in shown
    assert "@d" not in shown
    assert WORD_JOINER not in md("difficulty@judge: 3 // 4")


@given(st.text(), st.text())
def test_diff_loses_no_word_and_holds_no_foreign_markup(left, right):
    for text, marked in zip((left, right), diff_html(left, right), strict=True):
        without = re.sub(r"</?mark>", "", str(marked))
        assert "<" not in without
        assert html.unescape(without) == text


def test_diff_marks_only_what_differs():
    left, right = diff_html("the red house", "the blue house")
    assert left == "the <mark>red</mark> house"
    assert right == "the <mark>blue</mark> house"


def test_diff_escapes_inside_marks():
    left, _ = diff_html("<script>x</script>", "y")
    assert "<script" not in left
    assert "&lt;" in left


def test_long_texts_are_cut_and_say_so():
    left, _ = diff_html("a " * 50, "b", most_words=10)
    assert left.endswith("(first 10 of 100 words compared)")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.123456, "0.123"),
        (-2.5, "\N{MINUS SIGN}2.5"),
        (1234.6, "1,235"),
        (12, "12"),
        (float("nan"), "\N{EN DASH}"),
        (None, "\N{EN DASH}"),
        (-3.0, "\N{MINUS SIGN}3"),
        (2.3e-8, "< 0.0001"),
        (-2.3e-8, "> \N{MINUS SIGN}0.0001"),
    ],
)
def test_numbers_have_meaningful_digits(value, text):
    assert number(value) == text


def test_counts_in_words():
    assert plural(1, "row") == "1 row"
    assert plural(2000, "row") == "2,000 rows"
    assert n_of_m(3, 10) == "3 of 10 instructions"
    assert n_of_m(10, 10) == "all 10 instructions"
    assert percent(0.125, 1) == "12.5 %"
    assert shorten("abcdef", 4) == "abc\N{HORIZONTAL ELLIPSIS}"
