"""Search: by scanning and by the index, and what it says about completeness."""

from pathlib import Path

import pytest

from crowdselect import jobs
from crowdselect.errors import InputError
from crowdselect.settings import Workspace
from crowdselect.store import Crowd, SearchHits
from crowdselect.store.search import words_of
from tests.crowds import ingest, tidy_rows, write_csv


@pytest.fixture
def crowd(workspace: Workspace, tmp_path: Path) -> Crowd:
    rows = tidy_rows(30)
    rows[0]["response"] = "100% of_it C:\\temp"
    rows[3]["response"] = "a PERU answer"
    return ingest(workspace, [write_csv(tmp_path / "s.csv", rows)])


def test_instructions_are_counted_in_full(crowd: Crowd):
    hits = crowd.search("PERU")
    assert hits.rows.tolist() == [k for k in range(30) if k % 4 == 1]
    assert (hits.total, hits.complete, hits.summary) == (8, True, "8 found")
    few = crowd.search("peru", limit=3)
    assert (few.rows.tolist(), few.total, few.complete) == ([1, 5, 9], 8, False)
    assert few.summary == "3 of 8"


def test_all_words_must_occur_and_phrases_stay_together(crowd: Crowd):
    assert len(crowd.search("city name").rows) == 8
    assert len(crowd.search('"city name"').rows) == 0
    assert words_of('say "hi there" now') == ["say", "hi there", "now"]
    with pytest.raises(InputError, match="nothing to search"):
        crowd.search("  ")


def test_signs_of_sql_patterns_are_letters(crowd: Crowd):
    for words in ("100%", "of_it", "C:\\temp"):
        assert crowd.search(words, where="responses").rows.tolist() == [0]
    assert crowd.search("1%0", where="responses").rows.tolist() == []
    assert crowd.search("' OR 1=1 --", where="both").rows.tolist() == []


def test_responses_stop_at_the_limit_and_say_so(crowd: Crowd):
    hits = crowd.search("answer", where="responses", limit=5)
    assert (len(hits.rows), hits.total, hits.complete) == (5, None, False)
    assert hits.summary == "the first 5, more may exist"
    both = crowd.search("peru", where="both")
    assert set(both.rows.tolist()) == {1, *range(1, 30, 4)}
    assert both.complete


def test_the_index_finds_words_and_counts_them_all(crowd: Crowd):
    pytest.importorskip("tantivy")
    seen: list[tuple[int, int | None]] = []
    folder = crowd.build_index(lambda done, total, label="": seen.append((done, total)))
    assert seen[-1] == (30, 30)
    assert folder.parent == crowd.cache
    hits = crowd.search("answer", where="responses", limit=5)
    assert isinstance(hits, SearchHits)
    assert (len(hits.rows), hits.total, hits.complete, hits.indexed) == (5, 30, False, True)
    assert crowd.search("peru", where="responses").rows.tolist() == [1]
    assert set(crowd.search("peru", where="both").rows.tolist()) == set(range(1, 30, 4))
    assert crowd.search('"of tiny" 29', where="responses").rows.tolist() == [29]
    for odd in ("a:b AND (", "+-&|!(){}[]^~*?\\/", '"'):
        crowd.search(odd, where="both")


def test_building_the_index_can_be_stopped(crowd: Crowd):
    pytest.importorskip("tantivy")

    def stop(done: int, total: int | None, label: str = "") -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        crowd.build_index(stop)
    assert list(crowd.cache.iterdir()) == []


def test_the_index_is_built_by_a_job(workspace: Workspace, crowd: Crowd):
    pytest.importorskip("tantivy")
    path = jobs.create(workspace, "index", {"crowd": "small"})
    jobs.run_here(path)
    assert jobs.read(path).state == "done"
    assert crowd.search("peru", where="responses").indexed
