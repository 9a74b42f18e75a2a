"""The examples of docs/extending.md work as printed, and keep what the project asks of its own."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs" / "extending.md"
TAIL = """
from crowdselect import cli

register(cli.app_of(cli.STAGES))
assert cli.main(["count", "example", "--times", "2", "--workspace", "workspace"]) == 0
from crowdselect.charts.style import palette
assert len(running_mean(crowd.rewards().values[:, 0], palette("light")).data[0].x) == 20
few = cs.Recipe(crowd="example", budget=5, clusters=0, filters={"most_words": 1})
assert len(cs.select(crowd, few).ids) == 5
assert len(cs.select(crowd, few).report["excluded"]) == 0
print("done")
"""
CONTRACTS = {
    "spread": ("A metric", "tests/metrics/test_contract.py"),
    "middle": ("A strategy", "tests/selection/test_contract.py"),
    "fastchat": ("An export format", "tests/export/test_formats.py"),
}
NOT_IN_A_SNIPPET = ("D100", "INP001")
"""A snippet is no module: it needs no docstring of its own, and lies in no package."""


def sections() -> dict[str, str]:
    """Heading -> its Python example."""
    parts = re.split(r"^## (.+)$", DOCS.read_text("utf-8"), flags=re.MULTILINE)[1:]
    found = {
        heading: re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        for heading, text in zip(parts[::2], parts[1::2], strict=True)
    }
    return {heading: examples[0] for heading, examples in found.items() if examples}


EXAMPLES = sections()


def test_examples_run_in_order(tmp_path: Path) -> None:
    assert len(EXAMPLES) == 9
    code = "\n".join(EXAMPLES.values()) + TAIL
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split() == ["40", "done"]


@pytest.mark.parametrize("name", CONTRACTS)
def test_an_example_keeps_the_contract_of_its_kind(name: str) -> None:
    """The contract tests of the registry, run with the example registered as it is printed."""
    heading, tests = CONTRACTS[name]
    run = f"import pytest; raise SystemExit(pytest.main(['-q', {tests!r}, '-k', {name!r}]))"
    done = subprocess.run(
        [sys.executable, "-c", EXAMPLES[heading] + run],
        cwd=ROOT, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed
    assert int(passed[1]) >= 4


@pytest.mark.parametrize("heading", EXAMPLES)
def test_an_example_is_as_clean_as_the_project(heading: str, tmp_path: Path) -> None:
    config = str(ROOT / "pyproject.toml")
    for command in (["check", "--ignore", ",".join(NOT_IN_A_SNIPPET)], ["format", "--check"]):
        done = subprocess.run(
            [
                *(sys.executable, "-m", "ruff", *command, "--config", config),
                *("--stdin-filename", "example.py", "-"),
            ],
            input=EXAMPLES[heading], capture_output=True, text=True, check=False, cwd=tmp_path,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_page_shows_its_crowd(tmp_path: Path) -> None:
    """A script that lays out the page, run by Streamlit's own test runner."""
    from streamlit.testing.v1 import AppTest

    from crowdselect import pipeline
    from crowdselect.settings import open_workspace
    from tests.pipeline import tiny

    workspace = open_workspace(tmp_path / "w")
    pipeline.ingest(workspace, "table", [tiny.write_tidy(tmp_path)], name="tiny")
    script = (
        "import streamlit as st\nfrom crowdselect.values import Recipe\n"
        "from crowdselect.dashboard import state\n"
        "st.session_state[state.DRAFT] = Recipe(crowd='tiny')\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CROWDSELECT_WORKSPACE", str(workspace.root))
        at = AppTest.from_string(script + EXAMPLES["A page"] + "\nshow()\n").run(timeout=60)
    assert not at.exception
    assert [(m.label, m.value) for m in at.metric] == [("Instructions of tiny", str(tiny.N))]


def test_every_registry_named_there_exists() -> None:
    """The table at the top names real files and real lists."""
    rows = re.findall(r"(crowdselect/\S+)/MINE\.py\s+([A-Z]+)\s+in (\S+)", DOCS.read_text("utf-8"))
    assert len(rows) >= 7
    for folder, name, file in rows:
        assert (ROOT / folder).is_dir()
        assert re.search(rf"^{name}\b", (ROOT / file).read_text("utf-8"), re.MULTILINE), file
