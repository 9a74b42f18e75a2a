"""Drawing tasks: seeded, varied, disjoint by split, and their references verify."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdselect.errors import CrowdSelectError
from crowdselect.tasks import Task, load_heldout, verify
from scripts.demo_build.tasks import KINDS, LEVELS, draw_problem, make_tasks, split_of, task_stream
from scripts.demo_build.tasks.lexicon import in_words


def test_there_are_at_least_24_kinds_with_several_phrasings() -> None:
    assert len(KINDS) >= 24
    assert all(len(kind.phrasings) >= 4 for kind in KINDS.values())


@pytest.mark.parametrize("name", list(KINDS))
@pytest.mark.parametrize("level", LEVELS)
def test_the_reference_of_every_kind_and_level_is_exactly_right(name: str, level: int) -> None:
    stream = task_stream(5, "train", {name: 1.0}, (level,))
    for _, task in zip(range(30), stream, strict=False):
        assert (task.kind, task.level) == (name, level)
        assert verify(task, task.reference) == 1.0
        assert verify(task, f" {task.reference}.\n") == 1.0
        assert verify(task, "") < 1.0
        assert task.reference
        assert "{" not in task.instruction


@given(st.integers(0, 2**32))
def test_every_phrasing_fits_every_problem(seed: int) -> None:
    kind, _, problem = draw_problem(Random(seed))
    for phrasing in kind.phrasings:
        assert "{" not in phrasing.format(**problem.slots)


def test_the_same_seed_gives_the_same_tasks_and_another_seed_others() -> None:
    assert make_tasks(50, 1, "pool") == make_tasks(50, 1, "pool")
    assert make_tasks(50, 1, "pool") != make_tasks(50, 2, "pool")


def test_no_instruction_is_shared_between_splits_or_repeated_inside_one() -> None:
    texts = {
        split: [task.instruction for task in make_tasks(1500, 9, split)]
        for split in ("train", "pool", "heldout")
    }
    for split, drawn in texts.items():
        assert len(set(drawn)) == len(drawn)
        assert {split_of(text) for text in drawn} == {split}
    assert not set(texts["train"]) & set(texts["pool"])
    assert not set(texts["pool"]) & set(texts["heldout"])


def test_every_kind_and_level_occurs_about_equally_often_unless_weighted() -> None:
    tasks = make_tasks(2000, 4, "train")
    assert set(Counter((t.kind, t.level) for t in tasks)) == {
        (kind, level) for kind in KINDS for level in LEVELS
    }
    only = make_tasks(40, 4, "train", {"add": 1.0, "where": 3.0})
    counts = Counter(task.kind for task in only)
    assert set(counts) == {"add", "where"}
    assert counts["where"] > counts["add"]


def test_asking_for_more_tasks_than_there_are_is_an_error_with_the_number() -> None:
    with pytest.raises(CrowdSelectError, match="yield only"):
        make_tasks(5000, 1, "heldout", {"loop": 1.0})


def test_higher_levels_take_more_words_where_length_is_the_difficulty() -> None:
    def mean_length(name: str, level: int) -> float:
        stream = task_stream(2, "train", {name: 1.0}, (level,))
        texts = [task.instruction for _, task in zip(range(60), stream, strict=False)]
        return sum(map(len, texts)) / len(texts)

    for name in ("keep_numbers", "sort_words", "table_age", "where", "to_json", "ranking"):
        assert mean_length(name, 1) < mean_length(name, 4)


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "zero"), (13, "thirteen"), (40, "forty"), (99, "ninety-nine"), (100, "one hundred"),
     (342, "three hundred and forty-two")],
)  # fmt: skip
def test_numbers_in_words(number: int, words: str) -> None:
    assert in_words(number) == words


@given(st.integers(0, 999), st.integers(0, 999))
def test_different_numbers_have_different_words(a: int, b: int) -> None:
    assert (in_words(a) == in_words(b)) == (a == b)


def test_heldout_tasks_survive_a_file(tmp_path: Path) -> None:
    tasks = make_tasks(20, 3, "heldout")
    pd.DataFrame(tasks).to_parquet(tmp_path / "tasks.parquet", index=False)
    assert load_heldout(tmp_path / "tasks.parquet") == tasks


def test_a_task_file_that_cannot_be_used_says_why(tmp_path: Path) -> None:
    with pytest.raises(CrowdSelectError, match="There is no task file"):
        load_heldout(tmp_path / "none.parquet")
    frame = pd.DataFrame(make_tasks(3, 3, "heldout"))
    frame.drop(columns=["reference", "level"]).to_parquet(tmp_path / "short.parquet")
    with pytest.raises(CrowdSelectError, match="lacks the columns level, reference"):
        load_heldout(tmp_path / "short.parquet")
    frame.assign(verifier=["number", "oracle", "number"]).to_parquet(tmp_path / "odd.parquet")
    with pytest.raises(CrowdSelectError, match=r"Row 2 .*'oracle'"):
        load_heldout(tmp_path / "odd.parquet")


def test_a_task_is_a_value() -> None:
    task = Task("a", "add", 1, "What is 1 plus 1?", "2", "number")
    assert task == Task("a", "add", 1, "What is 1 plus 1?", "2", "number")
    with pytest.raises(AttributeError):
        task.reference = "3"  # type: ignore[misc]
