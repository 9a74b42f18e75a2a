"""What judges write, and the grade that it is: read whole, or counted as none, never guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdselect.servers import read_grade

EIGHT = [
    "8", " 8\n", "8.", "8.0", "08", "+8", "(8)", "[8]", "８", "٨", "८", "**8**", "`8`", "$8$",
    "<b>8</b>", "8\nGood.", "8 - clear and short", "8: it covers 3 of 4 points",
    "8 because it omits 2 facts", "8/10", "8 / 10", "8 out of 10", "8 out of ten",
    "eight out of ten", "Eight.", "8 points", "8 points out of 10", "８／１０", "٨/١٠",
    "8/10 points", "Score: 8", "score=8", "GRADE: 8", "Grade - 8", "Rating – 8", "Rating -> 8",
    "Rating: 8/10", "Score 8/10", "The score is 8.", "My verdict: 8", "Grade: eight",
    "Grade:\n\n8", "# Grade\n\n8", "**Grade: 8**", "**Grade:** 8",
    "**Grade:**\n8\nBecause it is good.", "Score: **8** out of **10**", "Grade: **8**/10",
    "Score: `8`", "Score (0-10): 8", "Score (0 - 10): 8", "Score (0 to 10): 8",
    "Score (from 0 to 10): 8", "Score [8]", "Grade (out of 10): 8", "Grade (of 10): 8",
    "Grade (max. 10): 8", "Grade out of 10: 8", "Score (1-10): 8",
    "On a scale from 0 to 10 I would give it an 8.",
    "On a scale of 0-10, I'd rate this answer 8.", "On a scale of 1 to 10, 8.",
    "On a scale of 0 to 10: 8", "I would rate this answer 8 on a scale from 0 to 10.",
    "I'd say 8.", "I give it an 8.", "I rate this response an eight out of ten.",
    "This deserves an 8.", "The answer gets an 8 because it is short.",
    "A score of 8, for clarity.", "Overall, I would give it 8/10", "[[8]]", "[[ 8 ]]",
    "[[8/10]]", "[[8.0]]", "[[8.]]", "[[Rating: 8]]", "Rating: [[8]]", "Rating: [[ 8 ]]",
    "Rating: [[8/10]]", "［［8］］", "【【8】】", "**[[8]]**", "[[8]].", "Rating: [[8]]/10",
    "So \\boxed{8}.", "$\\boxed{8}$",
    "A useless answer would get [[1]]; this one is far better. [[8]]", "[[3]] at first. [[8]]",
    "The rubric: Grade 1 means useless.\n\nGrade: 8", "The maximum score is 10. Score: 8",
    "1. Correctness: fine\n2. Grade: 8", "- Correctness: 3 small errors\n- Score: 8",
    "> Score: 3\n\nThat would be harsh.\n\nScore: 8", "Score: 3 at first glance.\nScore: 8",
    "Overall score: 8\nStyle score: 3", "Style: 3\nOverall: 8", "Style score: 3\nFinal score: 8",
    "final grade 8/10", "Score: 10/10 for style, overall 8/10",
    "Grade: 8/10. With sources it would have been 10/10.",
    "8\nWith sources I would give it a 10.", "The code prints\n3\nas it should.\nScore: 8",
    '{"score": 8}', '{"grade": 8, "why": "it has 3 errors, score: 2 for style"}',
    '{"score": "8/10"}', '{"score": 8.0}', "{'score': 8}", '```json\n{"score": 8}\n```',
    "```\n8\n```", '{"result": {"rating": 8}}', '[{"score": 8}]',
    'Here it is: {"overall_score": 8, "style_score": 3}. It has 2 errors.',
    '{"score": 8, "reason": "it was cut', "<score>8</score>", "<answer>8</answer>",
    "<grade>8/10</grade>", "It has 2 errors.\n<rating>8</rating>", "评分：8",
    "评分：８分", "점수: 8점",
    "スコア: 8", "Оценка: 8 из 10", "Puntuación: 8 de 10", "Bewertung: 8 von 10",
    "Note finale : 8 sur 10", "8\u200b", "\ufeff8", "&#56;", "\u00008",
    "<think>2 would be low</think>8", "<thinking>2</thinking> 8",
    "<reasoning>[[2]]</reasoning>[[8]]", "<analysis>\nScore: 2\n</analysis>\nScore: 8",
    "Perhaps [[2]], no.</think>\nClear. [[8]]", "2?</reasoning>8", "<THINK>2</THINK>8",
    "<think time='3'>2</think>8", "<seed:think>2</seed:think>8", "[THINK]2[/THINK]8",
    "◁think▷2◁/think▷8",
    "<|channel|>analysis<|message|>2?<|end|><|start|>assistant<|channel|>final<|message|>8<|return|>",
    "analysisPerhaps 2.assistantfinal8",
    "<|begin_of_thought|>2<|end_of_thought|><|begin_of_solution|>8<|end_of_solution|>",
    "<think>a<think>b</think>8", "<think>Is [[2]]?</think>[[8]]<think>or 3</think>",
]  # fmt: skip
OTHERS = [
    ('8,5', 8.5), ('8.5/10', 8.5), ('Score: 8,5', 8.5), ('[[7,5]]', 7.5), ('8½', 8.5),
    ('8,25', 8.25), ('0', 0), ('0.5', 0.5), ('10', 10), ('10/10', 10), ('Ten', 10), ('zero', 0),
    ('Score (0-10): 0', 0), ('Score (0-10): 10', 10),
]  # fmt: skip
NONE = {
    "no grade": [
        "", "no idea", "N/A", "Grade: A", "NaN", "[[grade]]", "[[A>B]]",
        "The answer has 3 errors.", "item [2], no final", "The answer is 7.", "He gets 5.",
        "It gives 3 examples.", "2 and 3 give 5.", "3 + 5 = 8", "8 9", "2024-05-01", "1e1",
        "VIII", "★★★★☆", "1. Good\n2. Bad", "1-10", "Score: 0-10", "at least 8",
        "Accuracy: 7\nHelpfulness: 9", '{"accuracy": 7}', '{"score": null}', '{"score": true}',
    ],
    "a range": [
        "7-8", "7–8", "7 to 8", "7 or 8", "Score: 7-8", "[[7-8]]", "Score: 7-8/10", "7-8/10",
        "I'd give it between 7 and 8", "Rating: 8 ± 1",
    ],
    "below": [
        "-1", "Score: -1", "[[-1]]", "−1", '{"score": -1}',
    ],
    "above": [
        "11", "85", "11/10", "[[11/10]]", "1,000", '{"score": 11}', "10.01",
    ],
    "out of 5": [
        "4/5",
    ],
    "not a grade": [
        "Score: 80/100", "80%", "Score: 80%", "8+", "Score: <8", "≥8", "8/10/10",
    ],
    "another scale": [
        "Rating (1-5): 4", "My rating on a 5-point scale: 4",
        "On a scale of 1 to 5, I give it a 4.",
    ],
    "several grades": [
        "Accuracy score: 7\nStyle score: 9", "Assistant A score: 8\nAssistant B score: 6",
        '[{"model": "A", "score": 8}, {"model": "B", "score": 6}]', '{"score": 8, "rating": 6}',
    ],
    "never came to an end": [
        "<think>It may be [[3]] but", "<reasoning>8", "<|channel|>analysis<|message|>8",
        "It is 8. <thinking>or 3?",
    ],
}  # fmt: skip
NONE_PAIRS = [(text, problem) for problem, texts in NONE.items() for text in texts]


@pytest.mark.parametrize("text", EIGHT)
def test_an_eight_is_an_eight(text: str) -> None:
    assert read_grade(text, 0, 10).value == 8, read_grade(text, 0, 10).problem


@pytest.mark.parametrize(("text", "value"), OTHERS)
def test_halves_and_ends_of_the_scale(text: str, value: float) -> None:
    assert read_grade(text, 0, 10).value == value


@pytest.mark.parametrize(("text", "problem"), NONE_PAIRS)
def test_what_is_no_grade_says_why(text: str, problem: str) -> None:
    found = read_grade(text, 0, 10)
    assert found.value is None
    assert problem in found.problem


@pytest.mark.parametrize(
    "text",
    [
        "The grade is: 8",
        "8\nThe code sets score = 0 at first.",
        "The total is 7 apples, as it should be.\nScore: 8",
        "Total: 7 apples.\nScore: 8",
        "Key points: 3\nScore: 8",
        "8/10. It covers 3/4 of the points.",
        "Ich gebe 8 von 10 Punkten.",
        "Total: 8",
        "Final: 8",
        "Based on this, my score: 8",
        "I'd rate it a solid 8.",
        "Score:8.0/10.0",
        "So the score is 8.",
        "**Score**: 8 out of 10 points",
    ],
)
def test_a_number_of_something_else_is_not_the_grade(text: str) -> None:
    assert read_grade(text, 0, 10).value == 8, read_grade(text, 0, 10).problem


@pytest.mark.parametrize(
    "text", ["Overall quality: 8", "**Overall quality** (0-10): 8", "Overall quality score: 8/10"]
)
def test_what_was_graded_may_name_the_grade(text: str) -> None:
    assert read_grade(text, 0, 10, "overall quality").value == 8
    assert read_grade("Accuracy: 8", 0, 10, "overall quality").value is None
    assert read_grade("Accuracy: 8", 0, 10, "accuracy").value == 8


def test_the_scale_counts() -> None:
    assert read_grade("Score (1-5): 4", 1, 5).value == 4
    assert read_grade("4/5", 0, 5).value == 4
    assert read_grade("0", 1, 10).problem == "the grade 0 is below 1"
    assert read_grade("8/10", 0, 5).value is None


grades = st.integers(0, 20).map(lambda half: half / 2)
ways = st.sampled_from(
    ["{}", "Score: {}", "[[{}]]", "**Grade:** {}/10", "I would give it a {}.", "Final score: {}",
     '{{"score": {}}}', "Score (0-10): {}", "{} out of 10", "<score>{}</score>"]
)  # fmt: skip
thoughts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="<>[]|◁▷"), max_size=60
)
tags = st.sampled_from(["think", "thinking", "reasoning", "analysis", "reflection", "scratchpad"])


@given(grades, ways, thoughts, tags, st.booleans())
def test_every_grade_is_read_whatever_was_thought_before_it(
    grade: float, way: str, thought: str, tag: str, opened: bool
) -> None:
    before = f"<{tag}>" if opened else ""
    text = f"{before}{thought}</{tag}>\n{way.format(f'{grade:g}')}"
    assert read_grade(text, 0, 10).value == grade


@given(st.text(max_size=80), st.sampled_from([(0, 10), (1, 10), (0, 5)]))
def test_nothing_crashes_and_nothing_leaves_the_scale(text: str, scale: tuple[int, int]) -> None:
    found = read_grade(text, *scale)
    assert (found.value is None) == bool(found.problem)
    assert found.value is None or scale[0] <= found.value <= scale[1]


parts = st.sampled_from(
    ["8", "3", "10", "-", "/", ".", ",", " ", "\n", "[[", "]]", "Score", ":", "%", "(", ")", "to",
     "out of", "overall", "{", "}", '"', "<think>", "</think>", "a", "²", "½", "[", "scale"]
)  # fmt: skip


@given(st.lists(parts, max_size=14).map("".join))
def test_pieces_of_verdicts_in_any_order(text: str) -> None:
    found = read_grade(text, 0, 10)
    assert (found.value is None) == bool(found.problem)
    assert found.value is None or 0 <= found.value <= 10


@given(st.integers(0, 9), st.integers(1, 10), st.sampled_from(["-", "–", " to ", " or ", "—"]))
def test_a_range_is_never_one_of_its_ends(low: int, more: int, sign: str) -> None:
    for way in ("{}", "Score: {}", "[[{}]]", "I would give it a {}."):
        assert read_grade(way.format(f"{low}{sign}{low + more}"), 0, 10).value is None
