"""Shares by a column of the data: read from one line, taken exactly, the same everywhere."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdselect import pipeline
from crowdselect.cli import main
from crowdselect.dashboard.link import from_params, to_params
from crowdselect.errors import InputError, NotFoundError
from crowdselect.mixture import Mix, check_mix
from crowdselect.settings import open_workspace
from crowdselect.store import Crowd
from crowdselect.values import Recipe
from tests.pipeline import tiny

LANGUAGES = ("en", "en", "en", "de", "de", None)
WORDS = st.text(min_size=1, max_size=8)


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Crowd:
    """30 instructions in English, 20 in German, 10 of unknown language; nothing is embedded."""
    folder: Path = tmp_path_factory.mktemp("spoken")
    data = tiny.frame()
    data["language"] = [LANGUAGES[int(i[1:]) % 6] for i in data["id"]]
    workspace = open_workspace(folder / "workspace")
    return pipeline.ingest(workspace, "table", [tiny.write_tidy(folder, data)], name="tiny")


def recipe(mix: str, **fields: object) -> Recipe:
    return Recipe(**{"crowd": "tiny", "encoder": "never asked", "budget": 20, "mix": mix, **fields})


def taken(crowd: Crowd, wanted: Recipe) -> Counter[str | None]:
    language = crowd.extra_columns()["language"]
    return Counter(language[crowd.rows(pipeline.select(crowd, wanted).ids)].tolist())


def test_shares_are_taken_exactly(spoken):
    assert taken(spoken, recipe("language: en=0.7, de=0.3")) == {"en": 14, "de": 6}
    assert taken(spoken, recipe("language: de=1")) == {"de": 20}
    assert taken(spoken, recipe('language: en=1, de=2, ""=1')) == {"en": 5, "de": 10, None: 5}
    assert taken(spoken, recipe("language", budget=18)) == {"en": 6, "de": 6, None: 6}
    # What German cannot give goes to the others in proportion.
    assert taken(spoken, recipe("language: en=1, de=3", budget=32)) == {"en": 12, "de": 20}


@pytest.mark.parametrize("strategy", ["random_per_cluster", "crowdselect"])
def test_every_strategy_of_clusters_takes_them(spoken, strategy):
    found = taken(spoken, recipe("language: en=1, de=1", strategy=strategy))
    assert found == {"en": 10, "de": 10}


def test_the_report_names_the_values_and_the_session_agrees(spoken):
    session = pipeline.Session(spoken)
    wanted = recipe("language: en=0.7, de=0.3")
    chosen = pipeline.select(session, wanted)
    report = {each["name"]: each["taken"] for each in chosen.report["clusters"]}
    assert report == {"en": 14, "de": 6, "(none)": 0}
    assert list(spoken.ids[session.outcome(wanted).rows]) == list(chosen.ids)
    assert set(pipeline.list_draft(session, wanted).cluster_names) == {"en", "de"}


def test_what_is_not_there_is_a_sentence(spoken):
    with pytest.raises(NotFoundError, match="no column 'tongue'"):
        pipeline.select(spoken, recipe("tongue"))
    with pytest.raises(NotFoundError, match="No instruction has 'fr'"):
        pipeline.select(spoken, recipe("language: fr=1"))
    for text in ("language: en", "language: en=x", "language: en=1, en=2", "language: en=0", ":"):
        with pytest.raises(InputError, match="mix"):
            Recipe.parse({"crowd": "tiny", "mix": text}, "The recipe")


def test_one_line_everywhere(spoken, capsys):
    wanted = recipe("language:de = 30%,en=70")
    assert wanted.mix == "language: de=30, en=70"
    assert from_params(to_params(wanted), "tiny") == Recipe.from_toml(wanted.to_toml()) == wanted
    assert Recipe(crowd="tiny", mix=" ").id == Recipe(crowd="tiny").id != wanted.id
    root = str(spoken.path.parents[1])
    assert main(["select", "tiny", "--mix", "language: de=3, en=7", "--budget", "20", "--json",
                 "-e", "lsa", "--no-save", "--workspace", root]) == 0  # fmt: skip
    found = json.loads(capsys.readouterr().out)
    assert found["recipe"]["mix"] == "language: de=3, en=7"
    assert {c["name"]: c["taken"] for c in found["report"]["clusters"]}["de"] == 6


@given(WORDS, st.dictionaries(WORDS, st.integers(1, 99).map(float), max_size=4))
def test_any_column_and_value_can_be_written(column, shares):
    mix = Mix(column, shares)
    assert Mix.read(mix.text) == mix
    assert check_mix(mix.text) == mix.text
