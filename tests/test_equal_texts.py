"""One definition of an exact duplicate, for the ingest report and for selections."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from crowdselect import pipeline
from crowdselect.equal_texts import count_repeats, exact_duplicates, normal_text, set_apart
from crowdselect.pipeline import Session
from crowdselect.settings import open_workspace
from tests.crowds import tidy_rows, write_jsonl

PIECES = st.sampled_from(
    ["Straße", "STRASSE", "ß", "ss", "İ", "i̇", "a", "A", " ", "\t", "\u00a0", "."]
)
TEXTS = st.lists(st.lists(PIECES, max_size=4).map("".join), max_size=20)


def test_case_and_white_space_of_any_script_do_not_count():
    same = ["Straße  in\u00a0Köln", " STRASSE\tIN KÖLN\n", "strasse in köln\u3000"]
    assert {normal_text(text) for text in same} == {"strasse in köln"}
    assert normal_text("a.b") != normal_text("a. b")


@given(TEXTS)
def test_groups_are_those_of_the_normal_texts(texts):
    groups = exact_duplicates(texts)
    normal = [normal_text(text) for text in texts]
    for text, group in zip(normal, groups.tolist(), strict=True):
        same = [g for t, g in zip(normal, groups.tolist(), strict=True) if t == text]
        assert set(same) == {group}
        assert (group == -1) == (len(same) == 1)
    assert count_repeats(groups) == len(normal) - len(set(normal))


def test_the_ingest_report_counts_what_a_selection_drops(tmp_path: Path):
    texts = ["Straße in Köln", "STRASSE IN KÖLN", "a\u00a0b", "A b", "i", "İ"]
    rows = [{**row, "instruction": texts[int(row["id"][1:])]} for row in tidy_rows(6)]
    crowd = pipeline.ingest(
        open_workspace(tmp_path), "table", [write_jsonl(tmp_path / "t.jsonl", rows)], name="t"
    )
    groups = Session(crowd).duplicate_groups()
    assert groups.tolist() == [0, 0, 1, 1, -1, -1]
    assert crowd.report.duplicate_instructions == count_repeats(groups) == 2


@given(TEXTS, st.integers(0, 12), st.integers(0, 12), st.randoms())
def test_who_is_kept_apart_follows_from_the_texts_alone(texts, few, more, random) -> None:
    few, more = sorted((few, more))
    apart = set_apart(texts, more)
    assert apart.sum() >= min(more, len(texts))
    kept = {normal_text(t) for t, out in zip(texts, apart, strict=True) if out}
    assert kept.isdisjoint(normal_text(t) for t, out in zip(texts, apart, strict=True) if not out)
    # No text more than it takes: without its largest group there are too few.
    groups = [sum(normal_text(t) == each for t in texts) for each in kept]
    assert not groups or apart.sum() - max(groups) < more
    assert not (set_apart(texts, few) & ~apart).any()
    order = random.sample(range(len(texts)), len(texts))
    assert (set_apart([texts[i] for i in order], more) == apart[order]).all()
