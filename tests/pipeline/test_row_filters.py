"""Filters by what a row has: notes, own columns, selections, judges and missing rewards."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crowdselect import pipeline
from crowdselect.cli import main
from crowdselect.errors import InputError, NotFoundError
from crowdselect.filters import FILTERS, Filters, Own
from crowdselect.settings import Workspace, open_workspace
from crowdselect.store import Author, Crowd, write_tags
from crowdselect.values import Recipe
from tests.pipeline import tiny

PLAIN_ID = Recipe(crowd="c").id
KINDS = ("code", "cooking", None)


@pytest.fixture(scope="module")
def owned(tmp_path_factory: pytest.TempPathFactory) -> Crowd:
    """The tiny crowd with columns of its own, notes, a scorer's tags and a saved selection."""
    folder = tmp_path_factory.mktemp("owned")
    data = tiny.frame()
    number = data["id"].str[1:].astype(int)
    data["kind"] = [KINDS[i % 3] for i in number]
    data["level"] = [None if i == 4 else i % 5 for i in number]
    workspace = pipeline_workspace(folder)
    crowd = pipeline.ingest(workspace, "table", [tiny.write_tidy(folder, data)], name="tiny")
    notes = crowd.notes
    notes.append("pin", "u01")
    notes.append("ban", "u02", author=Author("ann"))
    notes.append("tag", "u03", "bread", Author("bob"))
    notes.append("tag", "u04", "Brot")
    notes.append("comment", "u05", "odd", Author("ann"))
    notes.append("review", "u06")
    notes.append("review", "u07")
    notes.append("unreview", "u07")
    notes.append("answer_of", "u08", "small-7b")
    write_tags(crowd.path, "instag", {"u10": ["bread", "oven"], "u11": ["oven"]})
    saved = pipeline.select(crowd, recipe(strategy="random", budget=5))
    pipeline.save_selection(workspace, saved, "five")
    return crowd


def pipeline_workspace(folder: Path) -> Workspace:
    return open_workspace(folder / "workspace")


def recipe(**fields: object) -> Recipe:
    return Recipe(**{"crowd": "tiny", "encoder": "lsa", "clusters": 0, "budget": 12, **fields})


def kept(crowd: Crowd, **filters: object) -> set[str]:
    mask = pipeline.Session(crowd).listed(recipe(), Filters(**filters))
    return set(crowd.ids[mask])


def every(crowd: Crowd, wanted) -> set[str]:
    return {i for i in crowd.ids.tolist() if wanted(int(i[1:]))}


def test_notes(owned):
    rest = set(owned.ids.tolist())
    assert kept(owned, marked=["pinned"]) == {"u01"}
    assert kept(owned, marked=["pinned", "banned"]) == {"u01", "u02"}
    assert kept(owned, marked=["tagged"]) == {"u03", "u04"}
    assert kept(owned, marked=["commented"]) == {"u05"}
    assert kept(owned, marked=["answered"]) == {"u08"}
    assert kept(owned, marked=["reviewed"]) == {"u06"}
    assert kept(owned, unmarked=["reviewed", "pinned"]) == rest - {"u06", "u01"}
    assert kept(owned, authors=["ann"]) == {"u02", "u05"}
    assert kept(owned, tags=["bread"]) == {"u03"}
    assert kept(owned, tags_to_avoid=["bread", "Brot"]) == rest - {"u03", "u04"}


def test_tags_of_people_and_of_a_model_are_apart(owned):
    assert kept(owned, tags=["oven"]) == set()
    assert kept(owned, scorer_tags=["bread"]) == {"u10"}
    assert kept(owned, scorer_tags=["oven"]) == {"u10", "u11"}


def test_own_columns(owned):
    code, cooking = (every(owned, lambda i, r=r: i % 3 == r) for r in (0, 1))
    assert kept(owned, own=[Own.from_text("kind=code")]) == code
    both = [Own.from_text("kind=code"), Own.from_text("kind=cooking")]
    assert kept(owned, own=both) == code | cooking
    assert kept(owned, own=[Own.from_text("kind=")]) == every(owned, lambda i: i % 3 == 2)
    low = every(owned, lambda i: i % 5 <= 1 and i != 4)
    assert kept(owned, own=[Own.from_text("level=..1")]) == low
    assert kept(owned, own=[Own.from_text("level=0"), Own.from_text("level=1.0")]) == low
    assert kept(owned, own=[Own.from_text("level=..1"), Own.from_text("kind=code")]) == low & code
    assert kept(owned, own=[Own.from_text("level=")]) == {"u04"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("kind", "names no column and value"),
        ("=x", "names no column and value"),
        ("king=code", "no column 'king'"),
        ("kind=1..2", "holds text, which has no range"),
        ("level=high", "holds numbers, 'high' is none"),
    ],
)
def test_a_condition_that_cannot_be_is_a_sentence(owned, text, problem):
    with pytest.raises((InputError, NotFoundError), match=problem):
        kept(owned, own=[Own.from_text(text)])


def test_a_text_with_dots_is_a_value():
    assert Own.from_text("path=a..b").values == ("a..b",)
    assert Own.from_text("path=..").values == ("..",)
    bounds = Own.from_text("level = -1 .. 2.5")
    assert (bounds.column, bounds.low, bounds.high, bounds.values) == ("level", -1, 2.5, ())


def test_selections_and_draft(owned):
    five = set(pipeline.load_selection(workspace_of(owned), "five").ids)
    rest = set(owned.ids.tolist()) - five
    assert kept(owned, selections=["five"]) == five
    assert kept(owned, selections_to_avoid=["five"]) == rest
    draft = set(owned.ids[pipeline.Session(owned).outcome(recipe()).rows])
    assert kept(owned, draft="in") == draft
    assert kept(owned, draft="out", selections=["five"]) == five - draft
    with pytest.raises(NotFoundError, match="no selection called 'four'"):
        kept(owned, selections=["four"])
    with pytest.raises(InputError, match="says what is listed"):
        Recipe.parse({"crowd": "tiny", "filters": {"draft": "in"}}, "The recipe")


def workspace_of(crowd: Crowd) -> Workspace:
    return Workspace(crowd.path.parents[1])


def test_judges_and_rewards(owned):
    strict, gentle = (
        pd.DataFrame(owned.rewards(judge).values, index=owned.ids) for judge in owned.judges
    )
    rho = strict.T.corrwith(gentle.T, method="spearman")
    apart = set(rho.index[rho <= 0.85])
    assert 0 < len(apart) < owned.n
    assert kept(owned, judges_apart=0.85) == apart
    assert kept(owned, rewards="missing") == {"u07"}
    assert kept(owned, rewards="complete") == set(owned.ids.tolist()) - {"u07"}
    weak = set(strict.index[strict.max(axis=1) < 1])
    assert 0 < len(weak) < owned.n
    assert kept(owned, best_below=1) == weak


def test_one_judge_alone_disagrees_with_nobody(tmp_path):
    data = tiny.frame().drop(columns="gentle")
    crowd = pipeline.ingest(
        pipeline_workspace(tmp_path), "table", [tiny.write_tidy(tmp_path, data)]
    )
    with pytest.raises(InputError, match="fewer than two judges"):
        pipeline.Session(crowd).listed(recipe(crowd=crowd.name), Filters(judges_apart=0))


def test_a_selection_follows_the_notes_and_says_what_it_depended_on(owned):
    session = pipeline.Session(owned)
    wanted = recipe(filters={"tags_to_avoid": ["odd"]}, budget=60)
    first = pipeline.select(session, wanted)
    again = pipeline.select(session, wanted)
    assert first.report == again.report
    assert "depends_on" not in pipeline.select(session, recipe()).report
    someone = str(first.ids[0])
    owned.notes.append("tag", someone, "odd")
    after = pipeline.select(session, wanted)
    assert set(after.ids) == set(first.ids) - {someone}
    assert after.report["excluded"]["tag to avoid"] == 1
    assert set(session.outcome(wanted).rows) == set(owned.rows(after.ids))
    assert after.report["depends_on"]["notes"] != first.report["depends_on"]["notes"]
    owned.notes.undo()
    assert np.array_equal(pipeline.select(session, wanted).ids, first.ids)


def test_the_command_line_keeps_a_selection_by_its_id(owned, capsys):
    root = str(workspace_of(owned).root)
    words = ["select", "tiny", "-e", "lsa", "-k", "0", "--budget", "60", "--no-save", "--json"]
    filters = ["--not-in-selection", "five", "--where", "kind=code", "--unmarked", "banned"]
    assert main([*words, *filters, "--workspace", root]) == 0
    found = json.loads(capsys.readouterr().out)
    saved = pipeline.find_selection(workspace_of(owned), "five")
    assert found["recipe"]["filters"]["selections_to_avoid"] == [saved.id]
    five = set(pipeline.load_selection(workspace_of(owned), "five").ids)
    wanted = every(owned, lambda i: i % 3 == 0) - five - {"u02"}
    assert {row["id"] for row in found["selected"]} == wanted


def test_recipes_without_them_keep_their_id():
    for declared in FILTERS:
        default = {declared.name: declared.default}
        if not declared.looks:
            assert Recipe(crowd="c", filters=default).id == PLAIN_ID
