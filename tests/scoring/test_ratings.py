"""SelectIT's and IFD's mathematics against the golden figures and their laws."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from crowdselect.scoring.difficulty_ratio import ifd
from crowdselect.scoring.ratings import (
    digit_shares,
    level_shares,
    model_scores,
    model_weights,
    sentence_scores,
    token_scores,
    top_share,
)

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "selectit.json").read_text())
RAW = np.array(GOLDEN["raw"])


@pytest.mark.parametrize("profile", ["paper", "reference"])
def test_token_and_sentence_scores_equal_the_golden_figures(profile):
    shares = digit_shares(RAW, profile)
    tokens = token_scores(shares)
    want = GOLDEN[profile]
    np.testing.assert_allclose(shares, want["shares"], atol=1e-6)
    np.testing.assert_allclose(tokens, want["tokens"], atol=1e-6)
    assert sentence_scores(tokens) == pytest.approx(want["sentence"], abs=1e-6)


def test_expected_rating_equals_the_golden_figures():
    tokens = token_scores(digit_shares(RAW), "expected_rating")
    np.testing.assert_allclose(tokens, GOLDEN["expected_rating"]["tokens"], atol=1e-6)
    assert sentence_scores(tokens) == pytest.approx(GOLDEN["expected_rating"]["sentence"], abs=1e-6)


@pytest.mark.parametrize("case", GOLDEN["extremes"], ids=lambda c: c["name"])
def test_extremes(case):
    raw = np.array(case["raw"], dtype=float)
    for profile in ("paper", "reference"):
        got = token_scores(digit_shares(raw, profile))
        assert got == pytest.approx(case[profile], abs=1e-6)


def test_model_level_weights():
    sentences = np.array([[1.0], [2.0], [3.0]])
    paper = model_weights([7, 13, 70])
    np.testing.assert_allclose(paper, GOLDEN["model_level"]["paper_weights"], atol=1e-6)
    assert model_scores(sentences, paper)[0] == pytest.approx(2.7)
    reference = model_weights([7, 13, 70], "reference")
    assert model_scores(sentences, reference)[0] == pytest.approx(3.983333, abs=1e-6)
    with pytest.raises(ValueError, match="exactly three"):
        model_weights([1, 2], "reference")
    with pytest.raises(ValueError, match="positive"):
        model_weights([1, 0])


def test_a_failed_prompt_stays_in_its_row():
    """The published code drops it, and every later row gets another row's prompts."""
    tokens = np.array([[10.0, 11.0, 12.0], [np.nan, 21.0, 22.0], [30.0, np.nan, np.nan]])
    got = sentence_scores(tokens, alpha=0.0)
    assert got[0] == 11.0
    assert got[1] == 21.5
    assert np.isnan(got[2])


def test_no_mass_on_the_digits_is_no_rating():
    shares = digit_shares(np.array([[1e-8] * 5, [0.1] * 5]))
    assert np.isnan(shares[0]).all()
    assert np.isnan(token_scores(shares)[0])
    assert token_scores(shares)[1] == pytest.approx(0.0, abs=1e-12)


@given(arrays(np.float64, (4, 5), elements=st.floats(1e-4, 1.0)))
def test_token_scores_lie_between_zero_and_the_levels(raw):
    scores = token_scores(digit_shares(raw))
    assert ((scores >= -1e-12) & (scores <= 5)).all()
    scaled = token_scores(digit_shares(raw * 0.5))
    np.testing.assert_allclose(scores, scaled, atol=1e-9)


@given(arrays(np.float64, (3, 5), elements=st.floats(0, 5)), st.floats(0, 2))
def test_sentence_score_is_damped_by_disagreement_only(tokens, alpha):
    damped = sentence_scores(tokens, alpha)
    plain = tokens.mean(axis=1)
    assert (damped <= plain + 1e-9).all()
    np.testing.assert_allclose(sentence_scores(tokens, 0.0), plain, atol=1e-9)
    np.testing.assert_allclose(
        damped, plain / (1 + alpha * tokens.std(axis=1)), rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize(("n", "share", "kept"), GOLDEN["budgets"])
def test_budgets_round_down(n, share, kept):
    assert top_share(np.arange(n, dtype=float), share).sum() == kept


def test_level_shares_of_a_level_that_decides_alone():
    values = np.arange(10.0)
    shares = level_shares({"same": values, "opposite": -values}, values, 0.2)
    assert shares == {"same": 1.0, "opposite": 0.0}


def test_ifd_ratios_and_their_flipped_order():
    conditioned, alone = np.array([1.2, 0.5, 2.0, 1.0]), np.array([1.5, 0.6, 2.2, 0.0])
    loss, perplexity = ifd(conditioned, alone), ifd(conditioned, alone, "perplexity")
    np.testing.assert_allclose(loss[:3], [0.8, 0.833333, 0.909091], atol=1e-6)
    np.testing.assert_allclose(perplexity[:3], [0.7408182, 0.904837, 0.818731], atol=1e-6)
    assert np.isnan(loss[3])
