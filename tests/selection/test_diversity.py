"""Diverse subsets against what they are defined as, written the slow, obvious way."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdselect.landscape.encoder import unit_rows
from crowdselect.ranks import normalise
from crowdselect.selection import STRATEGIES
from crowdselect.selection.diversity import largest_volume, local_density, most_novel
from tests.selection.pools import random_pool


def cloud(seed: int, n: int = 18, d: int = 4) -> np.ndarray:
    return unit_rows(np.random.default_rng(seed).normal(size=(n, d)))


def volume(vectors: np.ndarray, rows: list[int], bandwidth: float) -> float:
    x = vectors[rows].astype(float)
    squared = ((x[:, None] - x) ** 2).sum(axis=2)
    return float(np.linalg.slogdet(np.exp(-squared / (2 * bandwidth**2)))[1])


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.7]))
def test_every_step_takes_the_row_that_adds_most_to_the_log_determinant(seed, quality):
    vectors = cloud(seed)
    worth = quality * np.random.default_rng(seed).normal(size=len(vectors))
    order, gains = largest_volume(vectors, 6, bandwidth=0.8, gains=worth)
    picked: list[int] = []
    for x, gain in zip(order.tolist(), gains, strict=True):
        before = volume(vectors, picked, 0.8) if picked else 0.0
        adds = [
            volume(vectors, [*picked, i], 0.8) - before + worth[i]
            for i in range(len(vectors))
            if i not in picked
        ]
        assert gain == pytest.approx(max(adds), abs=1e-6)
        picked.append(x)
    total = volume(vectors, picked, 0.8) + worth[picked].sum()
    assert gains.sum() == pytest.approx(total, abs=1e-6)


def test_the_volume_knows_copies_and_what_was_picked_before():
    copies = np.repeat(cloud(1, 4), 5, axis=0)
    assert sorted(largest_volume(copies, 10)[0] // 5) == [0, 1, 2, 3]
    order, _ = largest_volume(cloud(2), 5, first=3)
    assert order[:3].tolist() == [0, 1, 2]


def slow_novelty(vectors, density, picked, x, proximity):
    away = [(1 - vectors[x] @ vectors[j]) * (density[x] + density[j]) for j in picked]
    places = np.arange(1, len(picked) + 1) ** -proximity
    return float((np.sort(np.maximum(away, 0)) * places).mean())


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 1.0, 2.0]), st.integers(1, 3))
def test_every_step_takes_the_most_novel_row(seed, proximity, first):
    vectors = cloud(seed).astype(float)
    density = np.random.default_rng(seed).uniform(0.5, 2, len(vectors))
    order, novelty = most_novel(
        vectors.astype(np.float32), density, 8, proximity=proximity, first=first
    )
    assert order[:first].tolist() == list(range(first))
    for step in range(first, 8):
        picked = order[:step].tolist()
        best = max(
            slow_novelty(vectors, density, picked, x, proximity)
            for x in range(len(vectors))
            if x not in picked
        )
        assert novelty[step] == pytest.approx(best, abs=1e-5)


def test_density_is_one_over_the_mean_squared_distance_to_the_nearest_others():
    vectors = cloud(3, 30)
    squared = ((vectors[:, None] - vectors) ** 2).sum(axis=2)
    near = np.sort(squared, axis=1)[:, 1:6].mean(axis=1)
    np.testing.assert_allclose(local_density(vectors, 5, 0.5), near**-0.5, rtol=1e-3)
    doubled = np.concatenate([vectors, vectors[:1]])  # a copy changes nobody's density
    np.testing.assert_allclose(
        local_density(doubled, 5, 0.5)[:30], local_density(vectors, 5, 0.5), rtol=1e-3
    )


def test_picks_are_farther_apart_than_random_ones():
    pool = random_pool(n=120, budget=15)
    random = STRATEGIES["random"]()(pool).rows
    for name in ("dpp", "novelsum"):
        chosen = STRATEGIES[name]()(pool).rows
        assert volume(pool.vectors, list(chosen), 0.5) > volume(pool.vectors, list(random), 0.5)


def test_quality_draws_the_volume_towards_the_score():
    pool = random_pool(n=120, budget=15)
    score = sum(w * pool.table.normalised(k) for k, w in pool.weights.items())
    plain, good = (STRATEGIES["dpp"](quality=q)(pool).rows for q in (0.0, 50.0))
    assert np.nanmean(score[good]) > np.nanmean(score[plain]) + 0.5


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.25, 0.5, 1.0]))
def test_a_band_holds_the_places_closest_to_its_centre(seed, centre):
    pool = random_pool(seed=seed, budget=10)
    picks = STRATEGIES["band"](metric="stability", centre=centre)(pool)
    away = np.abs(normalise(pool.table.raw("stability")) - centre)
    assert np.nanmax(away[picks.rows]) <= np.sort(away[~np.isnan(away)])[9] + 1e-12
