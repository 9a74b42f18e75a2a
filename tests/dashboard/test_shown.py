"""What figures and cards say: the hardest are the hardest, the frequent keep their colour."""

import numpy as np
import pytest

from crowdselect.dashboard import colours, reads
from crowdselect.dashboard.map import cards
from crowdselect.values import Recipe
from tests.dashboard import small


@pytest.fixture
def crowd(ready, monkeypatch):
    monkeypatch.setenv("CROWDSELECT_WORKSPACE", str(ready.root))
    return reads.crowd(small.NAME)


def test_cards_show_the_hardest_and_the_most_typical_of_each_cluster(crowd):
    recipe = Recipe(crowd=small.NAME, encoder=small.ENCODER, clusters=3, clustering="fast")
    found = cards.cards_of(crowd, recipe)
    labels = reads.clustering(crowd, recipe).labels
    difficulty = reads.column(crowd, recipe, "difficulty")
    vectors = reads.vectors(crowd, small.ENCODER)
    assert [card.size for card in found] == np.bincount(labels).tolist()
    for card in found:
        rows = np.flatnonzero(labels == card.label)
        others = np.setdiff1d(rows, card.hardest)
        assert len(card.hardest) == cards.SHOWN
        assert difficulty[list(card.hardest)].min() >= np.nanmax(difficulty[others])
        assert card.means["difficulty"] == pytest.approx(np.nanmean(difficulty[rows]))
        assert card.share == len(rows) / crowd.n
        closeness = vectors[rows] @ vectors[rows].mean(axis=0)
        typical = closeness[np.isin(rows, card.typical)]
        assert typical.min() >= np.median(closeness)


def test_cards_without_a_difficulty_show_none_as_hardest(crowd):
    recipe = Recipe(crowd=small.NAME, encoder=small.ENCODER, clusters=3, clustering="fast")
    clusters = reads.clustering(crowd, recipe)
    card = cards._card(clusters, 0, {}, np.array([1, 2, 3]), crowd.n)
    assert (card.hardest, card.typical) == ((), (1, 2))


def test_the_most_frequent_models_keep_their_own_colour():
    names = [f"m{i}" for i in range(30)]
    often = np.repeat(np.arange(30), np.arange(30, 0, -1))  # m0 thirty times ... m29 once
    shown = colours.frequent(np.append(often, -1), names)
    kept = {f"m{i}" for i in range(colours.MOST_MODELS)}
    assert set(shown) == kept | {"other models", "no reward"}
    assert shown.count("m0") == 30
    assert shown[-1] == "no reward"
    assert shown.count("other models") == sum(range(1, 30 - colours.MOST_MODELS + 1))
