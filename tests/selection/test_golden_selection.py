"""Selections reproduce figures that were worked out apart from this code."""

from collections import Counter

import numpy as np
import pytest

from crowdselect.landscape.encoder import unit_rows
from crowdselect.selection import (
    STRATEGIES,
    Pool,
    normalise,
    normalise_sklearn,
    resolve_budget,
)
from crowdselect.selection.coverage import facility_location, k_center, similarity
from tests.golden import golden
from tests.selection.pools import NAMES, table

GOLDEN = golden("methods")
G2, G3, G5 = GOLDEN["G2_normalise"], GOLDEN["G3_multi"], GOLDEN["G5_peers"]
G3B = GOLDEN["G3b_multi_midrank"]
IDS = G3["ids"]
CLUSTERS = np.array([G3["clusters"][i] for i in IDS])
OURS_DIFFER = {"constant", "single"}
"""A column without any difference is 0.5 here (it must move nothing), 0 in scikit-learn."""


@pytest.mark.parametrize("case", sorted(G2))
def test_normalise(case):
    x = np.array(G2[case]["x"], dtype=float)
    expected = G2[case]["midrank_minus1_over_nminus1"]
    if case in OURS_DIFFER:
        expected = [0.5] * len(x)
    np.testing.assert_allclose(normalise(x), expected, atol=1e-6)


@pytest.mark.parametrize("case", sorted(G2))
def test_normalise_as_published(case):
    x = np.array(G2[case]["x"], dtype=float)
    np.testing.assert_allclose(normalise_sklearn(x), G2[case]["quantile"], atol=1e-6)


@pytest.mark.parametrize("case", sorted(G2))
def test_standardising_and_scaling_first_changes_nothing(case):
    x = np.array(G2[case]["x"], dtype=float)
    z, minmax = (np.array(G2[case][k], dtype=float) for k in ("z", "minmax"))
    there = x[~np.isnan(x)]
    if there.std() > 0:
        np.testing.assert_allclose(z, (x - there.mean()) / there.std(), atol=1e-6)
        np.testing.assert_allclose(minmax, (x - there.min()) / np.ptp(there), atol=1e-6)
        np.testing.assert_array_equal(normalise(z), normalise(x))
        np.testing.assert_array_equal(normalise(minmax), normalise(x))
    np.testing.assert_allclose(G2[case]["quantile_of_raw_x"], G2[case]["quantile"], atol=1e-6)


def crowd(profile):
    return table({k: G3[k] for k in NAMES}, IDS, profile=profile)


@pytest.mark.parametrize("profile", ["paper", "reference"])
@pytest.mark.parametrize("metric", NAMES)
def test_normalised_metrics_of_the_small_crowd(profile, metric):
    expected = {"paper": G3B["normalised"], "reference": G3["quantile"]}[profile][metric]
    np.testing.assert_allclose(crowd(profile).normalised(metric), expected, atol=1e-6)


def cases():
    for profile, runs in (("paper", G3B["runs"]), ("reference", G3["runs"])):
        for weights, run in runs.items():
            for budget in (k for k in run if k.startswith("budget_")):
                yield pytest.param(
                    profile, weights, budget, run, id=f"{profile}-{weights}-{budget}"
                )


@pytest.mark.parametrize(("profile", "weights", "budget", "run"), list(cases()))
def test_weighted_selection(profile, weights, budget, run):
    pool = Pool(
        crowd(profile),
        dict(zip(NAMES, map(float, weights.split("_")), strict=True)),
        int(budget.removeprefix("budget_")),
        clusters=CLUSTERS,
    )
    picks = STRATEGIES["crowdselect"](ties="id")(pool)
    chosen = [IDS[r] for r in picks.rows]
    np.testing.assert_allclose(picks.scores, [run["score"][i] for i in chosen], atol=1e-6)
    quota = {str(c): n for c, n in Counter(picks.clusters.tolist()).items()}
    assert quota == run[budget]["quota"]
    expected = run[budget]["selected_by_score"]
    if profile == "reference" and weights == "-1_-1_1":
        # u5 and u7 tie; unrounded sums differ in the last bit, rounded ones go by id.
        expected = ["u5" if i == "u7" and "u5" not in expected else i for i in expected]
        position = {i: p for p, i in enumerate(expected)}
        if {"u5", "u7"} <= set(expected):
            a, b = sorted((position["u5"], position["u7"]))
            expected[a], expected[b] = "u5", "u7"
    assert chosen == expected


@pytest.mark.parametrize("weights", sorted(G3["runs"]))
def test_the_published_sort_by_id_is_a_fault_that_we_do_not_have(weights):
    """The published file sorts (id, score) pairs as pairs: the score never matters."""
    run = G3["runs"][weights]
    published = [
        max((i, run["score"][i]) for i in IDS if G3["clusters"][i] == c)[0] for c in (0, 1, 2)
    ]
    assert published == run["published_sort_bug_top1_per_cluster"]
    pool = Pool(
        crowd("reference"),
        dict(zip(NAMES, map(float, weights.split("_")), strict=True)),
        3,
        clusters=CLUSTERS,
    )
    ours = {IDS[r] for r in STRATEGIES["reference"](per_cluster=1)(pool).rows}
    assert ours == {
        max((i for i in IDS if G3["clusters"][i] == c), key=run["score"].get) for c in (0, 1, 2)
    }
    assert ours != set(published)


def test_facility_location():
    points = np.array(G5["points"], dtype=np.float32)
    order, gains = facility_location(similarity(points, 6), 4)
    assert order.tolist() == G5["facility_location"]["order"]
    np.testing.assert_allclose(gains, G5["facility_location"]["gains"], atol=1e-6)


def test_k_center():
    points = np.array(G5["points"], dtype=np.float32)
    order, distances = k_center(points, 4, np.array([0]))
    assert order[:3].tolist() == G5["kcenter_first0"]["order"]
    # What a fourth pick would be away is the radius that three leave.
    assert distances[3] == pytest.approx(G5["kcenter_first0"]["radius"], abs=1e-6)


def test_deita_keeps_fewer_than_asked():
    g = G5["deita"]
    columns = {"complexity": g["complexity"], "quality": g["quality"]}
    pool = Pool(table(columns), budget=3, vectors=unit_rows(np.array(g["emb"])))
    picks = STRATEGIES["deita"](threshold=0.9, complexity="complexity", quality="quality")(pool)
    assert sorted(picks.rows.tolist()) == g["keep_tau0.9_n3"]
    np.testing.assert_allclose(picks.scores, [g["product"][r] for r in picks.rows])
    assert picks.report["status"] == "fewer_than_budget"


@pytest.mark.parametrize(("case", "expected"), GOLDEN["budget_floors"].items())
def test_budget_shares_are_rounded_down_but_not_to_nothing(case, expected):
    n, p = (float(part.split("=")[1]) for part in case.split(","))
    assert resolve_budget(p, int(n)) == max(1, expected)
