"""What is particular to each strategy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdselect.errors import InputError
from crowdselect.landscape.encoder import unit_rows
from crowdselect.selection import STRATEGIES, Pool
from crowdselect.selection.coverage import DENSE_BELOW, facility_location, k_center, similarity
from crowdselect.selection.strategies.instag import diverse_passes
from crowdselect.selection.strategies.instag_crowdselect import longest_by_tag
from tests.selection.pools import random_pool, table


def test_top_and_bottom_are_the_ends():
    pool = random_pool(budget=10)
    values = pool.table.raw("difficulty")
    for name, sign in (("top", -1), ("bottom", 1)):
        picks = STRATEGIES[name](metric="difficulty")(pool)
        np.testing.assert_array_equal(picks.scores, sign * np.sort(sign * values)[:10])


def test_top_with_quotas_takes_equally():
    picks = STRATEGIES["top"](quotas=True)(random_pool(budget=10))
    assert max(c["taken"] for c in picks.report["clusters"]) <= 3


def test_a_larger_random_draw_only_adds_rows():
    small = STRATEGIES["random"]()(random_pool(budget=5)).rows
    large = STRATEGIES["random"]()(random_pool(budget=20)).rows
    np.testing.assert_array_equal(small, large[:5])


def test_random_draws_are_uniform():
    hits = np.zeros(50)
    pool = table({"x": np.zeros(50)})
    for seed in range(400):
        hits[STRATEGIES["random"]()(Pool(pool, budget=10, seed=seed)).rows] += 1
    # 400 draws of 10 in 50: expected 80 each, standard deviation 8.
    assert hits.min() > 45
    assert hits.max() < 115


def test_reference_leaves_short_clusters_short():
    pool = random_pool(n=60, budget=1000)
    picks = STRATEGIES["reference"](per_cluster=5)(pool)
    for entry in picks.report["clusters"]:
        assert entry["taken"] == min(5, entry["eligible"])
    cut = STRATEGIES["reference"](per_cluster=5)(random_pool(n=60, budget=8))
    np.testing.assert_array_equal(cut.rows, picks.rows[:8])


@pytest.mark.parametrize("name", ["deita", "facility_location", "k_center"])
def test_vectors_are_asked_for(name):
    with pytest.raises(InputError, match="needs embeddings"):
        STRATEGIES[name]()(random_pool(vectors=None))


def test_a_pool_of_unequal_lengths_is_refused():
    with pytest.raises(InputError, match="clusters has 3 rows, the metric table 60"):
        random_pool(clusters=np.zeros(3, dtype=int))


def test_tags_and_clusters_are_asked_for():
    with pytest.raises(InputError, match="needs tags"):
        STRATEGIES["instag"]()(random_pool(tags=None))
    with pytest.raises(InputError, match="needs clusters"):
        STRATEGIES["reference"]()(random_pool(clusters=None))


def test_instag_takes_the_most_tags_first_and_a_new_one_each():
    tags = [frozenset(t) for t in ("abc", "ab", "c", "d", "", "abcd")]
    order = np.array(sorted(range(6), key=lambda i: -len(tags[i])))
    # Pass 1: abcd covers all. Pass 2: abc, then d. Pass 3: ab, c. The untagged row never.
    assert diverse_passes(tags, order, 10).tolist() == [5, 0, 3, 1, 2]


def test_instag_as_published_gives_the_first_tag_the_share_and_the_others_one():
    tags = [["a"], ["a"], ["a"], ["b"], ["b"], ["c"], []]
    # 6 // 3 = 2 from a, then one each from b and c, then the longest that are left.
    assert longest_by_tag(tags, np.arange(7), 6).tolist() == [0, 1, 3, 5, 2, 4]


def naive_facility_location(s, budget):
    best, order = np.zeros(len(s)), []
    for _ in range(budget):
        gains = [
            np.maximum(s[:, x] - best, 0).sum() if x not in order else -1 for x in range(len(s))
        ]
        x = int(np.argmax(np.round(gains, 9)))
        order.append(x)
        best = np.maximum(best, s[:, x])
    return best.sum()


@settings(max_examples=30)
@given(st.integers(0, 1000))
def test_lazy_facility_location_is_as_good_as_the_naive_one(seed):
    vectors = np.random.default_rng(seed).normal(size=(25, 3)).astype(np.float32)
    s = similarity(vectors, 25)
    order, gains = facility_location(s, 8)
    assert len(set(order.tolist())) == 8
    assert (np.diff(gains) <= 1e-9).all()
    assert gains.sum() == pytest.approx(naive_facility_location(s.toarray(), 8))


def test_sparse_facility_location_is_close_to_the_dense_one():
    rng = np.random.default_rng(0)
    n = DENSE_BELOW + 452
    centres = rng.normal(size=(20, 6)) * 4
    vectors = unit_rows(centres[rng.integers(0, 20, n)] + rng.normal(size=(n, 6)))
    sparse = similarity(vectors, 64)
    assert sparse.nnz <= n * 64
    exact = 2.0 - np.sqrt(np.maximum(2 - 2 * (vectors @ vectors.T).astype(np.float64), 0))
    chosen = facility_location(sparse, 60)[0]
    drawn = [rng.choice(n, 60, replace=False) for _ in range(5)]
    covered = exact[:, chosen].max(axis=1).sum()
    best_draw = max(exact[:, d].max(axis=1).sum() for d in drawn)
    assert covered > best_draw


def test_facility_location_can_shortlist_by_score():
    pool = random_pool(budget=5)
    picks = STRATEGIES["facility_location"](best_share=0.2)(pool)
    eligible = ~np.isnan(pool.table.raw("stability"))
    score = sum(w * pool.table.normalised(k) for k, w in pool.weights.items())
    least = np.sort(score[eligible])[-int(0.2 * eligible.sum())]
    assert (score[picks.rows] >= least - 1e-9).all()


def test_k_center_is_a_two_approximation_and_stops_at_copies():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(80, 3)).astype(np.float32)
    order, distances = k_center(vectors, 10, np.array([0]))
    assert (np.diff(distances[1:]) <= 1e-6).all()
    gaps = np.linalg.norm(vectors[:, None] - vectors[order[:9]], axis=2).min(axis=1)
    assert distances[9] == pytest.approx(gaps.max(), rel=1e-5)
    copies = np.repeat(vectors[:4], 5, axis=0)
    assert sorted(k_center(copies, 10, np.array([0]))[0] // 5) == [0, 1, 2, 3]


@pytest.mark.parametrize("name", ["facility_location", "k_center"])
def test_slow_strategies_tell_how_far_they_are(name):
    told = []
    pool = random_pool(progress=lambda done, total, label="": told.append((done, total, label)))
    STRATEGIES[name]()(pool)
    assert told[-1][:2] == (12, 12)


def test_deita_skips_what_is_near_a_better_one():
    pool = random_pool(n=120, budget=40)
    picks = STRATEGIES["deita"](threshold=0.5)(pool)
    chosen = pool.vectors[picks.rows]
    similar = chosen @ chosen.T
    np.fill_diagonal(similar, -1)
    assert similar.max() <= 0.5
    assert (np.diff(picks.scores) <= 0).all()
    assert picks.report["near_duplicates"] > 0
