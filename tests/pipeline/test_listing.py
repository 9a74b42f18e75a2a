"""Rows as a list: what each line says, sorting, filters, and what two selections do not share."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from crowdselect import pipeline
from crowdselect.cli import main
from crowdselect.errors import InputError, NotFoundError
from crowdselect.pipeline import list_all, list_draft, list_saved, unshared


@pytest.fixture
def session(crowd) -> pipeline.Session:
    return pipeline.Session(crowd)


@pytest.fixture
def two(ready, session, recipe) -> tuple[str, str]:
    for name, changes in (("ours", {}), ("drawn", {"strategy": "random"})):
        pipeline.save_selection(ready, pipeline.select(session, recipe(**changes)), name)
    return "ours", "drawn"


def test_every_line_says_why_it_is_in_and_what_is_trained_on(crowd, session, recipe):
    wanted = recipe()
    chosen = pipeline.select(session, wanted)
    lines = list_draft(session, wanted).frame()
    assert list(lines["rank"]) == list(range(1, 13))
    assert list(lines["id"]) == list(chosen.ids)
    assert np.array_equal(lines["score"], chosen.scores)
    assert tuple(lines["model"]) == chosen.models
    shares = lines[[c for c in lines if c.startswith("share of ")]]
    assert np.allclose(shares.abs().sum(axis=1), 1)
    parts = np.abs(chosen.contributions["stability"])
    total = sum(np.abs(v) for v in chosen.contributions.values())
    assert np.allclose(lines["share of stability"].abs(), parts / total)
    names = pipeline.clustering(crowd, "lsa", 3).names
    assert list(lines["cluster"]) == [names[c] for c in chosen.clusters]
    assert all(len(reason.split()) > 4 for reason in lines["reason"])
    for line in lines.itertuples():
        answers = crowd.answers(crowd.row_of[line.id]).set_index("model")
        assert line.reward == answers["strict"].max()
        assert line.tied == (answers["strict"] == line.reward).sum()
        assert line.answer == answers.loc[line.model, "response"]
        assert line.instruction == crowd.instruction_texts([crowd.row_of[line.id]])[0]


def test_a_saved_selection_is_listed_as_it_was_saved(ready, session, recipe, two):
    saved = list_saved(session, pipeline.load_selection(ready, "ours"))
    pd.testing.assert_frame_equal(saved.frame(), list_draft(session, recipe()).frame())


def test_lines_are_sorted_and_those_without_a_value_stand_last(session, recipe):
    drafted = list_draft(session, recipe())
    every = list_all(session, recipe(), drafted)
    by_rank = every.sorted_by("rank")
    assert list(by_rank.rows[:12]) == list(drafted.rows)
    assert (by_rank.ranks[12:] == 0).all()
    rewards = every.sorted_by("reward", descending=True).rewards
    assert (np.diff(rewards) <= 0).all()
    stability = every.sorted_by("stability").values("stability")
    there = stability[~np.isnan(stability)]
    assert (np.diff(there) >= 0).all()
    assert np.isnan(stability[len(there) :]).all()
    assert list(drafted.sorted_by("line").rows) == list(drafted.rows)
    with pytest.raises(NotFoundError, match="beauty"):
        drafted.sorted_by("beauty")


def test_what_two_selections_do_not_share(ready, session, two):
    a, b = (pipeline.load_selection(ready, name) for name in two)
    found = unshared(list_saved(session, a), list_saved(session, b), two).frame()
    for name, own, other in (("ours", a, b), ("drawn", b, a)):
        lines = found[found["only in"] == name]
        assert list(lines["id"]) == [i for i in own.ids if i not in set(other.ids)]
        assert len(lines)
    assert set(found["id"]) == set(a.ids) ^ set(b.ids)


def test_what_is_listed_can_be_exported(ready, session, recipe):
    drafted = list_draft(session, recipe())
    few = drafted.take(drafted.ranks <= 4)
    made = pipeline.export(ready, few.selection(), "messages", ready.root / "few")
    assert made.manifest["counts"]["exported"] == 4
    assert made.manifest["report"] == {"listed": 4}
    with pytest.raises(InputError, match="Nothing is listed"):
        drafted.take(drafted.ranks < 0).selection()


def test_the_command_line_lists_the_same(ready, session, crowd, two, capsys, tmp_path):
    words = ["selection", "rows", "ours", "--workspace", str(ready.root)]
    crowd.notes.append("review", "u05")
    lines = list_saved(session, pipeline.load_selection(ready, "ours"))
    bread = [str(i) for i, text in zip(crowd.ids[lines.rows], crowd.instruction_texts(lines.rows),
                                       strict=True) if "bread" in text]  # fmt: skip
    assert main([*words, "--contains", "bread", "--json"]) == 0
    assert [row["id"] for row in json.loads(capsys.readouterr().out)["rows"]] == bread
    assert main([*words, "--search", "bread", "--sort", "reward", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["rows"]
    assert {row["id"] for row in found} == set(bread)
    assert [row["reward"] for row in found] == sorted(row["reward"] for row in found)
    out = tmp_path / "rows.csv"
    assert main([*words, "--not-shared-with", "drawn", "--out", str(out)]) == 0
    assert set(pd.read_csv(out)["only in"]) == set(two)
    assert main(["crowd", "rows", "tiny", "--marked", "reviewed", "--workspace", str(ready.root),
                 "-e", "lsa", "--json"]) == 0  # fmt: skip
    everything = capsys.readouterr().out
    assert [row["id"] for row in json.loads(everything[everything.index("{") :])["rows"]] == ["u05"]
    assert main([*words, "--limit", "3"]) == 0
    assert "3 of 12 rows" in capsys.readouterr().err
