"""The hot path gives the same rows as the obvious way, whatever the pool looks like."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdselect.errors import InputError, NotFoundError
from crowdselect.selection import STRATEGIES, MetricTable, Pool, Reselector
from crowdselect.values import Scores
from tests.selection.pools import NAMES, obvious_selection, pools, random_pool, table


@settings(max_examples=300)
@given(pools())
def test_equals_the_obvious_way(pool):
    assert Reselector(pool).reselect().rows.tolist() == obvious_selection(pool)


@settings(max_examples=60)
@given(pools(), st.lists(st.sampled_from([-1.0, 0.0, 0.5, 2.0]), min_size=3, max_size=3))
def test_equals_the_full_strategy_after_every_change(pool, values):
    weights = dict(zip(NAMES, values, strict=True))
    if not any(values):
        weights["stability"] = 1.0
    reselector = Reselector(pool)
    reselector.reselect()
    changed = reselector.reselect(weights, 7 + len(pool.pins))
    fresh = Pool(**{**vars(pool), "weights": weights, "budget": 7 + len(pool.pins)})
    picks = STRATEGIES["crowdselect"]()(fresh)
    np.testing.assert_array_equal(changed.rows, picks.rows)
    np.testing.assert_array_equal(changed.scores, picks.scores)
    np.testing.assert_allclose(
        np.sum(list(picks.contributions.values()), axis=0), picks.scores, atol=1e-11
    )


@settings(max_examples=60)
@given(pools())
def test_takes_exactly_the_budget_or_everything(pool):
    outcome = Reselector(pool).reselect()
    assert len(outcome.rows) == min(pool.budget, outcome.eligible.sum())
    assert len(set(outcome.rows.tolist())) == len(outcome.rows)
    assert set(pool.pins.tolist()) <= set(outcome.rows.tolist())
    assert not set(pool.bans.tolist()) & set(outcome.rows.tolist())


@settings(max_examples=60)
@given(pools(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(pool, random):
    order = list(range(len(pool)))
    random.shuffle(order)
    order = np.array(order)
    back = np.argsort(order)
    raw = {name: pool.table.raw(name)[order] for name in pool.table.names}
    shuffled = Pool(
        table=MetricTable(
            Scores(pool.table.ids[order], raw), impute_missing=pool.table.impute_missing
        ),
        weights=pool.weights,
        budget=pool.budget,
        seed=pool.seed,
        clusters=None if pool.clusters is None else pool.clusters[order],
        excluded={k: v[order] for k, v in pool.excluded.items()},
        pins=back[pool.pins],
        bans=back[pool.bans],
        groups=None if pool.groups is None else pool.groups[order],
    )
    before = pool.table.ids[Reselector(pool).reselect().rows]
    after = shuffled.table.ids[Reselector(shuffled).reselect().rows]
    assert before.tolist() == after.tolist()


def test_the_seed_decides_ties_and_nothing_else():
    tied = table({"difficulty": np.zeros(100), "separability": np.arange(100)})
    by_seed = [
        Reselector(Pool(tied, {"difficulty": 1.0}, 10, seed=s)).reselect().rows.tolist()
        for s in (1, 1, 2)
    ]
    assert by_seed[0] == by_seed[1] != by_seed[2]
    distinct = [
        Reselector(Pool(tied, {"separability": 1.0}, 10, seed=s)).reselect().rows.tolist()
        for s in (1, 2)
    ]
    assert distinct[0] == distinct[1] == list(range(99, 89, -1))


def test_tie_keys_never_change():
    """A changed hash would silently change everybody's selections."""
    keys = table({"x": [0.0, 0.0]}, ["u1", "naïve ✓"]).keys(42)
    assert [int(k) for k in keys] == KEYS_OF_SEED_42


KEYS_OF_SEED_42 = [17305206719582972358, 6149705851488120360]


def test_the_tie_block_at_the_cut_is_reported():
    values = np.array([3.0, 2.0, 2.0, 2.0, 1.0, 5.0, 4.0])
    pool = Pool(
        table({"difficulty": values}), {"difficulty": 1.0}, 4, clusters=np.array([0] * 5 + [1] * 2)
    )
    outcome = Reselector(pool).reselect()
    assert outcome.tie_sizes.tolist() == [3, 0]
    assert outcome.tie_taken.tolist() == [1, 0]
    assert outcome.tie_size == 3
    report = STRATEGIES["crowdselect"]()(pool).report
    assert report["tie_block"] == {"size": 3, "taken": 1}
    assert report["clusters"][0]["tie_size"] == 3


def test_a_tie_that_is_taken_whole_is_no_tie_block():
    pool = Pool(table({"difficulty": [1.0, 1.0, 0.0]}), {"difficulty": 1.0}, 2)
    assert Reselector(pool).reselect().tie_size == 0


def test_zero_weights_skip_a_metric_and_its_missing_values():
    columns = {"difficulty": [1.0, 2.0, 3.0], "stability": [np.nan, 1.0, 0.0]}
    reselector = Reselector(Pool(table(columns), {"difficulty": 1.0, "stability": 0.0}, 3))
    assert reselector.reselect().rows.tolist() == [2, 1, 0]
    assert sorted(reselector.reselect({"difficulty": 1.0, "stability": 1.0}).rows) == [1, 2]
    causes = reselector.eligible({"difficulty": 1.0, "stability": 1.0}).causes
    assert causes == {"missing stability": 1}


def test_imputing_puts_a_missing_value_in_the_middle():
    columns = {"difficulty": [np.nan, 1.0, 2.0, 3.0]}
    pool = Pool(table(columns, impute_missing=True), {"difficulty": 1.0}, 4)
    outcome = Reselector(pool).reselect()
    assert dict(zip(outcome.rows.tolist(), outcome.scores, strict=True))[0] == 0.5


def test_no_budget_gives_no_rows():
    assert len(Reselector(random_pool(budget=0)).reselect().rows) == 0


def test_nothing_eligible_gives_no_rows_and_says_so():
    pool = random_pool(excluded={"filters": np.ones(60, dtype=bool)})
    picks = STRATEGIES["crowdselect"]()(pool)
    assert len(picks.rows) == 0
    assert picks.report["status"] == "nothing_eligible"


@pytest.mark.parametrize(
    ("weights", "match"),
    [
        ({"difficulty": 0.0}, "Every weight is zero"),
        ({}, "Every weight is zero"),
        ({"difficulty": float("nan")}, "weight of difficulty is nan"),
        ({"difficulty": float("inf")}, "weight of difficulty is inf"),
    ],
)
def test_unusable_weights(weights, match):
    with pytest.raises(InputError, match=match):
        Reselector(random_pool()).reselect(weights)


def test_an_unknown_metric_names_the_closest():
    with pytest.raises(NotFoundError, match="Did you mean difficulty"):
        Reselector(random_pool()).reselect({"difficultly": 1.0})


def test_bans_and_pins_of_a_call():
    reselector = Reselector(random_pool())
    first = reselector.reselect()
    banned = first.rows[:3]
    outside = np.setdiff1d(np.arange(60), first.rows)[:2]
    again = reselector.reselect(pins=outside, bans=banned)
    assert set(outside.tolist()) <= set(again.rows.tolist())
    assert not set(banned.tolist()) & set(again.rows.tolist())
    assert len(again.rows) == len(first.rows)


def test_pins_count_against_the_quota_of_their_cluster():
    pool = Pool(
        table({"difficulty": np.arange(20.0)}),
        {"difficulty": 1.0},
        10,
        clusters=np.repeat([0, 1], 10),
        pins=np.array([0, 1]),
    )
    outcome = Reselector(pool).reselect()
    assert outcome.taken.tolist() == [5, 5]
    assert {0, 1, 7, 8, 9} == {r for r in outcome.rows.tolist() if r < 10}


def test_a_pin_with_a_missing_metric_is_in_and_ranks_last():
    pool = Pool(
        table({"difficulty": [np.nan, 1.0, 2.0]}), {"difficulty": 1.0}, 2, pins=np.array([0])
    )
    outcome = Reselector(pool).reselect()
    assert outcome.rows.tolist() == [2, 0]
    assert np.isnan(outcome.scores[1])


def test_more_pins_than_budget():
    with pytest.raises(InputError, match="5 instructions are pinned, but the budget is 3"):
        Reselector(random_pool(budget=3, pins=np.arange(5))).reselect()


def test_pinned_and_banned_at_once():
    with pytest.raises(InputError, match="'id-4' is both pinned and banned"):
        random_pool(pins=np.array([4]), bans=np.array([4, 5]))


def test_the_best_scored_of_exact_duplicates_stays_whatever_the_weights():
    columns = {"difficulty": [1.0, 3.0, 2.0], "separability": [3.0, 1.0, 2.0]}
    pool = Pool(table(columns), {"difficulty": 1.0}, 3, groups=np.array([7, 7, -1]))
    reselector = Reselector(pool)
    assert reselector.reselect().rows.tolist() == [1, 2]
    assert reselector.reselect({"separability": 1.0}).rows.tolist() == [0, 2]
    assert reselector.reselect().exact_duplicates == 1
    assert sorted(reselector.reselect(pins=np.array([0])).rows) == [0, 2]


def test_unclustered_rows_are_a_bucket_or_left_out():
    pool = random_pool()
    outcome = Reselector(pool).reselect()
    assert outcome.labels.tolist() == [0, 1, 2, 5, -1]
    assert -1 in outcome.clusters
    assert -1 not in Reselector(pool, unclustered="exclude").reselect().clusters
