"""Files of questions, prompts and answers: ours, the official ones, and those of a user."""

import json
from pathlib import Path
from typing import Any

import pytest

from crowdselect.benchmark.judges.prompts import OWN_SINGLE, read_named, read_single
from crowdselect.benchmark.questions import OWN, read_answers, read_questions
from crowdselect.errors import InputError
from tests.crowds import write_jsonl


def test_our_questions_can_be_read() -> None:
    two = read_questions(OWN / "two_turns.jsonl", turns=2)
    assert len(two) == 40
    assert len({q.category for q in two}) == 8
    for question in two:
        wanted = 2 if question.category in ("math", "reasoning", "coding") else 0
        assert len(question.references) == wanted
    assert len(read_questions(OWN / "hard.jsonl")) == 30
    assert len(read_questions(OWN / "everyday.jsonl")) == 30


def test_official_files_fit(shared_dir: Path) -> None:
    folder = shared_dir / "real" / "mt_bench"
    assert len(read_questions(folder / "question.jsonl", turns=2)) == 80
    official = read_named(str(folder / "judge_prompts.jsonl"))
    places = "question question_1 question_2 answer answer_1 answer_2 ref_answer_1 ref_answer_2"
    values = dict.fromkeys(places.split(), "{x}")
    for name in OWN_SINGLE:
        assert official[name].fill(values)[-1]["content"].count("{x}") >= 2
    hard = read_questions(shared_dir / "real" / "arena_hard_v0.1" / "question.jsonl")
    assert len(hard) == 500


def test_prompt_files(tmp_path: Path) -> None:
    arena = tmp_path / "arena.yaml"
    arena.write_text('system_prompt: "Be fair."\nprompt_template: ["<|{question_1}|>{answer_1}"]\n')
    text = tmp_path / "clf.txt"
    text.write_text(
        "<|im_start|>system\nS\n<|im_end|>\n<|im_start|>user\n{instruction}\n<|im_end|>"
    )
    values = {"question_1": "{answer_1}", "answer_1": "a", "instruction": "i"}
    filled = read_single(str(arena)).fill(values)
    assert filled[0] == {"role": "system", "content": "Be fair."}
    assert filled[1]["content"] == "<|{answer_1}|>a", "values are not filled themselves"
    assert read_single(str(text)).fill(values)[-1]["content"] == "i"
    with pytest.raises(InputError, match="has a place"):
        read_single(str(arena)).fill({"question_1": "x"})
    bad = tmp_path / "bad.yaml"
    bad.write_text("a: 1")
    with pytest.raises(InputError, match="holds no prompt_template"):
        read_single(str(bad))


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{"turns": ["a", "b", "c"]}], "has 3 turns, expected 2"),
        ([{"text": "a"}], "q.jsonl, row 1: it asks nothing"),
        ([{"question_id": 1, "turns": ["a", "b"]}] * 2, "row 2: the id 1 recurs"),
        ([], "holds no questions"),
    ],
)
def test_bad_questions(tmp_path: Path, rows: list[dict[str, Any]], words: str) -> None:
    path = write_jsonl(tmp_path / "q.jsonl", rows)
    with pytest.raises(InputError) as error:
        read_questions(path, turns=2)
    assert words in error.value.problem


def test_answers_in_every_layout(tmp_path: Path) -> None:
    rows = [
        {"question_id": 1, "choices": [{"turns": ["a"]}]},
        {"uid": "2", "choices": [{"turns": [{"content": "b"}]}]},
        {"instruction": "say c", "output": "c"},
        {"uid": "4", "messages": [{"content": "q"}, {"content": {"answer": "d"}}]},
    ]
    path = tmp_path / "a.json"
    path.write_text(json.dumps(rows))
    assert read_answers(str(path)) == {"1": "a", "2": "b", "say c": "c", "4": "d"}
    path.write_text(json.dumps([{"id": 1}]))
    with pytest.raises(InputError, match="row 1 holds no answer"):
        read_answers(str(path))
