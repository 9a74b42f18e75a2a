"""What a selection says about itself: reasons, counts, warnings and what is missing."""

import numpy as np
import pytest

from crowdselect.errors import NotFoundError
from crowdselect.landscape.encoder import unit_rows
from crowdselect.selection import STRATEGIES, Pool, Reselector
from crowdselect.selection.presets import PRESETS, preset_weights
from crowdselect.selection.quota import best_open, water_level
from crowdselect.selection.ranking import rank_by
from tests.selection.pools import table

N = 8
COLUMNS = {
    "difficulty": [7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.0],
    "separability": [0.0, 2.0, 1.0, 3.0, 4.0, 5.0, 6.0, 7.0],
    "length:instruction:tokens": [3.0, 1.0, 4.0, 1.5, 9.0, 2.0, 6.0, 5.0],
    "length:instruction:words": [3.0, 1.0, 4.0, 1.5, 9.0, 2.0, 6.0, 5.0],
    "best_reward": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0],
    "min_reward": [-1.0, -2.0, -3.0, -4.0, -5.0, -6.0, -7.0, -8.0],
}
ANGLES = np.linspace(0.0, 1.4, N)
VECTORS = unit_rows(np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1))
TAGS = [["a", "b"], ["a"], [], ["c", "d", "e"], ["a"], ["b"], ["c"], []]
GROUPS = np.array([0, 0, -1, -1, -1, 1, 1, -1])
CLUSTERS = np.array([0, 0, 0, 1, 1, 1, -1, -1])


def pool(**kwargs) -> Pool:
    defaults = {
        "weights": {"difficulty": 2.0},
        "budget": 3,
        "vectors": VECTORS,
        "tags": TAGS,
        "clusters": CLUSTERS,
    }
    return Pool(table(COLUMNS), **{**defaults, **kwargs})


FIRST = {
    "crowdselect": "score 2.000 = difficulty +2.000; 1 of 1 from cluster 0.",
    "top": "difficulty 7, among the highest; 1 of 3 from cluster 0.",
    "bottom": "difficulty 0, among the lowest; 1 of 2 from the unclustered rows.",
    "length": ("length:instruction:tokens 9, among the highest; 1 of 1 from cluster 1."),
    "reward_top": "best_reward 8, among the highest; 1 of 2 from the unclustered rows.",
    "reward_bottom": "min_reward -8, among the lowest; 1 of 2 from the unclustered rows.",
    "deita": ("score 2, and no better pick is closer than cosine 0.9; 1 of 1 from cluster 0."),
    "k_center": "where the spreading starts; 1 of 2 from cluster 0.",
    "instag": ("3 tags, at least one of them new in its pass; 1 of 2 from cluster 1."),
    "instag_crowdselect": ("9 words, long for its tag or for the pool; 1 of 1 from cluster 1."),
    "reference": "score 2.000, as the published code adds it up; 1 of 3 from cluster 0.",
}


@pytest.mark.parametrize("name", FIRST)
def test_the_first_pick_says_why_it_is_in(name: str) -> None:
    picks = STRATEGIES[name]()(pool())
    if name == "k_center":
        assert picks.reasons[0].startswith("Rank 1 of 3: where the spreading starts; 1 of ")
        assert "away from the nearest earlier pick" in picks.reasons[1]
    else:
        assert picks.reasons[0] == f"Rank 1 of 3: {FIRST[name]}"
    assert len(picks.reasons) == 3
    assert picks.reasons[2].startswith("Rank 3 of 3: ")


def test_draws_and_coverage_say_why_too() -> None:
    drawn = STRATEGIES["random"]()(pool(seed=9, clusters=None)).reasons
    assert drawn == tuple(f"Rank {i} of 3: drawn at random with seed 9." for i in (1, 2, 3))
    picks = STRATEGIES["facility_location"]()(pool(clusters=None))
    gain = f"adds {picks.scores[0]:.4g} to how well the picks cover the pool"
    assert picks.reasons[0] == f"Rank 1 of 3: {gain}."
    np.testing.assert_array_equal(picks.contributions["coverage"], picks.scores)


def test_a_pin_is_said_to_be_one() -> None:
    picks = STRATEGIES["top"]()(pool(pins=np.array([7]), clusters=None))
    assert picks.reasons[2] == "Rank 3 of 3: difficulty 0, among the highest; pinned by hand."


CONTRIBUTIONS = {
    "crowdselect": "difficulty",
    "top": "difficulty",
    "length": "length:instruction:tokens",
    "instag": "tags",
    "instag_crowdselect": "length:instruction:words",
    "k_center": "distance",
    "deita": "difficulty",
    "reference": "difficulty",
}


@pytest.mark.parametrize("name", CONTRIBUTIONS)
def test_what_a_score_is_made_of(name: str) -> None:
    picks = STRATEGIES[name]()(pool())
    (part,) = picks.contributions
    assert part == CONTRIBUTIONS[name]
    np.testing.assert_allclose(picks.contributions[part], picks.scores, atol=1e-12)


def test_complexity_times_quality_is_named_as_such() -> None:
    found = STRATEGIES["deita"](complexity="difficulty", quality="best_reward")(pool())
    assert list(found.contributions) == ["difficulty x best_reward"]
    assert found.scores[0] == 16.0
    assert found.rows[0] in (3, 4)


GREEDY = ("deita", "facility_location", "k_center", "instag", "instag_crowdselect", "reference")


@pytest.mark.parametrize("name", GREEDY)
def test_rows_with_the_text_of_a_better_row_are_counted(name: str) -> None:
    report = STRATEGIES[name]()(pool(groups=GROUPS)).report
    assert report["exact_duplicates"] == 2
    assert report["eligible"] == N
    assert report["budget"] == report["selected"] == 3
    assert STRATEGIES[name]()(pool()).report["exact_duplicates"] == 0


@pytest.mark.parametrize("name", [*GREEDY, "crowdselect", "top"])
def test_a_pin_keeps_the_rows_with_its_text_out(name: str) -> None:
    picks = STRATEGIES[name]()(pool(groups=GROUPS, pins=np.array([1, 6]), budget=6))
    assert {1, 6} <= set(picks.rows.tolist())
    assert not {0, 5} & set(picks.rows.tolist())
    assert (picks.report["pinned"], picks.report["banned"]) == (2, 0)


def test_near_copies_are_counted_and_pins_are_none() -> None:
    close = STRATEGIES["deita"](threshold=0.5)(pool(budget=5))
    assert close.rows.tolist() == [0, 6]
    assert close.report["near_duplicates"] == 6
    assert close.report["status"] == "fewer_than_budget"
    assert close.report["warnings"][0] == ("Only 2 of 5 could be taken: the others are too alike.")
    pinned = STRATEGIES["deita"](threshold=0.5)(pool(budget=5, pins=np.array([0, 1])))
    assert pinned.rows.tolist() == [0, 1, 7]


def test_a_report_counts_everything() -> None:
    report = STRATEGIES["crowdselect"]()(
        pool(
            weights={"difficulty": 1.0},
            excluded={"filters": np.arange(N) == 4, "empty": np.arange(N) >= 4},
            bans=np.array([0, 0]),
            budget=2,
        )
    ).report
    assert report == {
        "pool": 8,
        "eligible": 3,
        "excluded": {"banned": 1, "filters": 1, "empty": 3},
        "budget": 2,
        "selected": 2,
        "status": "ok",
        "cut": pytest.approx(4 / 7),
        "tie_block": {"size": 0, "taken": 0},
        "clusters": [
            {
                "cluster": 0,
                "eligible": 2,
                "taken": 1,
                "cut": pytest.approx(6 / 7),
                "tie_size": 0,
            },
            {
                "cluster": 1,
                "eligible": 1,
                "taken": 1,
                "cut": pytest.approx(4 / 7),
                "tie_size": 0,
            },
            {"cluster": -1, "eligible": 0, "taken": 0, "cut": None, "tie_size": 0},
        ],
        "pinned": 0,
        "banned": 1,
        "exact_duplicates": 0,
        "near_duplicates": 0,
        "warnings": ["2 of 8 instructions have no vector, so no cluster: they are not eligible."],
    }


def test_warnings_are_sentences() -> None:
    warned = STRATEGIES["crowdselect"]()(pool(budget=100)).report
    assert warned["status"] == "budget_exceeds_pool"
    assert warned["warnings"] == [
        "The budget of 100 exceeds the 8 eligible instructions; 8 were taken.",
        "2 of 8 instructions have no vector, so no cluster: they compete as a group of their own.",
    ]
    nobody = STRATEGIES["top"]()(pool(excluded={"filters": np.ones(N, dtype=bool)}, clusters=None))
    assert nobody.report["status"] == "nothing_eligible"
    assert nobody.report["warnings"] == ["No instruction is eligible: nothing was selected."]
    assert nobody.report["cut"] is None
    none = STRATEGIES["top"]()(pool(budget=0, clusters=None)).report
    assert (none["status"], none["warnings"]) == ("ok", [])


@pytest.mark.parametrize(("missing", "warns"), [(2, False), (3, True), (100, True)])
def test_a_metric_that_is_missing_for_more_than_one_row_in_a_hundred_is_told(
    missing: int, warns: bool
) -> None:
    values = np.arange(200.0)
    values[:missing] = np.nan
    found = STRATEGIES["crowdselect"]()(
        Pool(table({"difficulty": values}), weights={"difficulty": 1.0}, budget=5)
    )
    told = f"difficulty is missing for {missing} of 200 instructions, which cannot be selected."
    assert found.report["warnings"] == ([told] if warns else [])
    assert found.report["excluded"] == {"missing difficulty": missing}


def test_a_metric_without_differences_is_told() -> None:
    flat = Pool(
        table({"difficulty": [1.0, 1.0, np.nan], "separability": [1.0, 2.0, 3.0]}),
        weights={"difficulty": 1.0, "separability": 1.0, "stability": 0.0},
        budget=1,
    )
    assert STRATEGIES["crowdselect"]()(flat).report["warnings"][-1] == (
        "difficulty is the same everywhere, so its weight moves nothing."
    )


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(NotFoundError) as caught:
        pool().table.raw("dificulty")
    assert caught.value.problem == "There is no metric column 'dificulty' here."
    assert "difficulty" in caught.value.remedy


def test_ranking_takes_from_the_whole_pool_unless_told_otherwise() -> None:
    values = np.array(COLUMNS["difficulty"])
    _, outcome = rank_by(pool(), "difficulty", values)
    assert outcome.rows.tolist() == [0, 1, 2]
    assert outcome.clusters.tolist() == [0, 0, 0]
    _, each = rank_by(pool(), "difficulty", values, quotas=True)
    assert each.rows.tolist() == [0, 3, 6]
    lows, low = rank_by(pool(), "difficulty", values, lowest=True)
    assert low.rows.tolist() == [7, 6, 5]
    assert low.scores.tolist() == [0.0, 1.0, 2.0]
    assert low.cuts.tolist() == [2.0]
    assert lows.mask.all()


def test_ties_of_a_ranking_go_by_hash_or_by_id() -> None:
    same = Pool(table({"x": np.zeros(40)}, ids=[f"i{i:02}" for i in range(40)]), budget=40, seed=3)
    keys = same.table.keys(3)
    _, outcome = rank_by(same, "x", same.table.raw("x"))
    assert outcome.rows.tolist() == np.argsort(keys).tolist()
    _, outcome = rank_by(same, "x", same.table.raw("x"), ties="id")
    assert outcome.rows.tolist() == list(range(40))


def test_scores_of_all_rows_are_those_of_the_picks() -> None:
    reselector = Reselector(pool(weights={"difficulty": 1.0, "separability": -0.5}))
    scores = reselector.scores()
    outcome = reselector.reselect()
    np.testing.assert_array_equal(scores[outcome.rows], outcome.scores)
    own = reselector.scores({"separability": -0.3, "difficulty": 0.0})
    places = reselector.pool.table.normalised("separability")
    np.testing.assert_array_equal(own, np.round(-0.3 * places, 12) + 0.0)
    assert reselector.eligible().mask.all()


def test_presets_are_the_papers_weights() -> None:
    names = ("difficulty", "separability", "stability")
    tried = {
        name: tuple(preset.weights.get(n, 0) for n in names) for name, preset in PRESETS.items()
    }
    assert tried == {
        "paper": (1, 1, 2),
        "equal": (1, 1, 1),
        "code": (1, 1, 1.5),
        "agreed": (1, -1, 1),
        "agreed-stable": (1, -1, 1.5),
        "unstable": (1, 1, -1),
        "easy": (-1, -1, 1),
        "easy-stable": (-1, -1, 1.5),
        "easy-most-stable": (-1, -1, 2),
        "difficulty": (1, 0, 0),
        "separability": (0, 1, 0),
        "stability": (0, 0, 1),
    }
    assert preset_weights("difficulty") == {"difficulty": 1}
    for name, preset in PRESETS.items():
        assert preset.name == name
        assert preset.title
        table_13 = name in names
        assert preset.source == f"CrowdSelect (arXiv 2503.01836) table {13 if table_13 else 3}"
    with pytest.raises(NotFoundError) as caught:
        preset_weights("papers")
    assert caught.value.problem == "There is no preset 'papers'."
    assert "paper" in caught.value.remedy


def test_rows_without_a_cluster_are_left_out_under_a_name_of_their_own() -> None:
    report = STRATEGIES["crowdselect"](unclustered="exclude")(pool()).report
    assert report["excluded"] == {"unclustered": 2}
    assert report["eligible"] == 6


def test_a_cluster_that_gets_nothing_hides_no_other_clusters_cut() -> None:
    # Cluster 0 is full of pins; the others are cut.
    picks = STRATEGIES["crowdselect"]()(pool(pins=np.array([0, 1, 2]), budget=5))
    assert [(c["cluster"], c["taken"], c["cut"]) for c in picks.report["clusters"]] == [
        (0, 3, None),
        (1, 1, pytest.approx(8 / 7)),
        (-1, 1, pytest.approx(2 / 7)),
    ]


def test_odd_units_of_many_clusters_go_to_the_first_of_equals() -> None:
    level = water_level(np.full(40, 3), 50)
    assert level.spare == 10
    assert best_open(level, np.zeros(40)).tolist() == list(range(10))
    scores = np.repeat([1.0, 2.0], 20)
    assert best_open(level, scores).tolist() == list(range(20, 30))


def test_more_sets_of_metrics_than_are_kept_are_laid_out_again() -> None:
    columns = {f"m{i}": np.roll(np.arange(8.0), i) for i in range(10)}
    reselector = Reselector(Pool(table(columns), weights={"m0": 1.0}, budget=2))
    first = [reselector.reselect({name: 1.0}).rows.tolist() for name in columns]
    again = [reselector.reselect({name: 1.0}).rows.tolist() for name in reversed(columns)]
    assert first == again[::-1]
    assert len({tuple(rows) for rows in first}) == 8


def test_many_near_copies_of_a_pin_give_way_in_the_order_of_their_ranks() -> None:
    rng = np.random.default_rng(4)
    n = 60
    values = rng.permutation(n).astype(float)
    angles = np.repeat(np.linspace(0, 1.5, 12), 5)
    vectors = unit_rows(np.stack([np.cos(angles), np.sin(angles)], axis=1))
    found = STRATEGIES["crowdselect"]()(
        Pool(
            table({"x": values}),
            weights={"x": 1.0},
            budget=12,
            vectors=vectors,
            near_duplicates=0.999,
            pins=np.array([7]),
        )
    )
    best = {g: max(range(5 * g, 5 * g + 5), key=lambda i: values[i]) for g in range(12)}
    best[1] = 7
    assert set(found.rows.tolist()) == set(best.values())
    assert found.report["near_duplicates"] > 0
