"""What taggers write: every list is read whole, and what is no list is no answer."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdselect.scoring.tag_replies import read_tags

BOTH = [
    '["python", "sorting"]',
    'Tags: ["Python", "python", "sorting"]',
    '```json\n["python", "sorting"]\n```\nThese cover it [1].',
    "['python', 'sorting']",
    "[“python”, “sorting”]",
    '["python", "sorting",]',
    "[python, sorting]",
    '[{"tag": "python", "explanation": "asks [it]"}, {"tag": "sorting", "explanation": ""}]',
    '{"tag": "python", "explanation": "x"}\n{"tag": "sorting", "explanation": "y"}',
    "[{'tag': 'python', 'explanation': \"it's python\"}, {'tag': 'sorting'}]",
    '[{"Tag": "python"}, {"label": "sorting"}]',
    '{"tags": ["python", "sorting"]}',
    '{"intents": [{"intent": "python"}, {"intent": "sorting"}], "n": 2}',
    "- python\n- sorting",
    "* **python**: asks for python\n* `sorting` - sorts",
    "1. Python\n2. Sorting",
    "Here are the tags:\n• python\n• sorting",
    "Tags: python, sorting.",
    "python, sorting",
    '<thinking>["wrong"]</thinking>["python", "sorting"]',
    '["wrong"]</think>["python", "sorting"]',
    "<reasoning>- wrong\n</reasoning>- python\n- sorting",
    'It could be ["code"], but better: ["python", "sorting"]',
]
NOTHING = [
    "",
    "no tags here",
    "[1, 2]",
    '["python", 2]',
    '[{"explanation": "x"}]',
    '["python", "sor',
    "{}",
    "[null]",
    '[{"tag": "python", "explanation": "x"}, {"tag": "so',
    '<think>["python"]',
    '[["python"], ["sorting"]]',
    "[[8]]",
    "8",
    "I cannot tag this, because it is empty.",
    "- This instruction asks the assistant to write a sorting function\n- ok",
    '{"python": "asks for python", "sorting": "sorts"}',
    '{"tags": null}',
    "true",
    '"python"',
    "1. 2\n2. 3",
]


@pytest.mark.parametrize("text", BOTH)
def test_both_tags_are_read(text: str) -> None:
    assert read_tags(text) == ["python", "sorting"]


@pytest.mark.parametrize("text", NOTHING)
def test_nothing_read_is_no_answer(text: str) -> None:
    assert read_tags(text) is None


def test_an_empty_list_is_an_answer() -> None:
    assert read_tags("[]") == read_tags("Tags: []") == read_tags('{"tags": []}') == []


names = st.lists(
    st.from_regex(r"[a-z]{1,8}( [a-z]{1,8})?", fullmatch=True), min_size=1, unique=True
)


@given(names, st.sampled_from(["json", "python", "objects", "key", "fence"]))
def test_every_form_gives_the_same_tags(tags: list[str], form: str) -> None:
    written = {
        "json": json.dumps(tags),
        "python": str(tags),
        "objects": json.dumps([{"tag": t, "explanation": f"about [{t}]"} for t in tags]),
        "key": json.dumps({"tags": tags}),
        "fence": f"```json\n{json.dumps(tags, indent=1)}\n```",
    }[form]
    assert read_tags(written) == tags


@given(st.text(max_size=60))
def test_any_text_is_tags_or_none(text: str) -> None:
    found = read_tags(text)
    assert found is None or all(tag == " ".join(tag.lower().split()) for tag in found)
