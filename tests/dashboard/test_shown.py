"""What figures and cards say: the hardest are the hardest, the frequent keep their colour."""

from collections import Counter

import numpy as np
import pytest

from crowdselect.dashboard import colours, reads
from crowdselect.dashboard.map import cards
from crowdselect.dashboard.select import controls, live
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


def test_cuts_say_where_each_cluster_was_cut(crowd):
    recipe = Recipe(
        crowd=small.NAME, encoder=small.ENCODER, clusters=3, clustering="fast", budget=24
    )
    names = live.cluster_names(crowd, recipe)
    outcome = reads.outcome(crowd, recipe)
    found = live.cut_frame(crowd, recipe, outcome, names)
    assert list(found["label"]) == list(names)
    scores = reads.session(crowd).reselector(recipe).scores(recipe.weights)
    labels = reads.clustering(crowd, recipe).labels
    for row in found.itertuples():
        own = np.flatnonzero((labels == row.Index) & ~np.isnan(scores))
        inside, outside = np.intersect1d(own, outcome.rows), np.setdiff1d(own, outcome.rows)
        assert (row.low, row.high) == (scores[own].min(), scores[own].max())
        assert (row.taken, row.left) == (scores[inside].min(), scores[outside].max())
        assert (row.n_taken, row.n) == (len(inside), len(own))
        assert row.taken >= row.left


def test_without_clusters_there_is_one_cut(crowd):
    recipe = Recipe(crowd=small.NAME, encoder=small.ENCODER, clusters=0, budget=24)
    (row,) = live.cut_frame(crowd, recipe, reads.outcome(crowd, recipe), ()).itertuples()
    assert (row.label, row.n_taken) == ("all", 24)


def test_best_models_and_clusters_are_counted_in_the_pool_and_in_the_selection(crowd):
    recipe = Recipe(crowd=small.NAME, encoder=small.ENCODER, clusters=3, clustering="fast")
    rows = np.array([0, 4, 7, 30])
    names, pool, chosen = live.best_models(crowd, recipe, rows)
    best = np.array([m.name for m in crowd.models])[reads.best_model(crowd, "judge_a")]
    assert dict(zip(names, pool, strict=True)) == dict(Counter(best.tolist()))
    own = dict(zip(names, chosen, strict=True))
    assert {name: n for name, n in own.items() if n} == dict(Counter(best[rows].tolist()))
    assert (np.diff(pool + chosen) <= 0).all()
    labels = reads.clustering(crowd, recipe).labels
    names, pool, chosen = live.clusters(crowd, recipe, rows)
    assert (len(names), pool.tolist()) == (3, np.bincount(labels).tolist())
    assert chosen.tolist() == np.bincount(labels[rows], minlength=3).tolist()


def test_more_groups_than_fit_become_one_that_says_how_many(crowd):
    most = live.MOST_GROUPS
    fits = [f"m{i}" for i in range(most)]
    assert live._with_rest(fits, np.ones(most), np.ones(most))[0] == fits
    names, pool, chosen = live._with_rest([*fits, "m"], np.ones(most + 1), np.arange(most + 1.0))
    assert names == [*fits[: most - 1], "2 others"]
    assert (len(pool), pool[-1], chosen[-1]) == (most, 2, most + most - 1)


def test_every_metric_can_be_weighed_under_every_judge(crowd):
    names = controls.weight_names(crowd)
    assert {"difficulty", "difficulty@judge_a", "difficulty@judge_b"} <= set(names)


def test_the_most_frequent_models_keep_their_own_colour():
    names = [f"m{i}" for i in range(30)]
    often = np.repeat(np.arange(30), np.arange(30, 0, -1))  # m0 thirty times ... m29 once
    shown = colours.frequent(np.append(often, -1), names)
    kept = {f"m{i}" for i in range(colours.MOST_MODELS)}
    assert set(shown) == kept | {"other models", "no reward"}
    assert shown.count("m0") == 30
    assert shown[-1] == "no reward"
    assert shown.count("other models") == sum(range(1, 30 - colours.MOST_MODELS + 1))


def test_what_filters_keep_goes_by_the_mixture_that_the_recipe_has(crowd, monkeypatch):
    """Pages keep results by the fields of a recipe that decide them; its mixture is one."""
    kinds = np.array(["code", "prose", "prose", "maths"] * (crowd.n // 4), dtype=object)
    monkeypatch.setattr(crowd, "extra_columns", lambda: {"kind": kinds})
    plain = Recipe(
        crowd=small.NAME,
        encoder=small.ENCODER,
        clusters=3,
        clustering="fast",
        filters={"clusters": (0,)},
    )
    mixed = plain.model_copy(update={"mix": "kind"})
    for recipe in (plain, mixed):
        labels = reads.session(crowd).clustering(recipe).labels
        np.testing.assert_array_equal(reads.filtered(crowd, recipe), labels == 0)
    assert [card.size for card in cards.cards_of(crowd, mixed)] == np.bincount(labels).tolist()
