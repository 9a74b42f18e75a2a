"""What the documentation shows runs: the notebook, Python blocks, and every command line exists."""

import ast
import json
import re
import runpy
import shlex
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from crowdselect.settings import open_workspace
from tests.cli.test_remedies import commands
from tests.crowds import tidy_rows

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "first_selection"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCED = re.compile(r"^( *)```(\w*)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
RUN_HERE = ("README.md", "ingest.md")
RUN_ELSEWHERE = ("api.md", "extending.md")
"""By test_docs and test_extending."""


def blocks(page: Path, language: str) -> list[str]:
    found = FENCED.findall(page.read_text("utf-8"))
    return [body for _, kind, body in found if kind == language]


def test_the_notebook_holds_what_the_script_does() -> None:
    """After a change of the script: jupytext --to ipynb examples/first_selection.py."""
    notebook = json.loads(EXAMPLE.with_suffix(".ipynb").read_text("utf-8"))
    held = [(cell["cell_type"], "".join(cell["source"])) for cell in notebook["cells"]]
    parts = re.split(r"^# %%(.*)\n", EXAMPLE.with_suffix(".py").read_text("utf-8"), flags=re.M)[1:]
    written = []
    for kind, text in zip(parts[::2], parts[1::2], strict=True):
        prose = kind.strip() == "[markdown]"
        text = re.sub(r"^# ?", "", text, flags=re.M) if prose else text
        written.append(("markdown" if prose else "code", text.strip()))
    assert held == written
    assert all(not cell.get("outputs") for cell in notebook["cells"])


def test_the_first_selection_runs_offline(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    made = runpy.run_path(str(EXAMPLE.with_suffix(".py")))
    assert len(made["dataset"]) == made["written"].n == 200
    assert "4,200 instructions, 19 models" in capsys.readouterr().out
    assert 0 < len(made["compared"].in_all) < 50


@pytest.mark.parametrize("name", RUN_HERE)
def test_the_python_of_a_page_runs(name: str, tmp_path, monkeypatch) -> None:
    """On a small table, from the workspace that the page begins with."""
    monkeypatch.chdir(tmp_path)
    rows = pd.DataFrame(tidy_rows(24))
    rows.to_csv("rewards.csv", index=False)
    sizes = {"model": rows["model"].unique(), "family": "f", "size_b": [1, 2, 3]}
    pd.DataFrame(sizes).to_csv("models.csv", index=False)
    (page,) = (page for page in PAGES if page.name == name)
    for code in blocks(page, "python"):
        exec(compile(code, name, "exec"), {"workspace": open_workspace("workspace")})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_other_python_is_python_and_names_what_there_is(page: Path) -> None:
    """What needs a trained model, a server or a page is read and its imports are executed."""
    if page.name in RUN_ELSEWHERE:
        return
    for code in blocks(page, "python"):
        for node in ast.parse(code).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                exec(ast.unparse(node), {})


def lines(page: Path) -> Iterator[str]:
    """Command lines in blocks, continued ones as one."""
    text = page.read_text("utf-8").replace("\\\n", " ")
    fenced = [body for _, kind, body in FENCED.findall(text) if kind in ("", "bash", "sh")]
    indented = re.findall(r"^    (crowdselect .*)$", text, re.MULTILINE)
    for line in [*(line for body in fenced for line in body.splitlines()), *indented]:
        at = re.match(r"\s*(?:[A-Z_]+=\S+ )*(crowdselect .*)", line)
        if at:
            yield at[1]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_line_exists(page: Path) -> None:
    """Command and options; what is written in capital letters stands for a value."""
    known = commands()
    for line in lines(page):
        words = shlex.split(line.split(" | ")[0], comments=True)[1:]
        words = words[: next((i for i, w in enumerate(words) if w in ("&&", ";", ">")), None)]
        path: tuple[str, ...] = ()
        while words and (*path, words[0]) in known:
            path, words = (*path, words[0]), words[1:]
        if (*path, "run") in known and words:  # benchmark MODEL is benchmark run MODEL
            path = (*path, "run")
        assert path or words[0].isupper() or words[0].startswith("-"), line
        for word in words:
            option = word.split("=")[0]
            if re.fullmatch(r"--?[a-z][a-z-]*", option):
                assert option in known[path], f"{page.name}: {line}"


def test_there_are_commands_to_check() -> None:
    assert sum(len(list(lines(page))) for page in PAGES) > 180
