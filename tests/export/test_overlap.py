"""Overlap with benchmarks: against a plain re-implementation, and the cases people meet."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdselect.errors import InputError, NotFoundError
from crowdselect.export import Reference, References, find_overlaps, read_references
from crowdselect.export.overlap import words_of

WORDS = st.lists(st.sampled_from(["a", "b", "c", "d", "e"]), max_size=12).map(" ".join)


def references(*texts: str) -> list[References]:
    items = tuple(Reference(f"r{i}", text) for i, text in enumerate(texts))
    return [References("bench.jsonl", "0" * 64, "text", items)]


def plain(text: str, known: list[str], n: int) -> bool:
    """The definition, word by word."""
    ours = text.split()
    runs = {tuple(ours[i : i + n]) for i in range(len(ours) - n + 1)}
    for theirs in (k.split() for k in known):
        if len(theirs) < n and theirs and ours == theirs:
            return True
        if any(tuple(theirs[i : i + n]) in runs for i in range(len(theirs) - n + 1)):
            return True
    return False


@given(st.lists(WORDS, max_size=6), st.lists(WORDS, max_size=4), st.integers(1, 6))
def test_equals_the_definition(texts: list[str], known: list[str], n: int) -> None:
    found = find_overlaps(texts, references(*known), words=n)
    expected = [row for row, text in enumerate(texts) if plain(text, known, n)]
    assert [overlap.row for overlap in found] == expected
    for overlap in found:
        assert overlap.shared in texts[overlap.row]
        assert overlap.words == len(overlap.shared.split())


def test_case_punctuation_and_width_do_not_hide_an_overlap() -> None:
    known = references("Compose an engaging travel blog post about a recent trip to Hawaii today.")
    hawaii = "\uff28\uff41\uff57\uff41\uff49\uff49"  # in full-width letters
    text = f"Please: COMPOSE an engaging — travel, blog post\nabout a recent trip to {hawaii} today"
    (overlap,) = find_overlaps([text], known)
    assert (overlap.file, overlap.reference, overlap.words) == ("bench.jsonl", "r0", 13)
    assert overlap.shared.startswith("compose an engaging travel")


def test_short_questions_overlap_only_as_a_whole() -> None:
    known = references("What is the capital of France?")
    texts = ["what is the capital of france", "What is the capital of France, and why?"]
    assert [o.row for o in find_overlaps(texts, known)] == [0]


def test_runs_do_not_cross_texts() -> None:
    """Two neighbours that only together hold the benchmark's words are both clean."""
    known = references("one two three four five six")
    assert find_overlaps(["one two three", "four five six"], known, words=4) == []


def test_chinese_counts_characters() -> None:
    assert words_of("写一首诗 about Li白") == ["写", "一", "首", "诗", "about", "li", "白"]


@pytest.mark.parametrize(
    ("row", "texts"),
    [
        ({"question_id": 81, "turns": ["one", "two"]}, [("81", "one"), ("81", "two")]),
        ({"uid": "x", "cluster": "c", "prompt": "one"}, [("x", "one")]),
        ({"question": "one"}, [("row 1", "one")]),
        (
            {"id": "i", "messages": [{"role": "user", "content": "one"}, {"role": "assistant"}]},
            [("i", "one")],
        ),
        (
            {"conversations": [{"from": "human", "value": "one"}, {"from": "gpt"}]},
            [("row 1", "one")],
        ),
    ],
)
def test_reads_the_shapes_of_benchmarks(tmp_path: Path, row: dict, texts: list) -> None:
    (tmp_path / "b.jsonl").write_text(json.dumps(row) + "\n\n")
    (tmp_path / "b.json").write_text(json.dumps([row]))
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "b.parquet")
    for suffix in ("jsonl", "json", "parquet"):
        found = read_references(tmp_path / f"b.{suffix}")
        assert [(item.id, item.text) for item in found.items] == texts


def test_reads_csv_and_a_named_column(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("id,text,body\n1,no,yes\n")
    found = read_references(tmp_path / "b.csv", "body")
    assert (found.column, found.items) == ("body", (Reference("1", "yes"),))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("b.jsonl", b'{"prompt": "x"}\n{oops\n', "line 2 is not JSON"),
        ("b.jsonl", b'{"answer": 1}\n', "columns are answer"),
        ("b.jsonl", b"[1]\n", "expected an object"),
        ("b.jsonl", b"", "holds no rows"),
        ("b.jsonl", b'{"prompt": "\xff"}\n', "line 1 is not UTF-8"),
        ("b.jsonl", b'{"prompt": ""}\n{"prompt": null}\n', "no text in any of its 2 rows"),
        ("b.jsonl", b'{"question": {"number": 1}}\n', "no text in any of its 1 rows"),
        ("b.parquet", b"PAR1junk", "cannot be read"),
        ("b.json", b"7", "expected a list of objects"),
    ],
)
def test_bad_files_are_named(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as raised:
        read_references(tmp_path / name)
    assert name in raised.value.problem


def test_rows_are_read_by_whatever_columns_they_have(tmp_path: Path) -> None:
    """Nested questions, an empty first column, content parts, rows that differ: all are found."""
    parts = [{"type": "text", "text": "four"}]
    rows = [
        {"prompt": "", "question": "one"},
        {"text": "two"},
        {"question": {"stem": "three", "choices": ["no"]}},
        {"messages": [{"role": "system", "content": "no"}, {"role": "user", "content": parts}]},
        {"Instruction": "five", "input": "six", "output": "no"},
        {"messages": '[{"role": "user", "content": "seven"}]'},
        {"answer": "no"},
    ]
    (tmp_path / "b.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = read_references(tmp_path / "b.jsonl")
    texts = [item.text for item in found.items]
    assert texts == ["one", "two", "three", "four", "five", "six", "seven"]
    assert (found.rows, found.unread) == (7, 1)
    assert "7 texts of 6 of 7 rows are checked against" in found.summary
    assert "1 rows hold no text" in found.summary


def test_every_split_of_a_folder_is_checked(tmp_path: Path) -> None:
    for split in ("train", "test"):
        (tmp_path / f"{split}.jsonl").write_text(json.dumps({"prompt": split}) + "\n")
    assert {item.text for item in read_references(tmp_path).items} == {"train", "test"}


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no file"):
        read_references(tmp_path / "none.jsonl")


def test_real_benchmarks(shared_dir: Path) -> None:
    """Every question of MT-Bench and Arena-Hard is found in itself, however it is wrapped."""
    real = shared_dir / "real"
    known = [
        read_references(real / "mt_bench" / "question.jsonl"),
        read_references(real / "arena_hard_v0.1" / "question.jsonl"),
    ]
    assert [len(k.items) for k in known] == [160, 500]
    texts = [item.text.upper() for k in known for item in k.items]
    found = {overlap.row for overlap in find_overlaps(texts, known)}
    assert found == set(range(len(texts)))
