"""What every strategy on the shelf keeps to."""

import dataclasses
import json

import numpy as np
import pytest

from crowdselect.registry import options_of
from crowdselect.selection import STRATEGIES, MetricTable, Pool, Strategy
from crowdselect.values import Scores
from tests.selection.pools import random_pool, shuffled_pool

PLUGINS = list(STRATEGIES)
each = pytest.mark.parametrize("plugin", PLUGINS, ids=lambda p: p.name)


@each
def test_declares_itself(plugin):
    assert dataclasses.is_dataclass(plugin)
    assert plugin.__dataclass_params__.frozen
    assert isinstance(plugin(), Strategy)
    assert plugin.title
    assert plugin.summary.endswith(".")
    assert plugin.source
    assert plugin.needs <= {"clusters", "vectors", "tags", "targets", "parts"}
    assert all(o.help for o in options_of(plugin))


@each
def test_uses_only_the_columns_it_asks_for(plugin):
    pool = random_pool()
    names = plugin().columns(pool.weights)
    raw = {name: pool.table.raw(name) for name in names}
    bare = MetricTable(Scores(pool.table.ids, raw))
    found = plugin()(dataclasses.replace(pool, table=bare))
    np.testing.assert_array_equal(found.rows, plugin()(pool).rows)


@each
def test_chooses_distinct_eligible_rows_each_with_a_reason(plugin):
    out = np.zeros(60, dtype=bool)
    out[::3] = True
    pool = random_pool(excluded={"filters": out}, bans=np.array([1, 2]))
    picks = plugin()(pool)
    assert 0 < len(picks.rows) <= 12
    assert len(set(picks.rows.tolist())) == len(picks.rows)
    assert not out[picks.rows].any()
    assert not {1, 2} & set(picks.rows.tolist())
    assert len(picks.reasons) == len(picks.scores) == len(picks.clusters) == len(picks.rows)
    for i, reason in enumerate(picks.reasons):
        assert reason.startswith(f"Rank {i + 1} of {len(picks.rows)}: ")
        assert reason.endswith(".")
    for part in picks.contributions.values():
        assert part.shape == picks.rows.shape
    np.testing.assert_array_equal(picks.clusters, pool.clusters[picks.rows])


@each
def test_reports_counts_that_add_up(plugin):
    out = np.zeros(60, dtype=bool)
    out[:20] = True
    picks = plugin()(random_pool(excluded={"filters": out}, bans=np.array([30])))
    report = json.loads(json.dumps(picks.report, allow_nan=False))
    assert report["pool"] == 60
    assert report["eligible"] + sum(report["excluded"].values()) == 60
    assert report["excluded"]["filters"] == 20
    assert report["selected"] == len(picks.rows)
    assert sum(c["taken"] for c in report["clusters"]) == len(picks.rows)
    assert sum(c["eligible"] for c in report["clusters"]) == report["eligible"]
    assert report["status"] in ("ok", "fewer_than_budget", "budget_exceeds_pool")


@each
def test_the_same_pool_gives_the_same_picks(plugin):
    first, second = plugin()(random_pool()), plugin()(random_pool())
    np.testing.assert_array_equal(first.rows, second.rows)
    np.testing.assert_array_equal(first.scores, second.scores)
    assert first.reasons == second.reasons


@each
def test_the_order_of_rows_does_not_matter(plugin):
    pool = random_pool()
    order = np.random.default_rng(5).permutation(60)
    shuffled = shuffled_pool(pool, order)
    before, after = plugin()(pool), plugin()(shuffled)
    assert pool.table.ids[before.rows].tolist() == shuffled.table.ids[after.rows].tolist()


@each
def test_pins_are_in_and_say_so(plugin):
    pool = random_pool(pins=np.array([11, 7]))
    picks = plugin()(pool)
    chosen = picks.rows.tolist()
    for pin in (7, 11):
        assert "pinned by hand" in picks.reasons[chosen.index(pin)]
    assert picks.report["pinned"] == 2


@each
def test_one_of_each_duplicate_group(plugin):
    groups = np.arange(60) // 4
    picks = plugin()(random_pool(groups=groups))
    assert len(set(groups[picks.rows].tolist())) == len(picks.rows)


@each
def test_a_budget_above_the_pool_takes_what_there_is(plugin):
    pool: Pool = random_pool(budget=500)
    picks = plugin()(pool)
    assert len(picks.rows) <= picks.report["eligible"]
    assert picks.report["status"] == "budget_exceeds_pool"
    assert any("exceeds" in w for w in picks.report["warnings"])


@each
def test_a_share_as_budget(plugin):
    picks = plugin()(random_pool(budget=0.1))
    assert picks.report["budget"] == int(picks.report["eligible"] * 0.1)
    assert 0 < len(picks.rows) <= picks.report["budget"]


@each
def test_no_budget(plugin):
    assert len(plugin()(random_pool(budget=0)).rows) == 0


@each
def test_an_empty_crowd(plugin):
    picks = plugin()(random_pool(n=0, pins=np.zeros(0, dtype=int)))
    assert len(picks.rows) == 0
    assert picks.report["status"] == "nothing_eligible"
