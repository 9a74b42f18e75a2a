"""Colours can be told apart and read; text from data is never markup."""

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from crowdselect.charts.style import (
    DARK,
    LIGHT,
    figure,
    log_ticks,
    palette,
    plain,
    plain_all,
    size_words,
)
from crowdselect.dashboard.scatter.palette import CATEGORIES


def _luminance(colour: str) -> float:
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(a: str, b: str) -> float:
    """WCAG 2 contrast ratio."""
    high, low = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("p", [LIGHT, DARK], ids=lambda p: p.name)
def test_text_has_contrast_4_5_and_marks_3(p):
    for colour in (p.text, p.muted):
        assert contrast(colour, p.surface) >= 4.5
    for colour in (p.selection, p.baseline, p.gain, p.loss, *p.categories):
        assert contrast(colour, p.surface) >= 3.0, colour


# Machado, Oliveira & Fernandes (2009), severity 1.0, on linear RGB.
DEUTERANOPIA = np.array(
    [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ]
)
PROTANOPIA = np.array(
    [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ]
)


def _seen(colour: str, matrix: np.ndarray) -> np.ndarray:
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.clip(matrix @ channels**2.2, 0, 1) ** (1 / 2.2)


@pytest.mark.parametrize("matrix", [DEUTERANOPIA, PROTANOPIA], ids=["deutan", "protan"])
@pytest.mark.parametrize("p", [LIGHT, DARK], ids=lambda p: p.name)
def test_meanings_stay_apart_for_colour_blind_readers(p, matrix):
    meanings = [p.selection, p.baseline, p.pool]
    seen = [_seen(c, matrix) for c in meanings]
    for i in range(len(seen)):
        for j in range(i):
            assert np.linalg.norm(seen[i] - seen[j]) > 0.15, (meanings[i], meanings[j])


@pytest.mark.parametrize("p", [LIGHT, DARK], ids=lambda p: p.name)
def test_categories_are_the_scatters_and_what_streamlit_draws_itself(p):
    config = tomllib.loads((Path(__file__).parents[2] / ".streamlit/config.toml").read_text())
    assert list(p.categories) == config["theme"][p.name]["chartCategoricalColors"]
    strong = [c for c in CATEGORIES[p.name] if contrast(c, p.surface) >= 3]
    assert list(p.categories) == strong[: len(p.categories)]


def test_plain_text_holds_no_markup_and_no_tex():
    text = plain('<a href="http://x">y</a> $$\\LaTeX$$')
    assert "<" not in text
    assert "$" not in text


def test_plain_shortens_and_flattens():
    assert plain("a\n  b") == "a b"
    assert len(plain("x" * 100, 20)) == 20


def test_labels_stay_distinct_after_shortening():
    labels = plain_all(["a" * 50, "a" * 60, "b"], 10)
    assert len(set(labels)) == 3
    assert {re.sub("\u200b", "", t) for t in labels[:2]} == {labels[0]}


def test_palette_falls_back_to_light():
    assert palette(None) is LIGHT
    assert palette("dark") is DARK


def test_figures_are_transparent_and_quiet():
    layout = figure(LIGHT, legend=True).layout
    assert layout.paper_bgcolor == "rgba(0,0,0,0)"
    assert layout.xaxis.fixedrange
    assert layout.yaxis.fixedrange


def test_sizes_are_said_as_people_say_them():
    sizes = {405: "405B", 1.5: "1.5B", 0.00459: "4.59M", 6.7744e-05: "67.7K", 1e-8: "10"}
    assert {size: size_words(size) for size in sizes} == sizes


def test_log_ticks_are_round_and_cover_the_range():
    found = log_ticks([12.0, 290.0])
    assert found["tickvals"][0] <= 12
    assert found["tickvals"][-1] >= 290
    inside = [tick for tick in found["tickvals"] if 12 <= tick <= 290]
    assert len(inside) >= 3
    many = log_ticks([1.0, 1e6])
    assert many["ticktext"][:3] == ["1", "10", "100"]
    assert log_ticks([0.0, -1.0, np.nan]) == {}
