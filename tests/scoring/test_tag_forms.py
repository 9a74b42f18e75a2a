"""Tags that say the same become one: spellings, meanings, and tags that always come together."""

import re
from pathlib import Path

import numpy as np
import pytest
import snowballstemmer
from hypothesis import given
from hypothesis import strategies as st

from crowdselect.errors import InputError
from crowdselect.scoring import InsTag, Sample, score
from crowdselect.scoring.tag_forms import (
    SUPPORT,
    always_together,
    frequent_only,
    rename,
    same_meaning,
    same_stems,
)
from tests.scoring.served import serve

ROOT = Path(__file__).parents[2]


def test_spellings_join_the_commonest_of_them():
    tags = [("text-summarization",), ("text summarization",), ("Text summarizing",)]
    tags += [("text summarization", "rivers"), ("river",), ("c++",), ("c#",)]
    names = same_stems(tags)
    assert {names[t] for t in ("text-summarization", "Text summarizing")} == {"text summarization"}
    assert names["rivers"] == names["river"] == "river"
    merged = rename([("rivers", "river", "c++")], names)
    assert merged == [("river", names["c++"])], "a sample has a tag once"


def test_signs_alone_are_no_spelling_of_each_other():
    assert same_stems([("?",), ("!",)]) == {"?": "?", "!": "!"}


words = st.lists(st.sampled_from(["ab", "a-b", "A_B", "abs", "ba", "a b"]), max_size=4).map(tuple)


@given(st.lists(words, max_size=8))
def test_merging_twice_changes_nothing_and_invents_no_tag(tags):
    names = same_stems(tags)
    once = rename(tags, names)
    assert rename(once, same_stems(once)) == once
    assert {t for each in once for t in each} <= {t for each in tags for t in each}
    assert [bool(each) for each in once] == [bool(each) for each in tags]


def unit(degrees: float) -> np.ndarray:
    angle = np.deg2rad(degrees)
    return np.array([np.cos(angle), np.sin(angle)])


def test_close_meanings_join_within_the_cosine_distance():
    vectors = {"car": unit(0), "automobile": unit(18), "poem": unit(90)}
    tags = [("car",), ("car",), ("automobile", "poem")]
    near = 1 - np.cos(np.deg2rad(18))
    assert same_meaning(tags, vectors, near + 1e-6)["automobile"] == "car"
    assert same_meaning(tags, vectors, near - 1e-4)["automobile"] == "automobile"
    assert same_meaning(tags, {}, 0.1) == {}


def test_a_tag_that_never_comes_alone_joins_the_commoner_one():
    tags = [("python", "programming")] * SUPPORT + [("programming",)] * 3 + [("sql", "python")]
    assert always_together(tags) == {}, "python came without programming once too often"
    assert always_together(tags[:-1]) == {"python": "programming"}
    assert always_together(tags[: SUPPORT - 1]) == {}


def test_rare_tags_are_dropped():
    assert frequent_only([("a", "b"), ("a",), ()], 2) == [("a",), ("a",), ()]


ANSWERS = {
    "one": '["Poetry", "poetry", "write poems"]',
    "two": '["write-poem", "car"]',
    "three": '["automobile"]',
}


def tagged(tmp_path, embed=None, **options):
    rows = [Sample(name, name, "x") for name in ANSWERS]
    with serve(lambda question: ANSWERS[question.split()[-1]]) as (url, _):
        models = ({"model": "judge", "base_url": url},)
        return score(rows, InsTag(models=models, **options), tmp_path, embed=embed)


def test_complexity_counts_merged_tags(tmp_path):
    table = tagged(tmp_path)
    assert table.columns["instag"].values.tolist() == [2, 2, 1]
    assert table.tags["one"][1] == table.tags["two"][0]
    assert table.report["tags_before_merging"] == 5
    assert table.report["distinct_tags"] == 4


def test_a_table_of_scores_holds_the_tags(tmp_path):
    frame = tagged(tmp_path).frame()
    assert [len(tags) for tags in frame["tags"]] == frame["instag"].tolist()


def test_none_keeps_what_the_judge_said(tmp_path):
    assert tagged(tmp_path, merge="none").report["distinct_tags"] == 5


def test_rare_tags_do_not_count(tmp_path):
    assert tagged(tmp_path, min_count=2).columns["instag"].values.tolist() == [1, 1, 0]


def test_meanings_need_vectors_of_the_tags(tmp_path):
    angles = {"car": 0, "automobile": 5, "poetry": 80}
    asked = []

    def embed(texts):
        asked.extend(texts)
        return np.stack([unit(angles.get(text, 120)) for text in texts])

    table = tagged(tmp_path, embed, merge="semantic")
    assert sorted(asked) == asked
    assert table.tags["two"][1:] == table.tags["three"] == ("car",)
    with pytest.raises(InputError, match="compares meanings"):
        tagged(tmp_path, merge="semantic")


def test_stems_are_those_of_snowball_that_nltk_has_too():
    """Of 8,863 words 15 differ, where Snowball 3 learnt better: "adding" is no "ad"."""
    theirs = pytest.importorskip("nltk.stem.snowball", reason="nltk comes with lm-eval")
    ours, theirs = snowballstemmer.stemmer("english").stemWord, theirs.EnglishStemmer().stem
    text = (ROOT / "docs" / "methods.md").read_text("utf-8").lower()
    words = sorted(set(re.findall(r"[a-z]+", text)))
    assert len(words) > 500
    assert len([word for word in words if ours(word) != theirs(word)]) <= 5
    names = same_stems([("adding",), ("add",), ("add",), ("ad",), ("organ",), ("organization",)])
    assert names == {w: w for w in ("ad", "organ", "organization", "add")} | {"adding": "add"}
