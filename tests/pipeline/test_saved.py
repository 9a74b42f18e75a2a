"""Selections on disk: the same bytes, found by id or name, compared with each other."""

from pathlib import Path

import numpy as np
import pytest

from crowdselect import files, pipeline
from crowdselect.errors import InputError, NotFoundError


def test_comes_back_whole(ready, crowd, recipe) -> None:
    chosen = pipeline.select(crowd, recipe(pins=("u03",), budget=9))
    saved = pipeline.save_selection(ready, chosen, "nine", "a note")
    again = pipeline.load_selection(ready, "nine")
    assert again.recipe == chosen.recipe
    for name in ("ids", "scores", "clusters"):
        np.testing.assert_array_equal(getattr(again, name), getattr(chosen, name))
    assert (again.reasons, again.models) == (chosen.reasons, chosen.models)
    assert again.report == chosen.report
    assert list(again.contributions) == list(chosen.contributions)
    for name, values in chosen.contributions.items():
        np.testing.assert_array_equal(again.contributions[name], values)
    assert (saved.id, saved.name, saved.note, saved.n) == (chosen.recipe.id, "nine", "a note", 9)


def test_same_recipe_same_bytes(ready, crowd, recipe) -> None:
    contents = []
    for name in ("first", "second"):
        saved = pipeline.save_selection(ready, pipeline.select(crowd, recipe()), name)
        contents.append(
            {p.name: p.read_bytes() for p in saved.path.iterdir() if p.name != "about.json"}
        )
    assert contents[0] == contents[1]
    assert set(contents[0]) == {"recipe.toml", "selection.parquet", "manifest.json"}
    (saved,) = pipeline.list_selections(ready)
    assert (saved.name, saved.also) == ("second", ("first",))


def test_what_a_person_said_survives_when_the_recipe_is_saved_again(ready, crowd, recipe) -> None:
    chosen = pipeline.select(crowd, recipe())
    pipeline.save_selection(ready, chosen, "best", "Weights of the paper.", ["mt-bench"])
    again = pipeline.save_selection(ready, chosen)
    assert (again.name, again.note) == ("best", "Weights of the paper.")
    assert again.chosen_on == ("mt-bench",)
    assert pipeline.export(ready, "best", "alpaca").n == 12
    other = pipeline.save_selection(ready, chosen, "other", "Second look.", ["arena-hard"])
    assert (other.name, other.also) == ("other", ("best",))
    assert other.note == "Weights of the paper.\nSecond look."
    assert other.chosen_on == ("mt-bench", "arena-hard")
    for name in ("best", "other", other.id):
        assert pipeline.find_selection(ready, name) == other
    with pytest.raises(InputError, match="called 'best' already"):
        pipeline.save_selection(ready, pipeline.select(crowd, recipe(budget=3)), "best")
    back = pipeline.save_selection(ready, chosen, "best", "Second look.")
    assert (back.name, back.also, back.note) == ("best", ("other",), other.note)
    renamed = pipeline.rename_selection(ready, "best", "final", chosen_on=())
    assert (renamed.name, renamed.also, renamed.chosen_on) == ("final", ("other",), ())


def test_a_note_that_says_what_it_was_chosen_on_is_understood(ready, crowd, recipe) -> None:
    chosen = pipeline.select(crowd, recipe())
    said = pipeline.save_selection(ready, chosen, "a", "Good. Chosen on: MT-Bench, x:y")
    assert said.chosen_on == ("mt-bench", "x:y")
    about = files.read_json(said.path / "about.json")
    older = {k: about[k] for k in ("name", "note", "created")}  # as it was before there was a field
    files.write_json(said.path / "about.json", older)
    assert pipeline.find_selection(ready, "a").chosen_on == ("mt-bench", "x:y")
    assert pipeline.rename_selection(ready, "a", note="").chosen_on == ("mt-bench", "x:y")


def test_a_selection_of_nothing_is_not_saved(ready, crowd, recipe) -> None:
    none = pipeline.select(crowd, recipe(filters={"contains": "no instruction says this"}))
    with pytest.raises(InputError, match=r"selects no instruction \(.* left out: ") as said:
        pipeline.save_selection(ready, none, "none")
    assert "filters" in said.value.remedy
    with pytest.raises(InputError) as said:
        pipeline.save_selection(ready, pipeline.select(crowd, recipe(budget=0)))
    assert "budget" in said.value.remedy
    assert pipeline.list_selections(ready) == []


def test_found_by_id_beginning_and_name(ready, crowd, recipe) -> None:
    one = pipeline.save_selection(ready, pipeline.select(crowd, recipe()), "one")
    for key in (one.id, one.id[:4], "one"):
        assert pipeline.find_selection(ready, key) == one
    for key in (one.id[:3], "tow", ""):
        with pytest.raises(NotFoundError):
            pipeline.find_selection(ready, key)
    pipeline.rename_selection(ready, "one", "uno", "why")
    assert pipeline.find_selection(ready, "uno").note == "why"
    pipeline.remove_selection(ready, "uno")
    assert pipeline.list_selections(ready) == []


def test_a_name_is_taken_once(ready, crowd, recipe) -> None:
    pipeline.save_selection(ready, pipeline.select(crowd, recipe()), "mine")
    other = pipeline.select(crowd, recipe(budget=3))
    with pytest.raises(InputError, match="called 'mine' already"):
        pipeline.save_selection(ready, other, "mine")
    with pytest.raises(InputError, match="cannot be the name"):
        pipeline.save_selection(ready, other, "../mine")
    assert len(pipeline.list_selections(ready)) == 1


def test_exports_stay_only_while_the_rows_stay(ready, crowd, recipe) -> None:
    chosen = pipeline.select(crowd, recipe())
    pipeline.save_selection(ready, chosen)
    made = pipeline.export(ready, recipe().id, "alpaca")
    assert made.path == ready.selection(recipe().id) / "exports" / "alpaca"
    pipeline.save_selection(ready, chosen, "again")
    assert made.data.exists()
    crowd.import_scores(_scores(ready.root, crowd), name="mine")
    weighed = recipe(weights={"value": 1.0})
    first = pipeline.save_selection(ready, pipeline.select(crowd, weighed))
    old = pipeline.export(ready, first, "alpaca").data
    crowd.import_scores(_scores(ready.root, crowd, sign=-1), name="mine")
    pipeline.save_selection(ready, pipeline.select(crowd, weighed))
    assert not old.exists()


def _scores(folder: Path, crowd, sign: int = 1) -> Path:
    path = folder / "scores.csv"
    lines = [f"{name},{sign * row}" for row, name in enumerate(crowd.ids)]
    path.write_text("\n".join(["id,value", *lines]))
    return path


def test_compare(ready, crowd, recipe) -> None:
    recipes = {
        "a": recipe(),
        "b": recipe(weights={"difficulty": -1.0}),
        "c": recipe(strategy="random", budget=6),
    }
    sets = {}
    for name, made in recipes.items():
        chosen = pipeline.select(crowd, made)
        pipeline.save_selection(ready, chosen, name)
        sets[name] = set(chosen.ids)
    found = pipeline.compare(ready, list(recipes))
    for i, a in enumerate(sets.values()):
        for j, b in enumerate(sets.values()):
            assert found.jaccard[i, j] == pytest.approx(len(a & b) / len(a | b))
            assert found.shared[i, j] == len(a & b)
    assert set(found.in_all) == sets["a"] & sets["b"] & sets["c"]
    assert set(found.only[0]) == sets["a"] - sets["b"] - sets["c"]
    assert set(found.recipe) == {"weights", "strategy", "budget"}
    labels = pipeline.clustering(crowd, "lsa", 3).labels
    for row in found.clusters:
        members = set(crowd.ids[labels == row["cluster"]])
        assert row["pool"] == len(members)
        assert row["selected"] == [len(s & members) for s in sets.values()]
    assert [sum(r.values()) for r in found.responders] == [12, 12, 6]
    assert found.lengths[0]["response"]["selected"]["mean"] > 0


def test_compare_needs_two_of_one_crowd(ready, crowd, recipe) -> None:
    pipeline.save_selection(ready, pipeline.select(crowd, recipe()), "a")
    with pytest.raises(InputError, match="nothing to compare"):
        pipeline.compare(ready, ["a", "a"])
    with pytest.raises(NotFoundError):
        pipeline.compare(ready, ["a", "nobody"])


def test_a_half_written_selection_is_not_seen(ready, crowd, recipe) -> None:
    saved = pipeline.save_selection(ready, pipeline.select(crowd, recipe()), "a")
    saved.path.rename(saved.path.with_name(f"{files.TEMPORARY}99999999-1-{saved.id}"))
    assert pipeline.list_selections(ready) == []
