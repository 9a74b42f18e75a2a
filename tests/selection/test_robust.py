"""Robust: the worst place over every part that is left out, against the definition in loops."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdselect.errors import InputError
from crowdselect.selection import STRATEGIES, Pool, Without
from tests.selection.pools import NAMES, random_pool, table

ROBUST = STRATEGIES["robust"]


def mid_ranks(values: list[float]) -> list[float]:
    """Share of the others below, ties by half, of those that have a value."""
    there = [v for v in values if not np.isnan(v)]
    if len(there) < 2:
        return [np.nan if np.isnan(v) else 0.5 for v in values]
    return [
        np.nan if np.isnan(v) else
        (sum(w < v for w in there) + (sum(w == v for w in there) - 1) / 2) / (len(there) - 1)
        for v in values
    ]  # fmt: skip


def places(pool: Pool, columns: dict[str, list[float]]) -> list[float]:
    """Mid-ranks of the weighted sum of mid-ranks."""
    ranked = {name: mid_ranks(list(columns[name])) for name in columns}
    return mid_ranks(
        [
            round(sum(w * ranked[name][i] for name, w in sorted(pool.weights.items()) if w), 12)
            for i in range(len(pool))
        ]
    )


@st.composite
def crowds(draw) -> Pool:
    n, seed = draw(st.integers(1, 14)), draw(st.integers(0, 10_000))
    rng = np.random.default_rng(seed)

    def columns():
        found = {name: rng.integers(0, 5, n).astype(float) for name in NAMES}
        found["stability"][rng.random(n) < 0.2] = np.nan
        return found

    parts = [Without("model", f"m{i}", table(columns())) for i in range(draw(st.integers(1, 4)))]
    weights = dict(zip(NAMES, draw(st.permutations([1.0, -0.5, 2.0])), strict=True))
    return Pool(table(columns()), weights, budget=n, seed=seed, without=parts)


@given(crowds())
@settings(max_examples=60, deadline=None)
def test_the_worst_place_decides(pool: Pool) -> None:
    full = places(pool, {n: pool.table.raw(n) for n in NAMES})
    without = [places(pool, {n: p.table.raw(n) for n in NAMES}) for p in pool.without]
    usable = [each for each in without if not np.isnan(each).all()]
    worst = {
        i: min([full[i], *(0.0 if np.isnan(each[i]) else each[i] for each in usable)])
        for i in range(len(pool))
        if not np.isnan(full[i])
    }
    found = ROBUST()(pool)
    got = dict(zip(found.rows.tolist(), found.scores.tolist(), strict=True))
    assert got == pytest.approx(worst, abs=1e-11)
    assert list(got.values()) == sorted(got.values(), reverse=True)
    lost, place = found.contributions["lost at worst"], found.contributions["place"]
    assert place + lost == pytest.approx(found.scores, abs=1e-11)
    assert (lost <= 0).all()


def test_a_row_that_one_model_alone_lifts_is_left_for_one_that_stays() -> None:
    weights = {"difficulty": 1.0}
    full = table({"difficulty": [9.0, 8.0, 1.0]})
    parts = [
        Without("model", "generous", table({"difficulty": [0.0, 8.0, 1.0]})),
        Without("family", "all of them", table({"difficulty": [np.nan] * 3})),
    ]
    picks = ROBUST()(Pool(full, weights, budget=1, without=parts))
    assert picks.rows.tolist() == [1]
    said = "place 0.500 at worst, with everybody; 0.500 with everybody"
    assert picks.reasons == (f"Rank 1 of 1: {said}.",)
    second = ROBUST()(Pool(full, weights, budget=3, without=parts)).reasons[1:]
    assert any("place 0.000 at worst, without the model generous" in each for each in second)


def test_it_takes_equally_from_clusters_unless_told_otherwise() -> None:
    pool = random_pool(clusters=np.repeat([0, 1, 2], 20))
    assert np.bincount(ROBUST()(pool).clusters).tolist() == [4, 4, 4]
    best = ROBUST(quotas=False)(pool)
    everything = ROBUST(quotas=False)(replace(pool, budget=60))
    assert best.rows.tolist() == everything.rows.tolist()[:12]


def test_with_nothing_to_leave_out_it_says_so() -> None:
    with pytest.raises(InputError, match="none that could be") as raised:
        ROBUST()(random_pool(without=()))
    assert "crowdselect" in raised.value.remedy
