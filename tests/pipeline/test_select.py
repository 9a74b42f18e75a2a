"""A recipe and a crowd: every way in gives the same rows, and every field does what it says."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from crowdselect import pipeline
from crowdselect.errors import CrowdSelectError, InputError, NotFoundError
from crowdselect.pipeline import Session
from crowdselect.polygon import points_in_polygon
from crowdselect.selection import STRATEGIES
from crowdselect.values import Recipe
from tests.pipeline import tiny


def test_select_is_repeatable_and_explained(crowd, recipe) -> None:
    made = recipe()
    one, two = pipeline.select(crowd, made), pipeline.select(crowd, made)
    assert list(one.ids) == list(two.ids)
    assert one.reasons == two.reasons
    assert one.report == two.report
    assert len(one.ids) == 12
    total = np.sum([*one.contributions.values()], axis=0)
    np.testing.assert_allclose(total, one.scores, atol=1e-11)
    assert (np.diff(one.scores) <= 1e-12).all()
    assert [c["taken"] for c in one.report["clusters"]] == [4, 4, 4]
    assert all(c["name"] for c in one.report["clusters"])


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"weights": {"difficulty": -1.0, "stability": 0.5}},
        {"budget": 0.5},
        {"budget": 7},
        {"pins": ("u00", "u59")},
        {"bans": ("u01", "u02", "u03")},
        {"clusters": 0},
        {"judge": "gentle"},
        {"judge": "all"},
        {"profile": "reference"},
        {"options": {"ties": "id"}},
        {"filters": {"contains": "python"}},
        {"filters": {"near_duplicates": 0.9}},
        {"weights": {"difficulty@gentle": 1.0, "length:response:tokens": -1.0}},
        {"clustering": "fast"},
    ],
)
def test_live_session_gives_the_same_rows(crowd, recipe, fields) -> None:
    """The dashboard's hot path, after other recipes went through the same session."""
    made = recipe(**fields)
    session = Session(crowd)
    for other in (recipe(), recipe(weights={"separability": 2.0}, budget=3), made):
        session.outcome(other)
    fresh = pipeline.select(crowd, made)
    assert list(crowd.ids[session.outcome(made).rows]) == list(fresh.ids)
    assert list(pipeline.select(session, made).ids) == list(fresh.ids)
    assert pipeline.select(session, made).report == fresh.report


def test_only_crowdselect_is_live(crowd, recipe) -> None:
    with pytest.raises(InputError, match="re-weighted live"):
        Session(crowd).reselector(recipe(strategy="random"))


@pytest.mark.parametrize("fields", [{}, {"strategy": "random"}, {"strategy": "k_center"}])
def test_an_outcome_says_what_the_report_says(crowd, recipe, fields) -> None:
    made = recipe(bans=("u00", "u01"), **fields)
    session = Session(crowd)
    found, report = session.outcome(made), session.picks(made).report
    assert found.rows.tolist() == session.picks(made).rows.tolist()
    assert (len(found.rows), found.competing) == (report["selected"], report["eligible"])
    assert found.competing < crowd.n
    assert (found.budget, found.tie_size) == (report["budget"], report["tie_block"]["size"])


def test_a_session_is_safe_for_threads(crowd, recipe) -> None:
    session = Session(crowd)
    recipes = [recipe(weights={"difficulty": w, "stability": 1.0}) for w in (-2.0, 0.5, 1.0, 3.0)]
    expected = [list(pipeline.select(crowd, r).ids) for r in recipes]
    found: dict[int, list] = {}

    def work(k: int) -> None:
        found[k] = list(crowd.ids[session.outcome(recipes[k % 4]).rows])

    threads = [threading.Thread(target=work, args=(k,)) for k in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[k] for k in range(16)] == expected * 4


@pytest.mark.parametrize("name", STRATEGIES.names())
def test_every_strategy_goes_through(crowd, recipe, name: str) -> None:
    if tagged := "tags" in STRATEGIES[name].needs:
        crowd.notes.append("tag", "u05", "bread")
        with pytest.raises(InputError, match="needs tags"):
            pipeline.select(crowd, recipe(strategy=name))  # a person's tag is no scorer's
    options: dict[str, object] = {"by_hand": True} if tagged else {}
    if "targets" in STRATEGIES[name].needs:
        crowd.notes.append("tag", "u05", "wanted")
        with pytest.raises(InputError, match="needs examples"):
            pipeline.select(crowd, recipe(strategy=name))
        options = {"targets": "tag:wanted"}
    chosen = pipeline.select(crowd, recipe(strategy=name, options=options))
    if name == "instag":
        assert list(chosen.ids) == ["u05"]
    else:
        assert len(chosen.ids) == 12
    assert len(set(chosen.ids)) == len(chosen.ids) == len(chosen.reasons) == len(chosen.models)


@pytest.mark.parametrize(
    ("filters", "keep"),
    [
        ({"contains": "PYTHON"}, lambda text, row: "python" in text.casefold()),
        ({"lacks": "bread"}, lambda text, row: "bread" not in text),
        ({"min_chars": 70}, lambda text, row: len(text) >= 70),
        ({"max_chars": 70}, lambda text, row: len(text) <= 70),
        ({"ranges": [{"metric": "difficulty", "low": 0}]}, lambda text, row: row["d"] >= 0),
        (
            {"ranges": [{"metric": "difficulty", "low": -1, "high": 1},
                        {"metric": "length", "high": 70}]},
            lambda text, row: -1 <= row["d"] <= 1 and len(text) <= 70,
        ),
    ],
)  # fmt: skip
def test_filters(crowd, recipe, filters, keep) -> None:
    chosen = pipeline.select(crowd, recipe(filters=filters, budget=1000, clusters=0))
    difficulty = pipeline.metrics(crowd).columns["difficulty"]
    texts = crowd.instruction_texts()
    expected = {crowd.ids[i] for i, text in enumerate(texts) if keep(text, {"d": difficulty[i]})}
    assert 0 < len(expected) < crowd.n
    assert set(chosen.ids) == expected
    assert chosen.report["status"] == "budget_exceeds_pool"


def test_cluster_filter(crowd, recipe) -> None:
    found = pipeline.clustering(crowd, "lsa", 3)
    chosen = pipeline.select(crowd, recipe(filters={"clusters": [1]}, budget=1000))
    assert set(chosen.ids) == set(crowd.ids[found.labels == 1])
    with pytest.raises(InputError, match="no cluster 9"):
        pipeline.select(crowd, recipe(filters={"clusters": [9]}))


def test_lasso(workspace, tmp_path, recipe) -> None:
    """Nine rows, which the map places by PCA: UMAP would only make the test slow."""
    file = tiny.write_tidy(tmp_path, tiny.frame(9))
    crowd = pipeline.ingest(workspace, "table", [file], name="nine")
    xy = pipeline.plane_of(crowd, "lsa").xy
    (x0, y0), (x1, y1) = xy.min(axis=0) - 1, np.median(xy, axis=0)
    box = [(float(x), float(y)) for x, y in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))]
    made = recipe(crowd="nine", filters={"lasso": box}, budget=1000)
    inside = (xy[:, 0] < x1) & (xy[:, 1] < y1)
    assert 0 < inside.sum() < 9
    assert set(pipeline.select(crowd, made).ids) == set(crowd.ids[inside])
    with pytest.raises(InputError, match="three corners"):
        pipeline.select(crowd, recipe(crowd="nine", filters={"lasso": [(0, 0), (1, 1)]}))


def test_polygon_with_a_notch() -> None:
    """A point in the notch is outside, whatever the direction of the corners."""
    polygon = np.array([(0, 0), (4, 0), (4, 4), (2, 1), (0, 4)], dtype=float)
    points = np.array([(2, 0.5), (2, 3), (0.5, 1), (5, 1), (np.nan, 1)], dtype=np.float32)
    expected = [0, 2]
    assert points_in_polygon(polygon, *points.T).tolist() == expected
    assert points_in_polygon(polygon[::-1], *points.T).tolist() == expected


def test_polygons_side_by_side_share_no_point_and_leave_none_out() -> None:
    """A left or lower edge is inside, whichever way round the corners are."""
    x, y = (c.ravel().astype(np.float32) for c in np.meshgrid(np.arange(4), np.arange(4)))
    square = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], dtype=float)
    tiles = [square + np.array([i, j]) for i in range(4) for j in range(4)]
    for corners in (tiles, [tile[::-1] for tile in tiles]):
        rows = np.concatenate([points_in_polygon(tile, x, y) for tile in corners])
        assert sorted(rows.tolist()) == list(range(16))


def test_pins_and_bans(crowd, recipe) -> None:
    worst = pipeline.select(crowd, recipe(budget=1000)).ids[-1]
    best = pipeline.select(crowd, recipe()).ids[0]
    chosen = pipeline.select(crowd, recipe(pins=(worst,), bans=(best,)))
    assert worst in chosen.ids
    assert best not in chosen.ids
    assert len(chosen.ids) == 12
    for fields in ({"pins": ("nobody",)}, {"bans": ("nobody",)}):
        with pytest.raises(NotFoundError, match="nobody"):
            pipeline.select(crowd, recipe(**fields))


def test_answer_policies(crowd, recipe) -> None:
    rewards = crowd.rewards("strict").values
    names = np.array([m.name for m in crowd.models])
    best = pipeline.select(crowd, recipe(budget=1000))
    rows = [crowd.row_of[i] for i in best.ids]
    assert list(best.models) == list(names[np.nanargmax(rewards[rows], axis=1)])
    named = pipeline.select(crowd, recipe(answer="model:lonely"))
    assert set(named.models) == {"lonely"}
    random = pipeline.select(crowd, recipe(answer="random", budget=1000))
    assert len(set(random.models)) > 3
    again = pipeline.select(crowd, recipe(answer="random", budget=20))
    by_id = dict(zip(random.ids, random.models, strict=True))
    assert all(by_id[i] == m for i, m in zip(again.ids, again.models, strict=True))
    combined = pipeline.select(crowd, recipe(judge="all", budget=1000))
    assert all(combined.models)
    for answer, message in (("bets", "not an answer policy"), ("model:nobody", "no model")):
        with pytest.raises(CrowdSelectError, match=message):
            pipeline.select(crowd, recipe(answer=answer))


def test_a_crowd_without_rewards(workspace, tmp_path, recipe) -> None:
    data = tiny.frame().drop(columns=["strict", "gentle"])
    crowd = pipeline.ingest(workspace, "table", [tiny.write_tidy(tmp_path, data)], name="mute")
    assert {m.name for m in pipeline.available_metrics(crowd)} == {"length", "calc_share"}
    with pytest.raises(CrowdSelectError, match="reward"):
        pipeline.select(crowd, recipe(crowd="mute"))
    made = recipe(crowd="mute", strategy="random", answer="random", clusters=0)
    chosen = pipeline.select(crowd, made)
    assert len(chosen.ids) == 12
    assert chosen.report["overlap"]["reward_top"] is None
    with pytest.raises(InputError, match="no response is the best"):
        pipeline.select(crowd, made.model_copy(update={"answer": "best"}))


def test_a_crowd_without_responses(workspace, tmp_path, recipe) -> None:
    """A bare reward matrix can be selected from; only the export needs responses."""
    data = tiny.frame().drop(columns=["response"])
    crowd = pipeline.ingest(workspace, "table", [tiny.write_tidy(tmp_path, data)], name="bare")
    chosen = pipeline.select(crowd, recipe(crowd="bare", clusters=0))
    assert len(chosen.ids) == 12
    with pytest.raises(InputError, match="None of the 12 selected instructions has a response"):
        pipeline.export(workspace, chosen, "messages", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_report_says_everything(crowd, recipe) -> None:
    report = pipeline.select(crowd, recipe()).report
    assert report["missing_rewards"]["strict"] == {
        "cells": 1, "share": pytest.approx(1 / 360), "rows": 1,
    }  # fmt: skip
    assert set(report["overlap"]) == {"random", "length", "reward_top"}
    assert all(0 <= v <= 1 for v in report["overlap"].values())
    families = {f["family"]: f for f in report["families"]}
    assert set(families) == {"small", "other"}
    assert sum(families["small"]["pool"]) == 60
    assert sum(families["small"]["selected"]) == 12
    assert report["length"]["instruction"]["pool"]["mean"] > 0
    assert set(report["calc_share"]) == {"pool", "selected"}
    assert report["duplicate_rate"] == {"pool": 0.0, "selected": 0.0}
    assert {"size", "taken"} == set(report["tie_block"])
    assert sum(report["responders"].values()) == 12


def test_equal_texts(workspace, tmp_path, recipe) -> None:
    """Of equal texts the best-scored stays, unless asked otherwise; the rate is reported."""
    data = tiny.frame()
    data.loc[data["id"] == "u01", "instruction"] = data.loc[data["id"] == "u00", "instruction"].iat[
        0
    ]
    crowd = pipeline.ingest(workspace, "table", [tiny.write_tidy(tmp_path, data)], name="twins")
    made = recipe(crowd="twins", budget=1000, clusters=0)
    dropped = pipeline.select(crowd, made)
    assert len(dropped.ids) == 59
    assert dropped.report["duplicate_rate"]["pool"] == pytest.approx(1 / 60)
    kept = pipeline.select(
        crowd, recipe(**{**made.model_dump(), "filters": {"exact_duplicates": "keep"}})
    )
    assert len(kept.ids) == 60
    assert kept.report["duplicate_rate"]["selected"] == pytest.approx(1 / 60)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"crowd": "other"}, "recipe is for the crowd 'other'"),
        ({"strategy": "crowdselcet"}, "no strategy"),
        ({"options": {"tise": "id"}}, "no option 'tise'"),
        ({"weights": {"dificulty": 1.0}}, "dificulty"),
        ({"weights": {"difficulty": 0.0}}, "Every weight is zero"),
        ({"weights": {"difficulty@nobody": 1.0}}, "no judge called 'nobody'"),
        ({"judge": "nobody"}, "no judge called 'nobody'"),
        ({"pins": ("u01",), "bans": ("u01",)}, "both pinned and banned"),
        ({"budget": 1, "pins": ("u01", "u02")}, "2 instructions are pinned"),
        ({"encoder": "lsa?dimensions=x"}, "dimensions"),
    ],
)
def test_mistakes_are_named(crowd, recipe, fields, message) -> None:
    with pytest.raises(CrowdSelectError, match=message) as raised:
        pipeline.select(crowd, recipe(**fields))
    assert raised.value.remedy


def test_robustness(crowd, recipe) -> None:
    """Leaving a model out is the same as a crowd that never had it."""
    made = recipe(clusters=0)
    found = pipeline.robustness(crowd, made)
    parts = {(x.kind, x.name): x for x in found.left_out}
    names = {m for m, _, _ in tiny.MODELS}
    assert {n for k, n in parts if k == "model"} == names
    assert {n for k, n in parts if k == "family"} == {"small", "other"}
    assert [n for k, n in parts if k == "judge"] == ["strict"]
    assert found.selected == 12
    assert [x.jaccard for x in found.left_out] == sorted(x.jaccard for x in found.left_out)
    rows = pipeline.select(crowd, made.model_copy(update={"judge": "gentle"}))
    full = set(pipeline.select(crowd, made).ids)
    shared = len(full & set(rows.ids))
    assert parts["judge", "strict"].kept == shared


def test_robustness_against_a_smaller_crowd(workspace, tmp_path, crowd, recipe) -> None:
    data = tiny.frame()
    smaller = pipeline.ingest(
        workspace, "table", [tiny.write_tidy(tmp_path, data[data["model"] != "lonely"])],
        name="tiny", options={"models": str(tiny.write_models(tmp_path))},
    )  # fmt: skip
    made = recipe(clusters=0)
    full = set(pipeline.select(crowd, made).ids)
    without = set(pipeline.select(smaller, made).ids)
    found = next(x for x in pipeline.robustness(crowd, made).left_out if x.name == "lonely")
    assert found.kept == len(full & without)
    assert found.jaccard == pytest.approx(len(full & without) / len(full | without))


def test_metrics_are_cached_by_what_they_depend_on(ready, crowd) -> None:
    """A change of family or size shows at once; nothing stale is read."""
    before = pipeline.metrics(crowd).columns["stability"]
    files = sorted(p.name for p in (crowd.cache / "metrics").iterdir())
    assert (pipeline.metrics(crowd).columns["stability"] == before).all()
    assert sorted(p.name for p in (crowd.cache / "metrics").iterdir()) == files
    turned = {"small-1b": 70.0, "small-70b": 1.0}
    crowd.set_models([replace(m, size_b=turned.get(m.name, m.size_b)) for m in crowd.models])
    again = pipeline.open_crowd(ready, "tiny")
    assert not (pipeline.metrics(again).columns["stability"] == before).all()


def test_a_damaged_cache_is_made_again(ready, crowd, recipe) -> None:
    expected = list(pipeline.select(crowd, recipe()).ids)
    damaged = 0
    for path in crowd.cache.rglob("*"):
        if path.is_file() and path.parent.name in ("metrics", "clusters", "vectors"):
            path.write_bytes(b"junk")
            damaged += 1
    assert damaged > 3
    assert list(pipeline.select(pipeline.open_crowd(ready, "tiny"), recipe()).ids) == expected


def test_examples_in_files_and_tags_are_what_is_selected_for(crowd, recipe, tmp_path):
    """Kept by content: the recipe opens no file, and says where its examples are not there."""
    baking, stars = tmp_path / "baking.jsonl", tmp_path / "stars.jsonl"
    baking.write_text('{"instruction": "bake bread in the oven with flour and butter"}\n')
    stars.write_text('{"instruction": "orbit of the moon and planet, gravity and comet"}\n')
    wanted = pipeline.with_targets(crowd, recipe(budget=6), [baking, stars])
    baking.unlink()
    chosen = pipeline.select(crowd, wanted)
    texts = crowd.instruction_texts(crowd.rows(chosen.ids))
    subjects = [
        next(name for name, words in tiny.SUBJECTS.items() if words[0] in t or words[1] in t or
             any(w in t for w in words[2:]))
        for t in texts
    ]  # fmt: skip
    assert subjects == ["cooking", "planets"] * 3
    again = pipeline.select(crowd, Recipe.from_toml(wanted.to_toml()))
    assert again.ids.tolist() == chosen.ids.tolist()

    for i in crowd.ids[:2]:
        crowd.notes.append("tag", i, "like this")
    tagged = recipe(strategy="targeted", options={"targets": "tag:like this"}, budget=4)
    assert set(crowd.ids[:2]) <= set(pipeline.select(crowd, tagged).ids)
    for named, said in (
        ("tag:nobody", "No instruction of tiny has the tag 'nobody'"),
        ("0" * 64, "which this workspace does not hold"),
        ("../secret", "is no target"),
    ):
        with pytest.raises(InputError, match=said):
            pipeline.select(crowd, recipe(strategy="targeted", options={"targets": named}))
