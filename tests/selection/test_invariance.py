"""What changes no instruction's place changes no pick: names, units, and the order of the rows."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdselect.metrics import BASE, METRICS, MetricInputs
from crowdselect.selection import STRATEGIES, MetricTable, Pool
from crowdselect.values import RewardMatrix, Scores
from tests.crowds import growing
from tests.selection.pools import random_pool, shuffled_pool

WEIGHTS = {"difficulty": 1.0, "separability": 1.0, "stability": 2.0}
IDS = np.array([f"i{i:03}" for i in range(300)], dtype=object)


def pool_of(values, names=None, rows=None, **kwargs) -> Pool:
    """The pool of a crowd of models in three families, in the order ``rows``."""
    rows = np.arange(len(values)) if rows is None else rows
    models = growing(names or values.shape[1])
    inputs = MetricInputs(RewardMatrix("judge", IDS[rows], models, values[rows]))
    columns = {name: METRICS[name]()(inputs) for name in BASE}
    defaults = {"weights": WEIGHTS, "budget": 100, "clusters": (rows % 4).astype(np.int64)}
    return Pool(MetricTable(Scores(IDS[rows], columns)), **{**defaults, **kwargs})


def chosen(pool: Pool, strategy: str = "crowdselect", **options) -> list[str]:
    return pool.table.ids[STRATEGIES[strategy](**options)(pool).rows].tolist()


def zeros_and_ones(seed: int, models: int = 12) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.random((300, models)) < rng.random((300, 1))).astype(float)


@given(st.integers(0, 1000), st.randoms(use_true_random=False))
def test_names_units_and_the_order_of_rows_change_no_pick(seed, random):
    values = zeros_and_ones(seed)
    names = [f"m{j:02}" for j in range(values.shape[1])]
    random.shuffle(names)
    rows = np.array(random.sample(range(300), 300))
    before = chosen(pool_of(values))
    assert chosen(pool_of(values, names)) == before
    assert chosen(pool_of(values, rows=rows)) == before
    for moved in (values + 1000.0, values * 3.0, values * 0.1, values * 1e-9):
        assert chosen(pool_of(moved)) == before


@pytest.mark.parametrize("strategy", ["top", "bottom"])
@pytest.mark.parametrize("scale", [1.0, 0.1, 1e-9])
def test_one_metric_ranks_alike_in_any_unit(strategy, scale):
    values = zeros_and_ones(5)
    before = chosen(pool_of(values), strategy, metric="separability")
    assert chosen(pool_of(values * scale), strategy, metric="separability") == before


def test_the_tie_block_is_the_number_of_rows_with_that_score():
    values = zeros_and_ones(9, models=19)
    pool = pool_of(values, weights={"separability": 1.0}, clusters=None)
    report = STRATEGIES["crowdselect"]()(pool).report
    ones = values.sum(axis=1).astype(int)
    spread = ones * (19 - ones)
    ordered = np.sort(spread)[::-1]
    block = int(np.count_nonzero(spread == ordered[99]))
    taken = 100 - int(np.count_nonzero(spread > ordered[99]))
    assert block > taken
    assert report["tie_block"] == {"size": block, "taken": taken}


@pytest.mark.parametrize("strategy", STRATEGIES.names())
def test_no_strategy_depends_on_the_order_of_the_rows(strategy):
    pool = random_pool(80, seed=3)
    rows = np.random.default_rng(1).permutation(80)
    pool = replace(pool, pins=np.array([4, 7]), bans=np.array([11]))
    shuffled = shuffled_pool(pool, rows)
    there, back = (STRATEGIES[strategy]()(p) for p in (pool, shuffled))
    assert pool.table.ids[there.rows].tolist() == shuffled.table.ids[back.rows].tolist()
    assert there.scores.tobytes() == back.scores.tobytes()
    assert there.report == back.report
