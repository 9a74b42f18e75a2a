"""One declaration per option: a filter declared here is everywhere without another edit."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
import typer
from typer.main import get_command

from crowdselect import pipeline
from crowdselect.cli import select
from crowdselect.dashboard import state
from crowdselect.dashboard.chips import chips_of
from crowdselect.dashboard.link import from_params, to_params
from crowdselect.errors import InputError
from crowdselect.filters import FILTERS, Filter
from crowdselect.options import options_of
from crowdselect.values import Filters, Recipe
from tests.dashboard import small

PLAIN_ID = Recipe(crowd="c").id
MOST = 11


def words_of(texts) -> np.ndarray:
    return np.array([len(text.split()) for text in texts])


@pytest.fixture
def most_words() -> Iterator[Filter]:
    """All that a new filter takes; in the project it is one file with its registration."""
    declared = Filter(
        name="most_words",
        type=int | None,
        default=None,
        help="Longest instruction in words",
        label="Words, at most",
        chip="at most {} words",
        low=1,
        needs="texts",
        leaves_out=lambda most, rows: {"too many words": words_of(rows.texts()) > most},
    )
    FILTERS.add(declared)
    yield declared
    del FILTERS._plugins["most_words"]


def test_on_the_command_line(most_words, ready, capsys):
    app = typer.Typer()
    app.callback()(lambda: None)
    select.register(app)
    command = get_command(app)
    arguments = ["select", small.NAME, "-e", "lsa", "-k", "0", "--budget", "10", "--json",
                 "--no-save", "--workspace", str(ready.root)]  # fmt: skip
    command.main([*arguments, "--most-words", str(MOST)], standalone_mode=False)
    shown = capsys.readouterr().out
    crowd = pipeline.open_crowd(ready, small.NAME)
    too_long = int((words_of(small.texts()) > MOST).sum())
    assert 0 < too_long < small.N - 10
    assert f'"too many words": {too_long}' in shown
    command.main(["select", "--help"], standalone_mode=False)
    assert most_words.help in capsys.readouterr().out
    recipe = Recipe(crowd=small.NAME, encoder="lsa", clusters=0, filters={"most_words": MOST})
    ids = pipeline.select(crowd, recipe).ids
    assert (words_of(small.texts())[crowd.rows(ids)] <= MOST).all()


def test_in_link_and_saved_recipe(most_words):
    recipe = Recipe(crowd="c", filters={"most_words": MOST})
    assert to_params(recipe) == {"crowd": "c", "filters.most_words": str(MOST)}
    assert from_params(to_params(recipe), "c") == recipe
    assert Recipe.from_toml(recipe.to_toml()) == recipe
    assert recipe.id != PLAIN_ID
    assert Recipe(crowd="c").id == Recipe(crowd="c", filters={"most_words": None}).id == PLAIN_ID
    with pytest.raises(InputError, match="most_words"):
        Recipe.parse({"crowd": "c", "filters": {"most_words": "many"}}, "The link")


def test_as_chip_and_in_the_form(most_words, ready, open_page):
    at = open_page(ready, "explore", **{"filters.most_words": MOST})
    assert not at.exception
    kept = int((words_of(small.texts()) <= MOST).sum())
    assert f"{kept} of {small.N} instructions match the filters" in " ".join(
        t.value for t in at.text
    )
    field = at.number_input(key="r.filters.most_words")
    assert (field.label, field.value, field.min) == (most_words.label, MOST, 1)
    field.set_value(MOST + 1).run()
    assert at.session_state[state.DRAFT].filters.model_dump()["most_words"] == MOST + 1
    next(b for b in at.button if b.label == f"at most {MOST + 1} words").click().run()
    assert at.session_state[state.DRAFT].filters == Filters()


def test_what_is_not_declared_is_refused_with_what_is_near():
    with pytest.raises(InputError, match="contains"):
        Filters.parse({"contain": "x"}, "The recipe")


@pytest.mark.parametrize("declared", [*FILTERS, *options_of(Recipe)], ids=lambda o: o.name)
def test_every_declaration_says_what_it_is(declared):
    offered = declared.flag is not None
    assert not offered or declared.help or declared.one
    if isinstance(declared, Filter):
        assert chips_of(Filters()) == []
        assert declared.leaves_out or declared.name.endswith("duplicates")


def test_what_rows_have_is_in_form_chip_and_link(ready, open_page):
    crowd = pipeline.open_crowd(ready, small.NAME)
    crowd.notes.append("tag", "q004", "odd")
    crowd.notes.append("review", "q005")
    at = open_page(ready, "explore", **{"filters.unmarked": '["tagged","reviewed"]'})
    assert not at.exception
    assert f"{small.N - 2} of {small.N} instructions match" in " ".join(t.value for t in at.text)
    assert "not tagged\\, reviewed" in [b.label for b in at.button]
    at.multiselect(key="r.filters.tags").set_value(["odd"]).run()
    at.multiselect(key="r.filters.unmarked").set_value([]).run()
    at.selectbox(key="r.filters.rewards").set_value("complete").run()
    filters = at.session_state[state.DRAFT].filters
    assert filters == Filters(tags=["odd"], rewards="complete")
    assert to_params(at.session_state[state.DRAFT])["filters.tags"] == '["odd"]'
    assert f"1 of {small.N} instructions match" in " ".join(t.value for t in at.text)
    assert "The draft" not in [s.label for s in at.selectbox]  # it cannot decide itself


def test_the_gate_goes_by_its_chip(ready, open_page):
    link = {"gate.kind": "reward", "gate.at_least": "0.25", "among": "good"}
    at = open_page(ready, "select", crowd=small.NAME, clusters=0, **link)
    assert not at.exception
    assert at.session_state[state.DRAFT].among == "good"
    next(b for b in at.button if b.label.startswith("gate")).click().run()
    assert not at.exception
    draft = at.session_state[state.DRAFT]
    assert (draft.gate, draft.among) == (None, "any")
    assert not [b for b in at.button if b.label.startswith("gate")]


def test_the_form_of_a_benchmark_asks_what_its_config_declares(ready, open_page):
    at = open_page(ready, "benchmark", **{"benchmark.tab": "New benchmark"})
    assert not at.exception
    limit = at.number_input(key="benchmark limit")
    assert (limit.label, limit.value, limit.min) == ("Questions per benchmark, at most", None, 1)
    at.multiselect(key="benchmark names").set_value(["mt-bench"]).run()
    kind = at.selectbox(key="benchmark judge kind")
    assert (kind.options, kind.value) == (["server", "local", "reward"], "server")
    room = at.number_input(key="benchmark judge room")
    assert (room.label, room.value) == ("Longest verdict", None)
    kind.set_value("reward").run()
    assert not at.exception
    assert "Longest verdict" not in [n.label for n in at.number_input]


def test_a_mixture_is_set_on_the_select_page(ready, open_page, tmp_path):
    files = small.write_files(tmp_path)
    table = pd.read_parquet(files[0]).assign(source=["web", "book", "web"] * (small.N // 3))
    table.to_parquet(files[0])
    pipeline.ingest(ready, "table", files, name="sourced")
    at = open_page(ready, "select", crowd="sourced", budget=12)
    at.selectbox(key="r.mix.column").set_value("source").run()
    assert not at.exception
    assert at.session_state[state.DRAFT].mix == "source"
    at.text_input(key="r.mix.shares").set_value("book=1, web=3").run()
    draft = at.session_state[state.DRAFT]
    assert draft.mix == "source: book=1, web=3"
    chosen = pipeline.select(pipeline.open_crowd(ready, "sourced"), draft)
    assert {c["name"]: c["taken"] for c in chosen.report["clusters"]} == {"web": 9, "book": 3}
    at.text_input(key="r.mix.shares").set_value("book=much").run()
    assert at.session_state[state.DRAFT] == draft
    assert not at.exception
