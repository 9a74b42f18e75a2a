"""The tree keeps its shape: layers, light imports, one home for SQL, files that can be read."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "crowdselect"
LONGEST_FILE = 400
LONGEST_BODY = 60
LONG_FILES = {
    "crowdselect/store/crowd.py": "one handle on a crowd: every read has its method here",
    "tests/dashboard/test_scatter_browser.py": "one browser session serves all of its checks",
}
"""Files that may be longer, and why."""
ABSOLUTE = re.compile(
    r"(?<![\w.~*{}])/(?:" + "|".join(("work", "home", "mnt", "root", "Users")) + r")/\w"
)
SQL = re.compile(r"\b(SELECT\b.+\bFROM|INSERT INTO|CREATE (TABLE|VIEW)|DELETE FROM)\b", re.DOTALL)


def tracked(*patterns: str) -> list[Path]:
    """Files that git knows, or (in a copy without git) everything that is not ignored."""
    found = subprocess.run(
        [
            "git",
            "-C",
            str(ROOT),
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            *patterns,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode:
        pytest.skip("this copy is not a git checkout")
    return [p for line in found.stdout.splitlines() if (p := ROOT / line).is_file()]


def sources(*folders: str) -> Iterator[tuple[str, str]]:
    for path in tracked("*.py"):
        name = path.relative_to(ROOT).as_posix()
        if not folders or name.startswith(folders):
            yield name, path.read_text("utf-8")


def strings(text: str) -> Iterator[str]:
    """String literals that are no docstrings, with their line."""
    tree = ast.parse(text)
    bare = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in bare:
            yield node.value


def python(code: str) -> str:
    """Run ``code`` in a fresh interpreter; what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
        env={**os.environ, "PYTHONWARNINGS": "error::ImportWarning"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_layers() -> None:
    """Lower layers import nothing above them; stages do not import each other (pyproject.toml)."""
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert "0 broken" in done.stdout


def test_every_module_has_its_layer() -> None:
    """A new folder or file at the top of the package takes its place in the layers."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    layers = config["tool"]["importlinter"]["contracts"][0]["layers"]
    placed = {name.strip() for layer in layers for name in layer.split("|")}
    there = {p.stem for p in PACKAGE.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
    assert {f"crowdselect.{name}" for name in there - {"__init__", "__main__"}} == placed


def test_every_folder_is_drawn() -> None:
    """docs/architecture.md draws what there is: every folder and file at the package's top."""
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    drawn = set(re.findall(r"\w+", text.split("```")[1]))
    there = {p.stem for p in PACKAGE.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
    spine = {p.stem for p in (PACKAGE / "pipeline").iterdir()}
    assert (there | spine) - {"__init__", "__main__", "__pycache__"} <= drawn


HEAVY = ("torch", "transformers", "streamlit", "umap", "datasets", "ray")


@pytest.mark.parametrize(
    "code",
    [
        "import crowdselect",
        "import crowdselect as c; [getattr(c, name) for name in c.__all__]",
        "import crowdselect.pipeline",
        "import crowdselect.jobs",
        "import crowdselect.cli",
        "from crowdselect import cli; cli.main(['plugins', '--json'])",
    ],
)
def test_imports_stay_light(code: str) -> None:
    """Neither the package nor the command line loads torch or streamlit."""
    loaded = f"[m for m in {HEAVY} if m in sys.modules]"
    out = python(f"import sys; {code}; print('heavy:', {loaded})")
    assert out.splitlines()[-1] == "heavy: []"


def test_public_names_win_over_packages_of_the_same_name() -> None:
    code = (
        "import crowdselect as c, crowdselect.metrics\n"
        "from crowdselect.landscape import embed\n"
        "from crowdselect.export import FORMATS\n"
        "assert all(callable(getattr(c, name)) for name in c.__all__ if name != '__version__')\n"
        "assert c.metrics is c.pipeline.metrics, c.metrics\n"
        "from crowdselect import ingest, select\n"
        "assert ingest is c.pipeline.ingest\n"
        "assert not hasattr(c, 'nothing')\n"
    )
    python(code)


@pytest.mark.parametrize(
    ("package", "home"),
    [("duckdb", ("store",)), ("streamlit", ("dashboard",)), ("plotly", ("charts", "dashboard"))],
)
def test_one_home_for(package: str, home: tuple[str, ...]) -> None:
    """SQL lives in store, figures in charts, Streamlit in dashboard."""
    allowed = tuple(f"crowdselect/{name}/" for name in home)
    pattern = re.compile(rf"^\s*(import|from) {package}\b", re.MULTILINE)
    guilty = [
        name
        for name, text in sources("crowdselect/")
        if not name.startswith(allowed) and pattern.search(text)
    ]
    assert guilty == []


def test_no_sql_outside_the_store() -> None:
    guilty = [
        f"{name}: {value[:60]!r}"
        for name, text in sources("crowdselect/", "pages/", "app.py")
        if not name.startswith("crowdselect/store/")
        for value in strings(text)
        if SQL.search(value)
    ]
    assert guilty == []


def test_no_path_of_one_machine() -> None:
    guilty = []
    for path in tracked("*.py", "*.md", "*.toml", "*.txt", "*.sh", "Makefile", ".ci/*"):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
            if ABSOLUTE.search(line):
                guilty.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}")
    assert guilty == []


def test_nothing_is_left_for_later() -> None:
    """No notes to self, no merge conflicts, no permission to run foreign code."""
    marks = ("TO" + "DO", "FIX" + "ME", "X" + "XX", "<" * 7 + " ", ">" * 7 + " ")
    guilty = []
    for name, text in sources():
        for number, line in enumerate(text.splitlines(), start=1):
            if any(mark in line for mark in marks) or "trust_remote_code=True" in line:
                guilty.append(f"{name}:{number}: {line.strip()[:80]}")
    assert [g for g in guilty if not g.startswith("tests/")] == []


def test_files_can_be_read_in_one_go() -> None:
    lengths = {name: text.count("\n") for name, text in sources()}
    long = {name for name, lines in lengths.items() if lines > LONGEST_FILE}
    assert long - LONG_FILES.keys() == set(), "split it, or say in LONG_FILES why not"
    assert LONG_FILES.keys() - long == set(), "it is short now: take it out of LONG_FILES"


def test_functions_need_no_scrolling() -> None:
    """Lines of a function after its signature and docstring."""
    guilty = []
    for name, text in sources("crowdselect/", "pages/", "app.py"):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[1] if ast.get_docstring(node) and node.body[1:] else node.body[0]
                lines = (node.end_lineno or 0) - first.lineno + 1
                if lines > LONGEST_BODY:
                    guilty.append(f"{name}:{node.lineno} {node.name} has {lines} lines")
    assert guilty == []
