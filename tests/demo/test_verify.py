"""What the verifiers give for right, partly right and wrong answers, worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdselect.tasks import PARTIAL, Task, VerifierName, verify
from scripts.demo_build.tasks import KINDS, task_stream


def task(verifier: VerifierName, reference: str) -> Task:
    return Task("id", "any", 1, "Do it.", reference, verifier)


CASES: list[tuple[VerifierName, str, str, float]] = [
    ("number", "20", "20", 1.0),
    ("number", "20", " 20. ", 1.0),
    ("number", "20", "21", PARTIAL * 0.8),  # off by 1/20; nothing is left at 1/4
    ("number", "20", "25", 0.0),
    ("number", "0", "1", 0.0),
    ("number", "20", "twenty", 0.0),
    ("number", "20", "20 apples", 0.0),
    ("number", "20", "9" * 40, 0.0),
    ("number", "20", "²", 0.0),
    ("choice", "Ada", "Ada", 1.0),
    ("choice", "Ada", "ada", 0.0),
    ("choice", "Ada", "Ada or Ben", 0.0),
    ("sequence", "1, 2, 3, 4", "1,2, 3 ,4", 1.0),
    ("sequence", "1, 2, 3, 4", "1, 2, 4, 3", PARTIAL * 0.75),  # 3 of 4 match in order
    ("sequence", "1, 2", "3, 4", 0.0),
    ("sequence", "1, 2", "", 0.0),
    ("collection", "red, blue", "blue, red", 1.0),
    ("collection", "red, blue", "red", PARTIAL * 2 / 3),
    ("collection", "red, blue", "red, red, blue", PARTIAL * 4 / 5),
    ("text", "ABCD", "ABCD", 1.0),
    ("text", "ABCD", "ABC", PARTIAL * 6 / 7),
    ("text", "ABCD", "XYZ", 0.0),
    ("json", '{"name": "Ada", "age": 3}', '{"age": 3, "name": "Ada"}', 1.0),
    ("json", '{"name": "Ada", "age": 3}', '{"name": "Ada"}', PARTIAL / 2),
    ("json", '{"name": "Ada", "age": 3}', '{"name": "Ada", "age": "3"}', PARTIAL / 2),
    ("json", '{"name": "Ada"}', '{"name": "Ada", "age": 3}', PARTIAL / 2),
    ("json", '{"name": "Ada"}', '{"name": "Ada"', 0.0),
    ("json", '{"name": "Ada"}', '["Ada"]', 0.0),
    ("json", '{"name": "Ada"}', "[" * 100_000, 0.0),
]


@pytest.mark.parametrize(("verifier", "reference", "answer", "score"), CASES)
def test_scores_worked_out_by_hand(
    verifier: VerifierName, reference: str, answer: str, score: float
) -> None:
    assert verify(task(verifier, reference), answer) == pytest.approx(score)


VERIFIED = ("add", "index", "sort_up", "unique", "reverse", "to_json")
"""A kind for every verifier."""


def test_every_verifier_is_tried() -> None:
    assert {KINDS[name].verifier for name in VERIFIED} == {k.verifier for k in KINDS.values()}


@pytest.mark.parametrize("name", VERIFIED)
@given(answer=st.one_of(st.text(), st.integers().map(str), st.sampled_from(["{}", "a, b", "true"])))
def test_any_answer_gets_a_score_between_0_and_1_and_1_only_if_right(
    name: str, answer: str
) -> None:
    drawn = next(task_stream(1, "train", {name: 1.0}))
    score = verify(drawn, answer)
    assert 0.0 <= score <= PARTIAL or score == 1.0
