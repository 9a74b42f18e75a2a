"""Arena-Hard's prompts in the layouts of its repository, up to what the judge is really sent."""

from pathlib import Path
from typing import Any

import pytest

from crowdselect.benchmark.judges.pair_prompts import read_pair_prompts
from crowdselect.errors import InputError
from tests.benchmark.judge import serve
from tests.crowds import write_jsonl

TEMPLATE = (
    "regex_patterns:\n  - \\[\\[([AB<>=]+)\\]\\]\n"
    'prompt_template: "<|User Prompt|>\\n{QUESTION}\\n\\n{ANSWER_A}\\n\\n{ANSWER_B}"\n'
)
SETTINGS = """
import os  # whatever else such a file does is not run
SHARED = "Judge fairly. Verdicts: [[A>B]] or [[B>A]]."
raise SystemExit("this file is read, not run")
JUDGE_SETTINGS = {
    "coding": {"baseline": "one", "system_prompt": SHARED},
    "creative_writing": {"baseline": "two", "system_prompt": "Enjoy it. " + "[[A>B]] or [[B>A]]."},
    "odd": {"baseline": "three", "system_prompt": os.environ.get("X")},
}
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The parts of arena-hard-auto's repository that matter, in words of our own."""
    for name, text in (("config/arena.yaml", TEMPLATE), ("utils/judge_utils.py", SETTINGS)):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    return tmp_path


def test_the_system_prompt_beside_the_template_is_sent(benchmarked: Any, checkout: Path) -> None:
    """Each category has its own, and the protocol knows the file."""
    questions = [
        {"uid": "1", "category": "hard_prompt", "subcategory": "coding", "prompt": "red"},
        {"uid": "2", "category": "creative_writing", "prompt": "blue"},
    ]
    answers = [{"uid": q["uid"], "messages": [{"content": "tree"}]} for q in questions]
    asked = write_jsonl(checkout / "question.jsonl", questions)
    anchor = write_jsonl(checkout / "anchor.jsonl", answers)
    suite = f"arena-hard:questions={asked},anchor={anchor},max_new_tokens=2"
    with serve(lambda *_: {"text": "[[B>A]]"}) as server:
        view = benchmarked(
            f"{suite},prompt={checkout / 'config' / 'arena.yaml'}",
            judge={"model": "judge", "base_url": server.url},
        )
    assert view.error is None, view.error
    systems = {
        body["messages"][1]["content"].split("\n")[1]: body["messages"][0] for body in server.asked
    }
    assert systems["red"] == {
        "role": "system", "content": "Judge fairly. Verdicts: [[A>B]] or [[B>A]].",
    }  # fmt: skip
    assert systems["blue"]["content"] == "Enjoy it. [[A>B]] or [[B>A]]."
    assert set(view.outcomes[0].protocol["inputs"]) == {"questions", "prompt", "system"}


def test_a_template_without_a_system_prompt_is_refused_before_the_start(
    benchmarked: Any, checkout: Path
) -> None:
    (checkout / "utils" / "judge_utils.py").rename(checkout / "elsewhere.py")
    template = checkout / "config" / "arena.yaml"
    with pytest.raises(InputError, match=r"arena\.yaml holds no system prompt") as raised:
        benchmarked(
            f"arena-hard:prompt={template},anchor=x",
            judge={"model": "judge", "base_url": "http://127.0.0.1:9"},
        )
    assert "system=FILE" in raised.value.remedy
    found = read_pair_prompts(str(template), str(checkout / "elsewhere.py"))
    assert found.of("creative_writing").system.startswith("Enjoy it.")


def test_a_category_without_a_system_prompt_is_refused(checkout: Path) -> None:
    found = read_pair_prompts(str(checkout / "config" / "arena.yaml"))
    for category in ("odd", ""):
        with pytest.raises(InputError, match=f"no system prompt for the category '{category}'"):
            found.check(["coding", category])


@pytest.mark.parametrize(
    ("name", "text"),
    [("system.txt", "Say [[A>B]].\n"), ("older.yaml", TEMPLATE + 'system_prompt: "Say [[A>B]]."')],
)
def test_one_system_prompt_for_all(checkout: Path, name: str, text: str) -> None:
    (checkout / name).write_text(text)
    found = read_pair_prompts(str(checkout / "config" / "arena.yaml"), str(checkout / name))
    assert found.of("anything").system == "Say [[A>B]]."
    assert "{QUESTION}" in found.of("anything").user


def test_a_template_that_says_it_all_needs_no_system_prompt(tmp_path: Path) -> None:
    file = tmp_path / "all.json"
    file.write_text('{"prompt_template": "{QUESTION} {ANSWER_A} {ANSWER_B} End with [[A>B]]."}')
    assert read_pair_prompts(str(file)).of("x").system == ""
    file.write_text('{"prompt_template": "{QUESTION}", "system_prompt": "[[A>B]]"}')
    assert read_pair_prompts(str(file)).of("x").system == "[[A>B]]"


@pytest.mark.parametrize("text", ["JUDGE_SETTINGS = {", "JUDGE_SETTINGS = load()", "X = {}"])
def test_other_python_files_are_refused(checkout: Path, text: str) -> None:
    (checkout / "utils" / "judge_utils.py").write_text(text)
    with pytest.raises(InputError, match=r"judge_utils\.py"):
        read_pair_prompts(str(checkout / "config" / "arena.yaml"))


def test_an_empty_system_file_is_refused(checkout: Path) -> None:
    (checkout / "empty.txt").write_text(" \n")
    with pytest.raises(InputError, match="holds no system prompt"):
        read_pair_prompts(str(checkout / "config" / "arena.yaml"), str(checkout / "empty.txt"))
