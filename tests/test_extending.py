"""The examples of docs/extending.md work as printed."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs" / "extending.md"
TAIL = """
from crowdselect import cli

register(cli.app)
assert cli.main(["count", "example", "--times", "2", "--workspace", "workspace"]) == 0
from crowdselect.export import Example, Turn
FORMATS["plain"]()([Example("a", (Turn("user", "one\\ntwo"), Turn("assistant", "x")))], Path("p"))
assert Path("p").read_text() == "one two\\n"
few = cs.Recipe(crowd="example", budget=5, clusters=0, filters={"most_words": 1})
assert len(cs.select(crowd, few).ids) == 5
assert len(cs.select(crowd, few).report["excluded"]) == 0
print("done")
"""


def blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)


def test_examples_run_in_order(tmp_path: Path) -> None:
    assert len(blocks()) == 7
    code = "\n".join(blocks()) + TAIL
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split() == ["40", "done"]


def test_every_registry_named_there_exists() -> None:
    """The table at the top names real files and real lists."""
    rows = re.findall(r"(crowdselect/\S+)/MINE\.py\s+([A-Z]+)\s+in (\S+)", DOCS.read_text("utf-8"))
    assert len(rows) >= 7
    for folder, name, file in rows:
        assert (ROOT / folder).is_dir()
        assert re.search(rf"^{name}\b", (ROOT / file).read_text("utf-8"), re.MULTILINE), file
