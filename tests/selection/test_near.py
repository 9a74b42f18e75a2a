"""Exact and near duplicates."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdselect.equal_texts import exact_duplicates
from crowdselect.errors import InputError
from crowdselect.landscape.encoder import unit_rows
from crowdselect.selection import Reselector, near_duplicates
from tests.selection.pools import random_pool


def test_exact_duplicates_ignore_case_and_white_space():
    texts = ["Sort a list.", "sort  a\nLIST. ", "Sort a list", "x", "X", "y"]
    assert exact_duplicates(texts).tolist() == [0, 0, -1, 2, 2, -1]
    assert exact_duplicates([]).tolist() == []


def slow(vectors, threshold, limit, protected):
    kept, partner = [], []
    for i, v in enumerate(vectors):
        if limit is not None and len(kept) >= max(limit, protected):
            partner.append(-2)
            continue
        near = [j for j in kept if v @ vectors[j] > threshold] if i >= protected else []
        partner.append(near[0] if near else -1)
        if not near:
            kept.append(i)
    return partner


@given(
    st.integers(0, 10_000),
    st.sampled_from([0.2, 0.6, 0.95]),
    st.sampled_from([None, 0, 3, 50]),
    st.sampled_from([0, 2]),
)
def test_near_duplicates_equal_the_slow_way(seed, threshold, limit, protected):
    rng = np.random.default_rng(seed)
    vectors = unit_rows(rng.normal(size=(40, 3)))
    found = near_duplicates(vectors, threshold, limit=limit, protected=protected)
    assert found.tolist() == slow(vectors, threshold, limit, protected)


def test_near_duplicates_across_blocks():
    rng = np.random.default_rng(0)
    vectors = unit_rows(rng.normal(size=(2500, 4)))
    found = near_duplicates(vectors, 0.9)
    assert found.tolist() == slow(vectors, 0.9, None, 0)
    order = rng.permutation(2500)
    shuffled = near_duplicates(vectors, 0.9, order)
    assert shuffled.tolist() == slow(vectors[order], 0.9, None, 0)


@pytest.mark.parametrize("threshold", [0.3, 0.7, 0.9])
def test_no_two_picks_are_near_and_their_places_are_filled(threshold):
    pool = random_pool(n=200, budget=30, near_duplicates=threshold, pins=np.array([3]))
    outcome = Reselector(pool).reselect()
    chosen = pool.vectors[outcome.rows]
    similarity = chosen @ chosen.T
    np.fill_diagonal(similarity, -1)
    assert similarity.max() <= threshold
    assert 3 in outcome.rows
    free = Reselector(random_pool(n=200, budget=30, pins=np.array([3]))).reselect()
    if len(outcome.rows) == 30:
        assert outcome.near_duplicates > 0 or set(outcome.rows) == set(free.rows)
    else:
        # Too few distinct rows: every row left out is near one that is in, or was dropped by one.
        assert outcome.near_duplicates == outcome_pool(pool) - len(outcome.rows)


def outcome_pool(pool):
    return int(Reselector(pool).eligible().mask.sum() + (~Reselector(pool).eligible().mask[3]))


def test_the_better_scored_of_two_near_rows_stays():
    pool = random_pool(n=50, budget=10, clusters=None)
    first = Reselector(pool).reselect().rows
    vectors = pool.vectors.copy()
    vectors[first[4]] = vectors[first[1]]
    twin = random_pool(n=50, budget=10, clusters=None, vectors=vectors, near_duplicates=0.999)
    rows = Reselector(twin).reselect().rows.tolist()
    assert first[1] in rows
    assert first[4] not in rows
    assert len(rows) == 10


def test_near_duplicates_need_vectors():
    with pytest.raises(InputError, match="needs embeddings"):
        random_pool(vectors=None, near_duplicates=0.9)
