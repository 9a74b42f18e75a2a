"""What is said below the pages names the pages' controls when a page says it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from crowdselect.dashboard import wording
from crowdselect.dashboard.pages import PAGES
from crowdselect.dashboard.wording import on_page

ROOT = Path(__file__).parents[2]
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
COMMAND = re.compile(r"crowdselect ((?:crowd |study |run |selection )?[a-z]+)")
ELSEWHERE = {"--no-deps", "--force-reinstall"}
"""pip's own."""


def remedies() -> Iterator[tuple[str, str]]:
    """(place, text) of every remedy that is raised below the pages; what is filled in is ``X``."""
    for path in sorted((ROOT / "crowdselect").rglob("*.py")):
        if path.relative_to(ROOT / "crowdselect").parts[0] == "cli":
            continue
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call) or "Error" not in ast.unparse(call.func):
                continue
            given = call.args[1:2] + [k.value for k in call.keywords if k.arg == "remedy"]
            for text in (text for one in given for text in _texts(one)):
                yield f"{path.relative_to(ROOT)}:{call.lineno}", text


def _texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.JoinedStr):
        yield "".join(str(p.value) if isinstance(p, ast.Constant) else "X" for p in node.values)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    else:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                yield from _texts(child)


def test_no_remedy_names_a_flag_or_a_command_that_a_page_has_a_control_for() -> None:
    found = list(remedies())
    assert len(found) > 300
    assert sum(bool(FLAG.search(text)) for _, text in found) > 40
    left = []
    for place, text in found:
        said = on_page(text)
        flags = set(FLAG.findall(said)) - wording.NOWHERE - ELSEWHERE
        commands = {c for c in COMMAND.findall(said) if c in wording.PLACES}
        left += [(place, flags | commands, said)] if flags or commands else []
    assert not left


def test_what_is_named_instead_is_on_a_page() -> None:
    """Titles of pages, and words that the dashboard's own programs draw."""
    programs = [*(ROOT / "crowdselect" / "dashboard").rglob("*.py"), *(ROOT / "pages").glob("*.py")]
    drawn = "".join(p.read_text() for p in programs if p.name != "wording.py").casefold()
    titles = {page.title.casefold() for page in PAGES}
    for words in (*wording.BY_HAND.values(), *wording.PLACES.values()):
        for part in map(str.casefold, re.split("[,:] ", words)):
            ours = words == wording.REPLACE
            assert ours or part in titles or f'"{part}' in drawn or part in ("kind", "weights"), (
                part
            )


def test_a_flag_that_no_page_has_is_not_said_to_be_there() -> None:
    assert not wording.NOWHERE & set(wording.labels())


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Choose a gate by the crowd: --gate crowd=0.5.",
         "Choose a gate by the crowd: “Gate” crowd=0.5."),
        ("Make some: crowdselect crowd generate mine --model MODEL",
         "Make some: “Crowd, Models: Start answering”"),
        ("Let a model tag them (crowdselect score CROWD -s instag), or use -o by_hand=true.",
         "Let a model tag them (“Crowd, Scores: Start scoring”), or use “by hand” true."),
        ("Choose a workspace that you can write to: --workspace DIR.",
         "Choose a workspace that you can write to: --workspace DIR."),
    ],
)  # fmt: skip
def test_in_words_of_the_page(said: str, shown: str) -> None:
    assert on_page(said) == shown
