"""What every benchmark on the shelf keeps, and every file that one may be given."""

from pathlib import Path
from typing import Any

import pytest

from crowdselect.benchmark import BENCHMARKS, SHORTHANDS, Item, Suite, build_suite
from crowdselect.benchmark.base import Benchmark
from crowdselect.benchmark.conversations import read_conversations
from crowdselect.benchmark.results import read_items, write_items
from crowdselect.benchmark.sources import local_file
from crowdselect.errors import InputError, NotFoundError
from crowdselect.lm.journal import Journal
from crowdselect.registry import build, options_of
from tests.crowds import write_jsonl

EACH = pytest.mark.parametrize("plugin", list(BENCHMARKS), ids=lambda p: p.name)


@EACH
def test_declares_itself(plugin: type[Benchmark]) -> None:
    assert plugin.title
    assert plugin.unit
    assert plugin.source
    assert plugin.kind in ("own", "judged", "harness", "translation")
    assert all(o.help for o in options_of(plugin))
    assert plugin.judged == (plugin.kind == "judged")


@EACH
def test_is_built_with_defaults_and_hashes(plugin: type[Benchmark]) -> None:
    made = build(plugin, {})
    assert made == build(plugin, {})
    assert hash(made) == hash(build(plugin, {}))
    assert made.label.startswith(plugin.name)


@EACH
def test_options_given_as_text_are_typed(plugin: type[Benchmark]) -> None:
    """What a command line writes builds the same benchmark."""
    given = {o.name: str(o.default).lower() if o.type is bool else str(o.default)
             for o in options_of(plugin)}  # fmt: skip
    assert build_suite(Suite(name=plugin.name, options=dict(given))) == build(plugin, {})


def test_shorthands_stand_for_tasks() -> None:
    assert build_suite(Suite.from_text("mmlu")).label == "harness:mmlu"
    assert build_suite(Suite.from_text("mmlu:fewshot=0")).fewshot == 0
    assert set(SHORTHANDS) == {"mmlu", "bbh", "gsm8k", "tydiqa", "humaneval"}


def test_commas_inside_a_value_stay() -> None:
    suite = Suite.from_text("translation:path=a.jsonl,prompt=Translate, please: {source}")
    assert suite.options == {"path": "a.jsonl", "prompt": "Translate, please: {source}"}


def test_items_come_back_as_they_went(tmp_path: Path) -> None:
    items = [
        Item("q1", "c", 0.5, "p\n\u2028", "a", "r", 2.0, {"x": [1, None, "é"]}),
        Item("q2", "", None, "", "", "why"),
    ]
    write_items(tmp_path / "x" / "i.parquet", items)
    assert read_items(tmp_path / "x" / "i.parquet") == items
    with pytest.raises(NotFoundError, match="are gone"):
        read_items(tmp_path / "none.parquet")


def test_a_journal_survives_a_cut_at_any_byte(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    journal = Journal(path)
    for i in range(4):
        journal.add(f"k{i}", {"value": "é" * i})
    whole = path.read_bytes()
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        again = Journal(path)
        kept = len(again)
        assert kept in (whole[:cut].count(b"\n"), whole[:cut].count(b"\n") + 1)
        again.add("new", {"value": 1})
        assert len(Journal(path)) == kept + 1
    journal = Journal(None)
    journal.add("a", {"b": 1})
    assert journal.get("a") == {"b": 1, "key": "a"}


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]},
        {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]},
        {"prompt": "q", "completion": "a"},
        {"prompt": [{"role": "user", "content": "q"}],
         "completion": [{"role": "assistant", "content": "a"}]},
        {"instruction": "q", "input": "", "output": "a"},
    ],
)  # fmt: skip
def test_conversations_in_every_layout(tmp_path: Path, row: dict[str, Any]) -> None:
    path = write_jsonl(tmp_path / "c.jsonl", [row, row])
    found = read_conversations(path)
    assert [c.messages for c in found] == [
        ({"role": "user", "content": "q"}, {"role": "assistant", "content": "a"})
    ] * 2
    assert found[1].id == f"{found[0].id}#2", "rows that recur keep ids of their own"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "line 1 is not JSON"),
        ("[1]", "item 1 is a JSON number, expected an object"),
        ('{"messages": [{"role": "user", "content": "q"}]}', "row 1 has no answer at its end"),
        ('{"messages": [{"role": "wizard", "content": "q"}]}', "row 1: 'wizard' is no known role"),
        ('{"messages": "text"}', "row 1: expected a list of messages"),
        ("", "holds no rows"),
    ],
)
def test_bad_conversations(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        read_conversations(path)
    assert words in error.value.problem


def test_files_of_the_hub() -> None:
    with pytest.raises(InputError, match="no address of a file"):
        local_file("hf://lmsys/mt-bench")
    with pytest.raises(NotFoundError, match="cannot be fetched"):
        local_file("hf://spaces/lmsys/mt-bench/data/mt_bench/question.jsonl")
